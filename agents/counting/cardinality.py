"""Limits how many addresses and users are counted by name, because whoever sends logs can invent any number of them.

An attempt whose name is beyond the limit is counted under `(others)` of its minute. A minute takes `LIMIT` names of a
kind; only `LIMIT_UNDER_PRESSURE` once the names of its partition cost `budget`, and none once they cost twice that,
until older minutes expire. All of this follows from the records, so whoever counts them again names the same ones:
entries know at which offset they began.
"""

LIMIT, LIMIT_UNDER_PRESSURE = 5_000, 20
"""Most addresses, and most users, of one minute of one partition: within the budget, and beyond it."""
BUDGET = 100_000
"""Cost of names, for each typed topic, up to which a worker that owns all partitions takes `LIMIT` per minute."""
_LONG = 64  # characters of a name that need as much memory as the rest of its entry


def cost(name: str) -> int:
    """Return the cost of a name: 1 stands for an entry of some 250 bytes."""
    return 1 + len(name) // _LONG


def admits(held: int, budget: int, there: int) -> bool:
    """Tell whether a minute with `there` names of a kind takes one more, when its partition's names cost `held`."""
    return there < (LIMIT if held < budget else LIMIT_UNDER_PRESSURE) and held < 2 * budget
