"""Looks for many literals in a batch of encoded events at once.

Hyperscan scans the joined events in one call; where it has no wheel, an Aho-Corasick automaton scans one by one. Both
may say of an event that a literal stands in it although it does not (across two events), never the reverse.
https://intel.github.io/hyperscan/dev-reference/
"""

from bisect import bisect_left
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import accumulate
from typing import Protocol

HAS_HYPERSCAN = find_spec("hyperscan") is not None


class Scanner(Protocol):
    """Finds literals in events."""

    def scan(self, values: Sequence[bytes]) -> dict[int, set[int]]:
        """The numbers of the literals seen in each event, by the event's place; events without any are left out."""
        ...


def make_scanner(literals: Sequence[bytes]) -> Scanner:
    """The fastest scanner that there is here. The literals are in small letters, none is empty."""
    if not literals:
        return _Nothing()
    return HyperscanScanner(literals) if HAS_HYPERSCAN else AhoCorasickScanner(literals)


class _Nothing:
    def scan(self, values: Sequence[bytes]) -> dict[int, set[int]]:
        """Find nothing."""
        return {}


class HyperscanScanner:
    """One database of all literals; one call a batch."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        import hyperscan

        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[b"".join(b"\\x%02x" % byte for byte in literal) for literal in literals],
            ids=list(range(len(literals))),
            elements=len(literals),
            flags=hyperscan.HS_FLAG_CASELESS,
        )

    def scan(self, values: Sequence[bytes]) -> dict[int, set[int]]:
        """As `Scanner.scan`."""
        seen: list[tuple[int, int]] = []
        append = seen.append
        self._database.scan(
            b"".join(values), match_event_handler=lambda number, begin, end, flags, context: append((end, number))
        )
        found: dict[int, set[int]] = {}
        ends = list(accumulate(map(len, values)))
        for end, number in seen:
            found.setdefault(bisect_left(ends, end), set()).add(number)
        return found


class AhoCorasickScanner:
    """One automaton of all literals; each event is turned into small letters and read once."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        import ahocorasick

        self._automaton = ahocorasick.Automaton()
        for number, literal in enumerate(literals):
            self._automaton.add_word(literal.decode("latin-1"), number)
        self._automaton.make_automaton()

    def scan(self, values: Sequence[bytes]) -> dict[int, set[int]]:
        """As `Scanner.scan`."""
        found: dict[int, set[int]] = {}
        for place, value in enumerate(values):
            seen = {number for _, number in self._automaton.iter(value.lower().decode("latin-1"))}
            if seen:
                found[place] = seen
        return found
