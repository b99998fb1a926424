"""Lists what each of Zeek's logs means in ECS: kind, categories, types, transport and protocol.

https://docs.zeek.org/en/current/script-reference/log-files.html
"""

from topics.event import Event


def _event(categories: str, types: str, transport: str = "", protocol: str = "", kind: str = "event") -> Event:
    columns: Event = {"event_kind": kind}
    if categories:
        columns.update(event_category=categories.split(), event_type=types.split())
    if transport:
        columns["network_transport"] = transport
    if protocol:
        columns["network_protocol"] = protocol
    return columns


_CONNECTION = ("network", "connection protocol")
_DETAILED = ("network", "connection protocol info")
_LOGIN = ("authentication network", "start connection")
_OWN: Event = {"event_kind": "event"}

KINDS: dict[str, Event] = {
    "conn": _event("network", "connection"),
    "dns": _event(*_DETAILED, "", "dns"),
    "http": _event("network web", "connection protocol info", "tcp", "http"),
    "ssl": _event(*_CONNECTION, "tcp", "tls"),
    "quic": _event(*_CONNECTION, "udp", "quic"),
    "ssh": _event(*_CONNECTION, "tcp", "ssh"),
    "ftp": _event(*_DETAILED, "tcp", "ftp"),
    "smtp": _event(*_DETAILED, "tcp", "smtp"),
    "dhcp": _event(*_DETAILED, "udp", "dhcp"),
    "kerberos": _event(*_LOGIN, "tcp", "kerberos"),
    "ntlm": _event(*_LOGIN, "tcp", "ntlm"),
    "radius": _event(*_LOGIN, "udp", "radius"),
    "ldap": _event(*_CONNECTION, "tcp", "ldap"),
    "ldap_search": _event(*_CONNECTION, "tcp", "ldap"),
    "rdp": _event(*_DETAILED, "tcp", "rdp"),
    "rfb": _event(*_DETAILED, "tcp", "rfb"),
    "smb_files": _event("network file", "connection protocol info", "tcp", "smb"),
    "smb_mapping": _event(*_CONNECTION, "tcp", "smb"),
    "smb_cmd": _event(*_CONNECTION, "tcp", "smb"),
    "dce_rpc": _event(*_DETAILED, "tcp", "dce_rpc"),
    "snmp": _event(*_CONNECTION, "udp", "snmp"),
    "sip": _event(*_CONNECTION, "udp", "sip"),
    "socks": _event(*_CONNECTION, "tcp", "socks"),
    "irc": _event(*_DETAILED, "tcp", "irc"),
    "mysql": _event("network database", "connection protocol", "tcp", "mysql"),
    "postgresql": _event("network database", "connection protocol", "tcp", "postgresql"),
    "redis": _event("network database", "connection protocol", "tcp", "redis"),
    "modbus": _event(*_CONNECTION, "tcp", "modbus"),
    "dnp3": _event(*_CONNECTION, "tcp", "dnp3"),
    "ntp": _event(*_DETAILED, "udp", "ntp"),
    "syslog": _event(*_CONNECTION, "", "syslog"),
    "mqtt_connect": _event(*_CONNECTION, "tcp", "mqtt"),
    "mqtt_publish": _event(*_CONNECTION, "tcp", "mqtt"),
    "mqtt_subscribe": _event(*_CONNECTION, "tcp", "mqtt"),
    "websocket": _event(*_CONNECTION, "tcp", "websocket"),
    "tunnel": _event("network", "connection"),
    "traceroute": _event("network", "connection info"),
    "dpd": _event("network", "connection info"),
    "analyzer": _event("network", "connection info"),
    "ocsp": _event("network", "protocol", "tcp", "ocsp"),
    "files": _event("file", "info"),
    "pe": _event("file", "info"),
    "x509": _event("file", "info"),
    "notice": _event("intrusion_detection", "info", kind="alert"),
    "weird": _event("network", "info"),
    "signatures": _event("network", "info", kind="alert"),
    "intel": _event("threat", "indicator", kind="enrichment"),
    "known_hosts": _event("network host", "info"),
    "known_services": _event("network", "info"),
    "known_certs": _event("network file", "info"),
    "known_devices": _event("network host", "info"),
    "software": _event("network file", "info"),
    "capture_loss": _event("", "", kind="metric"),
    "stats": _event("", "", kind="metric"),
    "telemetry": _event("", "", kind="metric"),
    "netcontrol": _event("network", "info"),
    **dict.fromkeys(("reporter", "cluster", "broker", "loaded_scripts", "packet_filter", "config", "print"), _OWN),
}
"""The constant columns of each log."""

OTHER = _event("network", "info")
"""The columns of logs that are not listed: those of packages and local scripts."""

_SEEN = ["connection", "info"]
_STATES: dict[str, list[str]] = {
    "S0": ["connection", "start"],
    "S1": ["connection", "start"],
    "SF": ["connection", "start", "end"],
    "REJ": ["connection", "start", "denied"],
    **dict.fromkeys(("S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"), _SEEN),
}


def set_state(event: Event, state: str) -> None:
    """Set `event.type` by the state of a connection. No outcome is set: Zeek saw packets, not their purpose."""
    if state in _STATES:
        event["event_type"] = _STATES[state]
