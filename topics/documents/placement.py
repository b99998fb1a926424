"""Places values at their dotted names in a document, so that Elasticsearch takes the document whatever the values are.

Elasticsearch fixes the type of a name when it first sees it. A name that has held a value cannot hold an object later,
nor the other way round: it would refuse the event. So a name of `topics.documents.ecs_types` takes only what fits its
type. An unknown name directly below an object of ECS takes only values. A name below an object of a stream's own takes
anything, since all of that object is one field. What fits nowhere is kept in `ogrewatch.unplaced`, by its dotted name.
"""

from typing import Any

from topics.documents.ecs_types import OBJECTS, TYPES

_OPEN = frozenset(name for name, kind in TYPES.items() if kind == "flattened")


def place(document: dict[str, Any], name: str, value: Any) -> None:
    """Put a value at its name. A value that is there stays; objects are merged, and lists of `related` are joined."""
    if name in OBJECTS and isinstance(value, dict):
        for inner, part in value.items():
            place(document, f"{name}.{inner}", part)
    elif not (_fits(name, value) and _place_leaf(document, name, value)):
        unplaced = document.setdefault("ogrewatch", {}).setdefault("unplaced", {})
        unplaced[name] = value


def _fits(name: str, value: Any) -> bool:
    """Whether a value fits a name, whatever values other events have there."""
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
    """Put a value at its name, and say whether that was possible: only objects may be above it, and nothing at it."""
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
