"""Makes rules, events, and strategies of both."""

from typing import Any

from hypothesis import strategies as st
from sigma.rule import SigmaRule

from alerts.rules.condition import And, FieldTest, Node, Not, Or, tree_of
from alerts.rules.model import About, Rule
from alerts.rules.sources import LogSource, source_of
from topics.avro.codec import encode
from topics.event import Event
from topics.fields import TYPES

FIELDS = ("process.command_line", "user.name", "event.original", "source.ip", "url.path", "http.response.status_code",
          "zeek.dns.Z", "aws.cloudtrail.requestParameters.name", "event.category", "process.pid")  # fmt: skip
PIECES = ("root", "ROOT", "a\"b", "back\\slash", "\u212aelvin", "\u0130stanbul", "\u00c4rger", "wget http", "x",
           "192.0.2.7", "404", "")  # fmt: skip


def rule(yaml: str) -> Rule:
    """A rule of one Sigma document."""
    parsed = SigmaRule.from_yaml(yaml)
    source = source_of(parsed.logsource.product, parsed.logsource.category, parsed.logsource.service)
    trees = tuple(tree_of(condition.parsed, source) for condition in parsed.detection.parsed_condition)
    return Rule(str(parsed.id), parsed.title, About(parsed.title), source, trees[0] if len(trees) == 1 else Or(trees))


def event(**columns: Any) -> Event:
    """An event with an identity."""
    base = {"ogrewatch_raw_topic": "raw.syslog", "ogrewatch_raw_partition": 0, "ogrewatch_raw_offset": 7,
            "timestamp": 1_790_000_000_000_000, "event_created": 1_790_000_000_000_000}  # fmt: skip
    return {**base, **columns}


def encoded(kind: str, **columns: Any) -> bytes:
    """An encoded event."""
    return encode(kind, event(**columns))


def texts() -> st.SearchStrategy[str]:
    """Texts that are likely to meet each other, and hostile ones."""
    return st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=3).map("".join)


def _wildcards() -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(texts().filter(bool) | st.none() | st.just(False), min_size=2, max_size=4).map(tuple)


def any_test() -> st.SearchStrategy[FieldTest]:
    """Tests of every operator."""
    from ipaddress import ip_network

    from alerts.engine.values import fold

    field, text = st.sampled_from(FIELDS), texts().filter(bool)
    simple = st.sampled_from(("equals", "contains", "begins", "ends"))
    numbers = st.sampled_from((404, 7, 0.5, -1))
    return st.one_of(
        st.builds(lambda f, o, t: FieldTest(f, o, fold(t)), field, simple, text),
        st.builds(lambda f, o, t: FieldTest(f, o, t, True), field, simple, text),
        st.builds(
            lambda f, p: FieldTest(f, "like", tuple(fold(x) if isinstance(x, str) else x for x in p)),
            field,
            _wildcards(),
        ),
        st.builds(lambda f, n: FieldTest(f, "number", n), field, numbers),
        st.builds(
            lambda f, o, n: FieldTest(f, "compare", (o, n)), field, st.sampled_from(("lt", "gte", "neq")), numbers
        ),
        st.builds(
            lambda f, a, how: FieldTest(f, "same", (a, how)),
            field,
            field,
            st.sampled_from(("equals", "begins", "ends")),
        ),
        st.builds(lambda f, o: FieldTest(f, o), field, st.sampled_from(("exists", "absent"))),
        st.builds(lambda f: FieldTest(f, "cidr", ip_network("192.0.2.0/24")), field),
        st.builds(lambda f: FieldTest(f, "matches", "(?i)ro+t|wget"), field),
    )


def conditions() -> st.SearchStrategy[Node]:
    """Trees of tests."""
    return st.recursive(
        any_test(),
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))),
        ),
        max_leaves=6,
    )


def rules() -> st.SearchStrategy[list[Rule]]:
    """Rules of random conditions and log sources."""
    sources = st.sampled_from(
        (LogSource("any"), LogSource("web", frozenset({"web"})), LogSource("sshd", frozenset(TYPES), ("sshd",)),
         LogSource("hosts", frozenset(TYPES), (), ("nginx",)))
    )  # fmt: skip
    one = st.tuples(conditions(), sources)
    return st.lists(one, min_size=1, max_size=6).map(
        lambda made: [Rule(f"r{n}", f"r{n}", About(f"r{n}"), source, node) for n, (node, source) in enumerate(made)]
    )


def values(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values of JSON."""
    plain = text | st.integers(-5, 500) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
    return plain | st.lists(plain, max_size=2)


def events() -> st.SearchStrategy[tuple[str, Event]]:
    """Events of any type, with columns, columns of other types, and names in `extra`."""
    text = texts()
    columns = st.fixed_dictionaries(
        {},
        optional={
            "process_command_line": text, "user_name": text, "event_original": text, "url_path": text,
            "source_ip": st.sampled_from(("192.0.2.7", "198.51.100.7", "2001:db8::7")),
            "http_response_status_code": st.sampled_from((404, 200, 7)), "process_pid": st.sampled_from((7, 404)),
            "event_category": st.lists(text.filter(bool), max_size=2),
            "event_dataset": st.sampled_from(("sshd", "nginx.access", "x")),
            "extra": st.fixed_dictionaries(
                {},
                optional={
                    "zeek.dns.Z": values(text),
                    "aws.cloudtrail": values(text).map(lambda value: {"requestParameters": {"name": value}}),
                },
            ),
        },
    )  # fmt: skip
    return st.tuples(st.sampled_from(TYPES), columns.map(lambda found: event(**found)))
