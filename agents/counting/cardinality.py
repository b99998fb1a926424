"""How many names there are in, whether there is room for another one out: strangers invent addresses and users.

An attempt with a name that there is no room for counts as one of the others of its minute. A minute takes `MOST` names
of a kind; `FEW` once its log holds `room`, and none above twice that, until older minutes expire. All of that follows
from the records, so that whoever counts them again comes to the same names: entries know at which offset they began.
"""

MOST, FEW = 5_000, 20
"""Addresses, and users, of one minute of one log: at first, and when room is short."""
ROOM = 100_000
"""The weight of names that a worker with all partitions holds before room is short, for each typed topic."""
_LONG = 64  # characters of a name that weigh as much as an entry


def weight(name: str) -> int:
    """What a name weighs: an entry of some 250 bytes is one."""
    return 1 + len(name) // _LONG


def fits(held: int, room: int, there: int) -> bool:
    """Whether a minute with `there` names of a kind takes one more while its log holds the weight `held`."""
    return there < (MOST if held < room else FEW) and held < 2 * room
