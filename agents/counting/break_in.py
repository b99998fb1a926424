"""Tells addresses that guessed and got in from those of people who mistype: they succeed more often than they fail.

Count workers and the web role share this rule: both put such addresses first before they cut a list.
"""

GUESSES = 5
"""Failures of an address from which on a success makes it stand out, if they are more than its successes."""


def broke_in(failures: int, successes: int) -> bool:
    """Whether an address with these counts looks like somebody who guessed and got in."""
    return successes > 0 and failures >= GUESSES and failures > successes
