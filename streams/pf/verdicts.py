"""Maps pf's words for verdict and direction to columns. https://man.openbsd.org/pf.conf"""

from topics.event import Event

_PACKET: Event = {"event_category": ["network"]}
_ALLOWED: Event = {**_PACKET, "event_type": ["connection", "allowed"]}
_DENIED: Event = {**_PACKET, "event_type": ["connection", "denied"]}
_OTHER: Event = {**_PACKET, "event_type": ["connection"]}

ACTIONS: dict[str, Event] = {
    **{word: {**_ALLOWED, "event_action": word} for word in ("pass", "rdr", "nat", "binat")},
    **{word: {**_DENIED, "event_action": word} for word in ("block", "reject", "drop")},
    **{word: {**_OTHER, "event_action": word} for word in ("scrub", "match", "unkn", "nonat", "nordr")},
}
DIRECTIONS = {"in": "inbound", "out": "outbound"}
INTERFACES = {"in": "observer_ingress_interface_name", "out": "observer_egress_interface_name"}
