"""Recognises which log a record is of: by `_path`, by the key it stands under, or by keys that only one log has."""

from typing import Any

from streams.zeek.kinds import KINDS

_TOLD = {
    "conn": "conn_state missed_bytes orig_pkts tunnel_parents",
    "dhcp": "msg_types assigned_addr assigned_ip lease_time client_fqdn dhcp_circuit_id",
    "dns": "qtype_name qclass_name rcode_name qtype rcode",
    "http": "request_body_len response_body_len status_msg resp_mime_types orig_mime_types",
    "smtp": "mailfrom rcptto helo last_reply first_received",
    "quic": "client_initial_dcid client_protocol",
    "ssl": "established resumed cert_chain_fuids cert_chain_fps ssl_history",
    "ssh": "auth_attempts auth_success hassh kex_alg host_key_alg cipher_alg",
    "notice": "note suppress_for",
    "files": "tx_hosts rx_hosts seen_bytes missing_bytes overflow_bytes timedout conn_uids",
    "kerberos": "request_type till forwardable renewable",
    "ntlm": "server_nb_computer_name server_dns_computer_name server_tree_name domainname",
    "rdp": "cookie security_protocol client_build client_dig_product_id keyboard_layout desktop_width",
    "radius": "framed_addr tunnel_client connect_info",
    "smb_files": "prev_name",
    "smb_mapping": "share_type native_file_system",
    "smb_cmd": "sub_command tree_service",
    "dce_rpc": "named_pipe endpoint operation",
    "snmp": "get_requests get_bulk_requests get_responses set_requests up_since",
    "sip": "call_id request_path response_path seq",
    "tunnel": "tunnel_type",
    "intel": "seen matched",
    "x509": "certificate",
    "ntp": "stratum ref_id ref_time xmt_time root_disp",
    "syslog": "facility",
    "socks": "request_p bound_p",
    "irc": "nick dcc_file_name",
    "modbus": "func",
    "dnp3": "fc_request fc_reply iin",
    "signatures": "sig_id",
    "rfb": "client_major_version authentication_method server_major_version desktop_name",
    "dpd": "failure_reason",
    "ldap": "diagnostic_message opcode",
    "ldap_search": "base_object deref_aliases result_count",
    "mqtt_connect": "proto_name connect_status",
}
_BY_KEY = {key: log for log, keys in _TOLD.items() for key in keys.split()}
"""Keys that, in a record of one connection, only one log has."""
_TOGETHER = tuple(
    (frozenset(keys.split()), log)
    for keys, log in (
        ("trans_id query", "dns"),
        ("method uri", "http"),
        ("trans_depth host", "http"),
        ("action name", "smb_files"),
        ("path service", "smb_mapping"),
        ("cmd arg", "mysql"),
        ("command argument", "smb_cmd"),
        ("command arg", "ftp"),
        ("command reply_code", "ftp"),
        ("command user", "irc"),
        ("username result", "radius"),
        ("username success", "ntlm"),
        ("username hostname", "ntlm"),
        ("version cipher", "ssl"),
        ("version client server", "ssh"),
        ("name notice peer", "weird"),
        ("bound request", "socks"),
        ("duration version community", "snmp"),
    )
)
_ALONE = tuple(
    (frozenset(keys.split()), log)
    for keys, log in (
        ("note actions", "notice"),
        ("note suppress_for", "notice"),
        ("fuid source", "files"),
        ("msg_types uids", "dhcp"),
        ("uids mac", "dhcp"),
        ("certificate fingerprint", "x509"),
        ("certificate id", "x509"),
        ("host software_type", "software"),
        ("host port_num port_proto", "known_services"),
        ("host port_num subject", "known_certs"),
        ("percent_lost gaps", "capture_loss"),
        ("peer pkts_proc", "stats"),
        ("sig_id src_addr", "signatures"),
        ("id is_exe", "pe"),
        ("id hashAlgorithm", "ocsp"),
        ("seen sources", "intel"),
        ("name notice peer", "weird"),
        ("level message location", "reporter"),
    )
)
"""Keys that, together, identify logs that are not about one connection."""
_WHOLE = {
    frozenset({"ts", "host"}): "known_hosts",
    frozenset({"ts", "src", "dst", "proto"}): "traceroute",
}
_FORMS = {"connection": "conn", "signature": "signatures", "service": "known_services"}
"""Other names of logs that shippers use as keys."""
_KNOWN = KINDS.keys() | _FORMS.keys()


def unwrapped(record: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The log and its record of `{"conn": {...}}` or `{"zeek": {"conn": {...}}}`, None for another."""
    name, inner = next(iter(record.items())) if len(record) == 1 else ("", None)
    if name == "zeek" and type(inner) is dict and len(inner) == 1:
        name, inner = next(iter(inner.items()))
    if name not in _KNOWN or type(inner) is not dict or "ts" not in inner:
        return None
    return _FORMS.get(name, name), inner


def nested(record: dict[str, Any]) -> dict[str, Any]:
    """A copy of the record in which names such as `id.orig_h` are nested objects, as in Zeek itself."""
    found = {name: value for name, value in record.items() if "." not in name}
    for name, value in record.items():
        first, dot, more = name.partition(".")
        if dot:
            if type(node := found.setdefault(first, {})) is dict:
                node[more] = value
            else:
                found[name] = value
    return found


def log_of(record: dict[str, Any]) -> str | None:
    """The log of a nested record with a `ts`; None when it is not recognised."""
    path = record.get("_path")
    if type(path) is str and path in _KNOWN:
        return _FORMS.get(path, path)
    ends = record.get("id")
    if type(ends) is dict and "orig_h" in ends:
        return _of_connection(record) or "other"
    found = _WHOLE.get(frozenset(record)) if len(record) < 5 else None
    return found or _together(record, _ALONE) or ("other" if type(path) is str and "_write_ts" in record else None)


def _of_connection(record: dict[str, Any]) -> str | None:
    for key in record:
        if log := _BY_KEY.get(key):
            return log
    return _together(record, _TOGETHER) or _together(record, _ALONE)


def _together(record: dict[str, Any], sets: tuple[tuple[frozenset[str], str], ...]) -> str | None:
    names = record.keys()
    return next((log for keys, log in sets if keys <= names), None)
