"""Enters: an address from the settings. Leaves: what of it may be shown."""

import re

_CREDENTIALS = re.compile(r"//[^@/,]*@")


def shown(address: str) -> str:
    """The address without user name and password."""
    return _CREDENTIALS.sub("//", address)
