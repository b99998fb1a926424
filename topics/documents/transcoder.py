"""Generates, from the columns of a type of event, a function that turns Avro bodies of that type into JSON documents.

https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from typing import Any

from topics.documents import json_cache
from topics.documents.ecs import DERIVED, RELATED, VERSION
from topics.fields import FIELDS, Field, columns

Transcoder = Callable[[bytes, int], tuple[bytes, bytes] | None]
"""Takes an encoded event and the position of its body. Returns its identity and its document, or None if it needs the
plain method because of its `extra`.

Raises `IndexError`, `EOFError` or `ValueError` when the body is damaged.
"""

_GIVEN = {
    "event": ("event_outcome", "event_action", "event_dataset"),
    "source": ("source_ip", "source_geo_country_iso_code"),
    "destination": ("destination_ip",),
}
"""Objects with a group of columns that is cached, and the columns read before that belong to the group."""

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
"""Columns that do not become a member as they are."""

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
    fragments = extras[extra]
    if fragments is None: return None
    if "" in fragments: o_ += fragments[""]
    if len(fragments) > 1 or "" not in fragments:
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
    """Generate and compile the function of one type, with caches of its own."""
    fields = columns(kind)
    objects = _objects(fields)
    scope = _tools(objects)
    runs = [(group, tuple(run)) for group, run in groupby(fields, _group_of)]
    # The given columns make a fragment even if no other column of the group follows them.
    runs += [(group, ()) for group in _GIVEN if group in objects and group not in dict(runs)]
    scope |= {f"{g}_group": json_cache.Group(g, _GIVEN[g], run) for g, run in runs if g}
    body = "\n    ".join(line for part in _parts(fields, objects, runs) for line in part.strip().splitlines())
    exec(compile(f"def transcode(b, i):\n    {body}", f"<transcoder of {kind}>", "exec"), scope)
    found: Transcoder = scope["transcode"]
    return found


def _parts(fields: tuple[Field, ...], objects: list[str], runs: list[tuple[str, tuple[Field, ...]]]) -> Iterator[str]:
    """The lines of the function. `b` is the value, `i` the position, `o_<path>` the members of an object so far."""
    yield " = ".join(map(_variable, objects)) + ' = b""'
    for group, run in runs:
        yield from [_group(group)] if group else map(_column, run)
    yield _EXTRA.format(
        additions="\n        ".join(f'{_variable(o)} += fragments.get("{o}", b"")' for o in objects if o)
    )
    yield _DERIVED
    yield from _related({f.column for f in fields})
    yield from map(_close, objects)
    yield _RETURN


def _group_of(field: Field) -> str:
    """The object whose cached group a column belongs to, or ""."""
    if field.column in _ELSEWHERE:
        return ""
    return next((name for name, prefixes in _GROUPED.items() if field.ecs.startswith(prefixes)), "")


def _group(name: str) -> str:
    given = _GIVEN[name]
    return _GROUP.format(name=name, key=' + b"," + '.join(given), given=", ".join(given))


def _column(field: Field) -> str:
    """The lines that read one column and, unless others do that, make it a member of its object."""
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
    """The lines that make the arrays of `related` from the columns that the type has."""
    for name, found in RELATED.items():
        first, *others = [column for column in found if column in here]
        yield f"found = {first}"
        if others:
            yield f"if {' or '.join(others)}: found = joined({first}, {', '.join(others)})"
        yield f"""if found: o_related += b',"{name}":[' + found + b']'"""


def _objects(fields: Iterable[Field]) -> list[str]:
    """The paths of objects that are made member by member, and not from the cache alone; inner ones come first."""
    inside = ("ogrewatch.raw.", *chain.from_iterable(_GROUPED.values()))
    paths = [f.ecs.split(".")[:-1] for f in fields if not f.ecs.startswith(inside)]
    found = {".".join(path[:end]) for path in [*paths, ["log", "syslog"], ["related"]] for end in range(len(path) + 1)}
    return sorted(found | {"event"}, key=lambda path: (-path.count(".") if path else 1, path))


def _close(path: str) -> str:
    """The line that makes an object a member of its parent. The document has none."""
    around, _, leaf = path.rpartition(".")
    name = _variable(path)
    return f"""if {name}: {_variable(around)} += b',"{leaf}":{{' + {name}[1:] + b'}}'""" if path else ""


def _variable(path: str) -> str:
    return f"o_{path.replace('.', '_')}"


def _tools(objects: list[str]) -> dict[str, Any]:
    """The names that the function uses."""
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
