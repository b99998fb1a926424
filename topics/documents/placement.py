"""A value at a dotted name in, its place in a document out: one where a store can take it, whatever the value is.

A store gives a name its type once: a name that has held a value can't hold an object later, nor the other way round,
and one such event would be refused. So a name of `topics.documents.ecs_types` only takes what its type can take; an
unknown one
right under an object of ECS takes values only; one under a name that is a stream's own takes anything, since a store
keeps all of that as one field. What fits nowhere stands in `ogrewatch.unplaced`, flat, by its dotted name.
"""

from typing import Any

from topics.documents.ecs_types import OBJECTS, TYPES

_OPEN = frozenset(name for name, kind in TYPES.items() if kind == "flattened")


def place(document: dict[str, Any], name: str, value: Any) -> None:
    """Put a value at its name. What stands there stays; objects are merged, and lists of `related` joined."""
    if name in OBJECTS and isinstance(value, dict):
        for inner, part in value.items():
            place(document, f"{name}.{inner}", part)
    elif not (_fits(name, value) and _place_leaf(document, name, value)):
        unplaced = document.setdefault("ogrewatch", {}).setdefault("unplaced", {})
        unplaced[name] = value


def _fits(name: str, value: Any) -> bool:
    """Whether a store can take such a value there, today and when the next event holds another one."""
    if name in OBJECTS:
        return False
    if name in _OPEN:
        return isinstance(value, dict) or (isinstance(value, list) and all(isinstance(part, dict) for part in value))
    if TYPES.get(name) == "geo_point":
        return isinstance(value, dict) and value.keys() == {"lat", "lon"}
    around, _, leaf = name.rpartition(".")
    if name in TYPES or around in OBJECTS:
        return bool(leaf.strip()) and not _holds_object(value)
    top, dot, _ = name.partition(".")
    if top in OBJECTS or top in TYPES:
        return any(around == known or around.startswith(f"{known}.") for known in _OPEN)
    return bool(dot or isinstance(value, dict)) and not top.startswith("_") and bool(top.strip())


def _holds_object(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(_holds_object(part) for part in value))


def _place_leaf(document: dict[str, Any], name: str, value: Any) -> bool:
    """Whether there is a way to the name, with nothing but objects on it, and nothing yet at its end."""
    *path, leaf = name.split(".")
    node = document
    for part in path:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            return False
    there = node.get(leaf)
    if name.startswith("related.") and isinstance(there, list) and isinstance(value, list):
        node[leaf] = [*there, *(part for part in value if part not in there)]
    elif isinstance(there, dict) and isinstance(value, dict) and there.keys().isdisjoint(value):
        there.update(value)
    elif leaf in node:
        return False
    else:
        node[leaf] = value
    return True
