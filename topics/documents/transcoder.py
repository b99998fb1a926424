"""The columns of a type of event in, a function out that turns the type's Avro bodies into JSON documents.

https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from typing import Any

from topics.documents import json_cache
from topics.documents.ecs import DERIVED, RELATED, VERSION
from topics.fields import FIELDS, Field, columns

Transcoder = Callable[[bytes, int], tuple[bytes, bytes] | None]
"""An encoded event and where its body begins, to its identity and its document, or None if `extra` is not for it.

Raises `IndexError`, `EOFError` or `ValueError` when the body is torn.
"""

_GIVEN = {
    "event": ("event_outcome", "event_action", "event_dataset"),
    "source": ("source_ip", "source_geo_country_iso_code"),
    "destination": ("destination_ip",),
}
"""Objects of which a group of columns is remembered, and the columns read before that go with the group."""

_GROUPED = {
    "event": ("event.kind", "event.category", "event.type"),
    "source": ("source.geo.", "source.as."),
    "destination": ("destination.geo.", "destination.as."),
}
_LONG = frozenset({"message", "event_original", "process_command_line", "url_original", "url_query"})
_RAW = frozenset({"ogrewatch_raw_topic", "extra"})
_ELSEWHERE = frozenset(chain(_RAW, *_GIVEN.values())) | {
    *("timestamp", "event_created", "ogrewatch_raw_partition", "ogrewatch_raw_offset", "log_syslog_priority")
}
"""Columns that do not simply become a member."""

_STRING = """
n = b[i]; i += 1
if n:
    if n & 129: n, i = length(b, i)
    e = i + (n >> 1); {column} = {make}(b[i:e]); i = e{then}
else: {column} = b""
"""
_NUMBER = """
n = b[i]; i += 1
if n > 127: n, i = varint(b, i)
{column} = (n >> 1) ^ -(n & 1)
"""
_TIME = """
{column} = times.get(b[i:i + 8])
if {column} is None: {column}, i = read_time(b, i)
else: i += 8
"""
_STAMP = f"""
o_ += b',"@timestamp":' + timestamp + b',"ecs":{{"version":"{VERSION}"}}'
"""
_MAYBE = """
if b[i] < 2: event_created = b""; i += 1
else:
    """
_GROUP = """
known = {name}_group.get({key})
if known is None or not b.startswith(known[0], i): known = {name}_group.learn(b, i, {given})
i += known[1]; o_{name} += known[2]
"""
_EXTRA = """
if i != len(b): raise ValueError("bytes after the end")
if extra:
    pieces = extras[extra]
    if pieces is None: return None
    if "" in pieces: o_ += pieces[""]
    if len(pieces) > 1 or "" not in pieces:
        {additions}
"""
_DERIVED = """
if event_created: o_event += b',"created":' + event_created
if host_hostname: o_host += b',"name":' + host_hostname
if log_syslog_priority >= 0:
    o_log_syslog += priorities[log_syslog_priority]
    if host_hostname: o_log_syslog += b',"hostname":' + host_hostname
    if process_name: o_log_syslog += b',"appname":' + process_name
    if process_pid not in (0, -1): o_log_syslog += b',"procid":"%d"' % process_pid
