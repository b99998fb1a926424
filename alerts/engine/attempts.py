"""Judges login attempts by rules that ask for nothing but what stands in an attempt's header.

Such rules are the base of most correlations ("a failed login at sshd"), and they hold for half of all events. Whether
one holds mostly follows from outcome and service alone, which take few values; the answer is remembered for those.
"""

from collections.abc import Iterator, Sequence

from alerts.engine.predicate import predicate
from alerts.engine.view import LINE, EventView, Reference
from alerts.rules.condition import And, FieldTest, Node, all_tests
from alerts.rules.model import Rule
from topics.avro.attempt_header import LONGEST, AttemptHeader, decode_attempt

_PLACES = {
    "event.outcome": 4,
    "ogrewatch.service": 5,
    "source.ip": 6,
    "user.name": 7,
    "host.hostname": 8,
    "source.geo.country_iso_code": 9,
}
"""Fields that a header has, and where."""
_ATTEMPT = "ogrewatch.attempt"
_FEW = {"event.outcome", "ogrewatch.service", _ATTEMPT}
_REMEMBERED = 1024


def about_attempts(rule: Rule) -> bool:
    """Whether a rule can be judged by headers: it demands an attempt, and asks only for what headers have."""
    if rule.source.datasets or rule.source.others or not _demands_attempt(rule.condition):
        return False
    return all(test.field in _PLACES or test.field == _ATTEMPT for test in all_tests(rule.condition))


def _demands_attempt(node: Node) -> bool:
    if isinstance(node, And):
        return any(_demands_attempt(part) for part in node.parts)
    return isinstance(node, FieldTest) and (node.field, node.operator) == (_ATTEMPT, "compare") and node.value in (
        ("gte", 1), ("gt", 0),
    )  # fmt: skip


class AttemptRules:
    """Rules that are judged by headers."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [
            (rule, predicate(rule.condition), all(test.field in _FEW for test in all_tests(rule.condition)))
            for rule in rules
        ]
        self._known: dict[tuple[str, str], tuple[tuple[Rule, ...], tuple[int, ...]]] = {}

    def match(self, values: Sequence[bytes]) -> Iterator[tuple[int, Rule, "HeaderView"]]:
        """The rules that hold for each event, with the event's place. Raises `CodecError`."""
        if not self._rules:
            return
        for place, value in enumerate(values):
            header = decode_attempt(value)
            if header is not None:
                yield from self._judge(place, value, header)

    def _judge(self, place: int, value: bytes, header: AttemptHeader) -> Iterator[tuple[int, Rule, "HeaderView"]]:
        key = header.outcome, header.service
        known = self._known.get(key)
        if known is None:
            known = self._learn(key, header)
        sure, open_ = known
        if not (sure or open_):
            return
        view = HeaderView(value, header)
        for rule in sure:
            yield place, rule, view
        for number in open_:
            rule, holds, _ = self._rules[number]
            if holds(view.get):
                yield place, rule, view

    def _learn(self, key: tuple[str, str], header: AttemptHeader) -> tuple[tuple[Rule, ...], tuple[int, ...]]:
        get = HeaderView(b"", header).get
        sure = tuple(rule for rule, holds, few in self._rules if few and holds(get))
        known = sure, tuple(number for number, (_, _, few) in enumerate(self._rules) if not few)
        if len(self._known) < _REMEMBERED:
            self._known[key] = known
        return known


class HeaderView:
    """Gives the fields of an attempt: from its header, all others from the decoded event."""

    __slots__ = ("_header", "_rest", "_value")

    def __init__(self, value: bytes, header: AttemptHeader) -> None:
        self._value, self._header = value, header
        self._rest: EventView | None = None

    @property
    def reference(self) -> Reference:
        """As `View.reference`."""
        _, at, (topic, partition), offset, *_ = self._header
        return Reference(topic, partition, offset, at)

    def line(self) -> str:
        """As `View.line`."""
        return "".join(self.get(LINE)[:1])

    def get(self, field: str) -> tuple[str, ...]:
        """As `View.get`."""
        place = _PLACES.get(field)
        if place is not None:
            text: str = self._header[place]  # type: ignore[assignment]
            if len(text) < LONGEST:  # a longer one is cut in the header
                return (text,) if text else ()
        elif field == _ATTEMPT:
            return (str(self._header[0]),)
        if self._rest is None:
            self._rest = EventView(self._value)
        return self._rest.get(field)
