"""Events of every shape, for properties that must hold of all of them."""

from hypothesis import strategies as st

from topics.documents.ecs_types import OBJECTS, TYPES
from topics.event import Event
from topics.fields import FIELDS

_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
VALUES: dict[str, st.SearchStrategy[object]] = {
    "string": st.one_of(_text, st.sampled_from(["sshd", "192.0.2.1", "203.0.113.9", "NL", 'a"b\\c\n', "é" * 70])),
    "int": st.integers(0, 2**31 - 1),
    "long": st.integers(0, 2**63 - 1),
    "double": st.floats(-180, 180).filter(bool),
    "strings": st.lists(st.text(alphabet="abc"), min_size=1),
}
_parts = st.sampled_from(
    ["sshd", "user", "source", "geo", "name", "related", "ip", "event", "message", "x", "_id", "", "log"]
)
names = st.one_of(
    st.sampled_from(sorted({*TYPES, *OBJECTS})),
    st.lists(_parts, min_size=1, max_size=4).map(".".join),
)
"""Names of ECS, names of a stream's own, and names that are neither."""

json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), _text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_parts, inner, max_size=3)),
    max_leaves=5,
)
columns = {c: VALUES[f.kind] for c, f in FIELDS.items() if c != "timestamp"}
extras = st.dictionaries(names, json, min_size=1, max_size=4)
times = st.integers(0, 2**53)


def _unambiguous(event: Event) -> Event:
    """What has a column is not in `extra` too: no parser says a thing twice."""
    said = {FIELDS[column].ecs.removesuffix(".lat").removesuffix(".lon") for column in event if column != "extra"}
    extra = {name: value for name, value in event.get("extra", {}).items() if name not in said}
    return {**event, "extra": extra} if "extra" in event else event


events = st.fixed_dictionaries({"timestamp": times}, optional={**columns, "extra": extras}).map(_unambiguous)
