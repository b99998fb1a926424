"""Decides which groups are forgotten when strangers make too many: an attacker invents users and addresses.

Most invented names come once, and a group that matters comes again. So groups that came once are forgotten first, the
oldest of them; those that came again only when they fill three quarters of their rule's limit, and never one with an
open alert. A rule has a limit of its own, and all rules together one: the rule with the most groups gives way.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

MOST_GROUPS = 50_000
"""Groups of one rule that a worker keeps; a group takes 0.5 to 1.5 KiB of memory."""
ALL_GROUPS = 4
"""The limit of all rules together, in limits of one."""
_TRIES = 32
"""Groups that are looked at for one without an open alert."""

Key = tuple[str, ...]
"""A rule's id and revision, then the values of what it groups by."""


class Recency:
    """The names of groups by rule, those that came once apart from others, the oldest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._fresh: dict[str, OrderedDict[Key, None]] = {}
        self._known: dict[str, OrderedDict[Key, None]] = {}
        self._number = 0

    def add(self, name: Key, has_alert: Callable[[Key], bool]) -> Iterator[Key]:
        """Add a new group. Yields the groups that have to go before, which are removed here."""
        if self._size(name[0]) >= self._most:
            yield self._evict(name[0], has_alert)
        elif self._number >= self._most * ALL_GROUPS:
            yield self._evict(max(self._fresh, key=self._size), has_alert)
        self.put(name, fresh=True)

    def put(self, name: Key, fresh: bool) -> None:
        """Add a group, whatever the limits say."""
        for table in (self._fresh, self._known):
            table.setdefault(name[0], OrderedDict())
        (self._fresh if fresh else self._known)[name[0]][name] = None
        self._number += 1

    def again(self, name: Key) -> None:
        """A group that came once has come again."""
        del self._fresh[name[0]][name]
        self._known[name[0]][name] = None

    def remove(self, name: Key) -> None:
        """A group is gone."""
        for table in (self._fresh, self._known):
            if name in table[name[0]]:
                del table[name[0]][name]
                self._number -= 1

    def _size(self, rule: str) -> int:
        return len(self._fresh.get(rule, ())) + len(self._known.get(rule, ()))

    def _evict(self, rule: str, has_alert: Callable[[Key], bool]) -> Key:
        """Remove a group of a rule that has some. One with an open alert only if there seem to be no others."""
        fresh, known = self._fresh[rule], self._known[rule]
        tables = (known, fresh) if not fresh or 4 * len(known) > 3 * self._most else (fresh, known)
        for table in tables:
            for _ in range(min(len(table), _TRIES)):
                name = next(iter(table))
                if not has_alert(name):
                    break
                table.move_to_end(name)
            else:
                continue
            self.remove(name)
            return name
        name = next(iter(tables[0]))
        self.remove(name)
        return name
