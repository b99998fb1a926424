"""How many names there are in, whether there is room for another one out: strangers invent addresses and users.

An attempt with a name that there is no room for counts as one of the others of its minute. A minute takes `LIMIT` names
of a kind; `LIMIT_UNDER_PRESSURE` once its log holds `room`, and none above twice that, until older minutes expire.
All of that follows
from the records, so that whoever counts them again comes to the same names: entries know at which offset they began.
"""

LIMIT, LIMIT_UNDER_PRESSURE = 5_000, 20
"""Addresses, and users, of one minute of one log: at first, and when room is short."""
BUDGET = 100_000
"""The weight of names that a worker with all partitions holds before room is short, for each typed topic."""
_LONG = 64  # characters of a name that weigh as much as an entry


def cost(name: str) -> int:
    """What a name weighs: an entry of some 250 bytes is one."""
    return 1 + len(name) // _LONG


def admits(held: int, room: int, there: int) -> bool:
    """Whether a minute with `there` names of a kind takes one more while its log holds the weight `held`."""
    return there < (LIMIT if held < room else LIMIT_UNDER_PRESSURE) and held < 2 * room