"""
_RETURN = """
return ogrewatch_raw_topic + b"-%d-%d" % (ogrewatch_raw_partition, ogrewatch_raw_offset), b"{" + o_[1:] + b"}"
"""


def transcoder(kind: str) -> Transcoder:
    """Write and compile the function of one type. It keeps memories of its own."""
    fields = columns(kind)
    objects = _objects(fields)
    scope = _tools(objects)
    runs = [(group, tuple(run)) for group, run in groupby(fields, _group_of)]
    # Without columns to follow them, the given ones make a piece all the same.
    runs += [(group, ()) for group in _GIVEN if group in objects and group not in dict(runs)]
    scope |= {f"{g}_group": json_cache.Group(g, _GIVEN[g], run) for g, run in runs if g}
    body = "\n    ".join(line for part in _parts(fields, objects, runs) for line in part.strip().splitlines())
    exec(compile(f"def transcode(b, i):\n    {body}", f"<transcoder of {kind}>", "exec"), scope)
    found: Transcoder = scope["transcode"]
    return found


def _parts(fields: tuple[Field, ...], objects: list[str], runs: list[tuple[str, tuple[Field, ...]]]) -> Iterator[str]:
    """The function's lines: `b` is the value, `i` the position, `o_<path>` an object's members, each after a comma."""
    yield " = ".join(map(_variable, objects)) + ' = b""'
    for group, run in runs:
        yield from [_group(group)] if group else map(_column, run)
    yield _EXTRA.format(additions="\n        ".join(f'{_variable(o)} += pieces.get("{o}", b"")' for o in objects if o))
    yield _DERIVED
    yield from _related({f.column for f in fields})
    yield from map(_close, objects)
    yield _RETURN


def _group_of(field: Field) -> str:
    """The object whose remembered group a column belongs to, or nothing."""
    if field.column in _ELSEWHERE:
        return ""
    return next((name for name, prefixes in _GROUPED.items() if field.ecs.startswith(prefixes)), "")


def _group(name: str) -> str:
    given = _GIVEN[name]
    return _GROUP.format(name=name, key=' + b"," + '.join(given), given=", ".join(given))


def _column(field: Field) -> str:
    """Read one column, and make it a member of its object unless that is done elsewhere."""
    name = field.column
    if name == "timestamp":
        return _TIME.format(column=name) + _STAMP
    if name == "event_created":
        return _MAYBE + _TIME.strip().replace("\n", "\n    ").format(column=name)
    path, _, leaf = field.ecs.rpartition(".")
    member = f"""{_variable(path)} += b',"{leaf}":"""
    if field.kind == "string":
        make = "" if name in _RAW else "quote" if name in _LONG else "quoted"
        return _STRING.format(column=name, make=make, then="" if name in _ELSEWHERE else f"; {member}' + {name}")
    then = "" if name in _ELSEWHERE else f"if {name} != {field.absent}: {member}%d' % {name}"
    return _NUMBER.format(column=name) + then


def _related(here: set[str]) -> Iterator[str]:
    """The arrays of `related`, of the columns that the type has."""
    for name, found in RELATED.items():
        first, *others = [column for column in found if column in here]
        yield f"found = {first}"
        if others:
            yield f"if {' or '.join(others)}: found = joined({first}, {', '.join(others)})"
        yield f"""if found: o_related += b',"{name}":[' + found + b']'"""


def _objects(fields: Iterable[Field]) -> list[str]:
    """The paths of the objects that are put together member by member, not remembered whole; the inner ones first."""
    inside = ("ogrewatch.raw.", *chain.from_iterable(_GROUPED.values()))
    paths = [f.ecs.split(".")[:-1] for f in fields if not f.ecs.startswith(inside)]
    found = {".".join(path[:end]) for path in [*paths, ["log", "syslog"], ["related"]] for end in range(len(path) + 1)}
    return sorted(found | {"event"}, key=lambda path: (-path.count(".") if path else 1, path))


def _close(path: str) -> str:
    """Make an object a member of the one around it; nothing is around the document."""
    around, _, leaf = path.rpartition(".")
    name = _variable(path)
    return f"""if {name}: {_variable(around)} += b',"{leaf}":{{' + {name}[1:] + b'}}'""" if path else ""


def _variable(path: str) -> str:
    return f"o_{path.replace('.', '_')}"


def _tools(objects: list[str]) -> dict[str, Any]:
    """What the function calls."""
    quoted, times = json_cache.Quoted(), json_cache.Times()
    taken = {f.ecs for f in FIELDS.values()} | DERIVED
    return {
        "quoted": quoted.__getitem__,
        "quote": json_cache.quote,
        "times": times,
        "read_time": times.read,
        "priorities": json_cache.Priorities(),
        "length": json_cache.length,
        "varint": json_cache.varint,
        "joined": json_cache.joined,
        "extras": json_cache.Extras(objects, taken),
    }
