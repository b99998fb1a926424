"""Judges login attempts by rules that ask for nothing but what stands in an attempt's header.

Such rules are the base of most correlations ("a failed login at sshd"), and they hold for half of all events. Whether
one holds mostly follows from outcome and service alone, which take few values; the answer is remembered for those.
"""

from collections.abc import Iterator, Sequence

from alerts.engine.predicate import Predicate, predicate
from alerts.engine.view import LINE, EventView, Match, Reference
from alerts.rules.condition import And, FieldTest, Node, all_tests
from alerts.rules.model import Rule
from topics.avro.attempt_header import LONGEST, AttemptHeader, decode_attempt, outcome_and_service
from topics.avro.codec import EVENTS, PREFIX

_ATTEMPT = "ogrewatch.attempt"
_PLACES = {
    "event.outcome": 4,
    "ogrewatch.service": 5,
    "source.ip": 6,
    "user.name": 7,
    "host.hostname": 8,
    "source.geo.country_iso_code": 9,
}
"""Fields that a header has, and where."""
_FEW = {"event.outcome", "ogrewatch.service", _ATTEMPT}
_REMEMBERED = 1024


def about_attempts(rule: Rule) -> bool:
    """Whether a rule can be judged by headers: it demands an attempt, and asks only for what headers have."""
    if rule.source.datasets or rule.source.others or not _demands_attempt(rule.condition):
        return False
    return all(field == _ATTEMPT or field in _PLACES for test in all_tests(rule.condition) for field in _fields(test))


def _fields(test: FieldTest) -> tuple[str, ...]:
    return (test.field, test.value[0]) if test.operator == "same" else (test.field,)


def _demands_attempt(node: Node) -> bool:
    if isinstance(node, And):
        return any(_demands_attempt(part) for part in node.parts)
    return isinstance(node, FieldTest) and (node.field, node.operator) == (_ATTEMPT, "compare") and node.value in (
        ("gte", 1), ("gt", 0),
    )  # fmt: skip


_Judged = tuple[tuple[Rule, Predicate | None], ...]
"""Rules that hold for an outcome and a service, those with a predicate only if that holds, too."""


class AttemptRules:
    """Rules that are judged by headers. Events are of today's schemas."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [
            (rule, predicate(rule.condition), all(test.field in _FEW for test in all_tests(rule.condition)))
            for rule in rules
        ]
        self._known: dict[bytes, _Judged] = {}

    def match(self, values: Sequence[bytes]) -> Iterator[Match]:
        """The matches of a batch, by place and then in the order of the rules. Raises `CodecError`."""
        if not self._rules:
            return
        known, none = self._known, EVENTS.zeros
        for place, value in enumerate(values):
            if value[: PREFIX + 1] in none:
                continue
            key = outcome_and_service(value)
            judged = known.get(key)
            if judged is None:
                judged = self._learn(key, value)
            if not judged:
                continue
            view = HeaderView(value)
            for rule, holds in judged:
                if holds is None or holds(view.get):
                    yield Match(place, rule, view)

    def _learn(self, key: bytes, value: bytes) -> _Judged:
        """What holds for an event and all others of its key; it is remembered unless there is no key."""
        if decode_attempt(value) is None:
            judged: _Judged = ()
        else:
            get = HeaderView(value).get
            judged = tuple((rule, None if few else holds) for rule, holds, few in self._rules if not few or holds(get))
        if key and len(self._known) < _REMEMBERED:
            self._known[key] = judged
        return judged


class HeaderView:
    """Gives the fields of an attempt: from its header, all others from the decoded event. Reads either when asked."""

    __slots__ = ("_header", "_reference", "_rest", "_value")

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._header: AttemptHeader | None = None
        self._rest: EventView | None = None
        self._reference: Reference | None = None

    def _read(self) -> AttemptHeader:
        if self._header is None:
            self._header = decode_attempt(self._value)
            assert self._header is not None, "only attempts have such a view"
        return self._header

    @property
    def reference(self) -> Reference:
        """As `View.reference`."""
        if self._reference is None:
            _, at, (topic, partition), offset, *_ = self._read()
            self._reference = Reference(topic, partition, offset, at)
        return self._reference

    def line(self) -> str:
        """As `View.line`."""
        return "".join(self.get(LINE)[:1])

    def get(self, field: str) -> tuple[str, ...]:
        """As `View.get`."""
        place = _PLACES.get(field)
        if place is not None:
            text: str = self._read()[place]  # type: ignore[assignment]
            if len(text) < LONGEST:  # a longer one is cut in the header
                return (text,) if text else ()
        elif field == _ATTEMPT:
            return (str(self._read()[0]),)
        if self._rest is None:
            self._rest = EventView(self._value)
        return self._rest.get(field)
