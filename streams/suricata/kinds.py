"""Lists what each type of EVE record means in ECS: categories, types, protocol.

https://docs.suricata.io/en/latest/output/eve/eve-json-format.html
"""

from topics.event import Event

_NETWORK: Event = {"event_kind": "event", "event_category": ["network"]}
_SEEN: Event = {**_NETWORK, "event_type": ["info"]}
_PROTOCOL: Event = {**_NETWORK, "event_type": ["protocol"]}
_FLOW: Event = {**_NETWORK, "event_type": ["connection"]}
_WEB: Event = {
    "event_kind": "event",
    "event_category": ["network", "web"],
    "event_type": ["access", "protocol"],
    "network_protocol": "http",
}

OTHER = _SEEN
"""The columns of types that are not listed."""

_SPOKEN = {
    **{name: name for name in ("dns", "tls", "ssh", "smb", "ftp", "tftp", "smtp", "rdp", "rfb", "mqtt", "dhcp", "nfs")},
    **{name: name for name in ("snmp", "sip", "quic", "modbus", "dnp3", "enip", "telnet", "pgsql", "websocket")},
    **{name: name for name in ("ldap", "pop3", "mdns", "ike", "rpc")},
    "ftp_data": "ftp",
    "ikev2": "ike",
    "krb5": "kerberos",
    "dcerpc": "dce_rpc",
    "doh2": "doh",
    "bittorrent_dht": "bittorrent-dht",
}

KINDS: dict[str, Event] = {
    "alert": {
        "event_kind": "alert",
        "event_category": ["network", "intrusion_detection"],
        "event_type": ["info"],
    },
    "drop": {**_NETWORK, "event_type": ["denied"]},
    "flow": _FLOW,
    "netflow": _FLOW,
    "http": _WEB,
    "http2": _WEB,
    "stats": {**_SEEN, "event_kind": "metric"},
    "engine": {"event_kind": "event", "event_category": ["process"], "event_type": ["info"]},
    **{kind: {**_PROTOCOL, "network_protocol": name} for kind, name in _SPOKEN.items()},
    **dict.fromkeys(("anomaly", "fileinfo", "metadata", "packet", "arp", "frame"), _SEEN),
}
"""The constant columns of each `event_type`."""
KINDS = {kind: {**columns, "event_action": kind, "event_dataset": "suricata.eve"} for kind, columns in KINDS.items()}

STATES: dict[str, list[str]] = {
    "new": ["connection", "start"],
    "established": ["connection", "info"],
    "closed": ["connection", "end"],
}
"""`event.type` by the state of a flow."""

VERDICTS: dict[str, list[str]] = {"allowed": ["allowed"], "blocked": ["denied"], "denied": ["denied"]}
"""`event.type` by the action of an alert."""
