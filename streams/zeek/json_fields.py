"""Maps the fields of the records of Zeek's logs to columns and ECS fields.

https://docs.zeek.org/en/current/script-reference/log-files.html
"""

from streams.mapping import converters
from streams.mapping.json_fields import Converter, FieldMap
from streams.zeek import converters as zeek
from streams.zeek.kinds import KINDS

_Table = dict[str, str | Converter]

_COMMON: _Table = {
    "ts": "timestamp",
    "uid": "event.id",
    "id.orig_h": "source_ip",
    "id.orig_p": "source_port",
    "id.resp_h": "destination_ip",
    "id.resp_p": "destination_port",
    "community_id": "network.community_id",
    "_system_name": "host_hostname",
}
_SSL: _Table = {
    "version": converters.version,
    "cipher": "tls.cipher",
    "curve": "tls.curve",
    "server_name": converters.domain("tls.client.server_name", "destination.domain"),
    "resumed": converters.truth("tls.resumed"),
    "established": converters.truth("tls.established"),
    "next_protocol": "tls.next_protocol",
    "subject": converters.distinguished("server", "subject"),
    "issuer": converters.distinguished("server", "issuer"),
    "client_subject": converters.distinguished("client", "subject"),
    "client_issuer": converters.distinguished("client", "issuer"),
    "not_valid_before": converters.date("tls.server.not_before", "tls.server.x509.not_before"),
    "not_valid_after": converters.date("tls.server.not_after", "tls.server.x509.not_after"),
    "resp_certificate_sha1": converters.hashed("tls.server.hash.sha1", upper=True),
    "ja3": converters.hashed("tls.client.ja3"),
    "ja3s": converters.hashed("tls.server.ja3s"),
}
_X509: _Table = {
    "certificate.version": "file.x509.version_number",
    "certificate.serial": "file.x509.serial_number",
    "certificate.subject": "file.x509.subject.distinguished_name",
    "certificate.issuer": "file.x509.issuer.distinguished_name",
    "certificate.not_valid_before": converters.date("file.x509.not_before"),
    "certificate.not_valid_after": converters.date("file.x509.not_after"),
    "certificate.key_alg": "file.x509.public_key_algorithm",
    "certificate.sig_alg": "file.x509.signature_algorithm",
    "certificate.key_length": converters.whole("file.x509.public_key_size"),
    "certificate.exponent": converters.whole("file.x509.public_key_exponent"),
    "certificate.curve": "file.x509.public_key_curve",
    "san.dns": converters.texts("file.x509.alternative_names"),
    "fingerprint": converters.hashed("file.hash.sha256"),
}
_FILES: _Table = {
    "filename": "file.name",
    "mime_type": "file.mime_type",
    "total_bytes": converters.whole("file.size"),
    "duration": converters.duration,
    "md5": converters.hashed("file.hash.md5"),
    "sha1": converters.hashed("file.hash.sha1"),
    "sha256": converters.hashed("file.hash.sha256"),
    "tx_hosts": zeek.first_address("server.ip"),
    "rx_hosts": zeek.first_address("client.ip"),
    "conn_uids": zeek.first_id,
}
_SMB_FILES: _Table = {
    "action": "event_action",
    "name": "file.name",
    "size": converters.whole("file.size"),
    "times.accessed": converters.date("file.accessed"),
    "times.changed": converters.date("file.ctime"),
    "times.created": converters.date("file.created"),
    "times.modified": converters.date("file.mtime"),
}
_HTTP: _Table = {
    "method": "http_request_method",
    "host": converters.domain("url.domain"),
    "uri": converters.target,
    "referrer": "http_request_referrer",
    "version": "http_version",
    "user_agent": "user_agent_original",
    "request_body_len": converters.whole("http.request.body.bytes"),
    "response_body_len": "http_response_body_bytes",
    "status_code": "http_response_status_code",
    "username": "user_name",
}
_DNS: _Table = {
    "proto": zeek.transport,
    "trans_id": "dns.id",
    "rtt": converters.duration,
    "query": "dns_question_name",
    "qclass_name": zeek.dns_class,
    "qtype_name": "dns_question_type",
    "rcode_name": "dns_response_code",
}
_CONN: _Table = {
    "proto": zeek.transport,
    "service": zeek.service,
    "duration": converters.duration,
    "orig_ip_bytes": "source_bytes",
    "resp_ip_bytes": "destination_bytes",
    "orig_pkts": converters.whole("source.packets"),
    "resp_pkts": converters.whole("destination.packets"),
    "orig_l2_addr": converters.hardware("source"),
    "resp_l2_addr": converters.hardware("destination"),
    "vlan": "network.vlan.id",
    "inner_vlan": "network.inner.vlan.id",
}
_SMTP: _Table = {
    "mailfrom": converters.mail("email.from.address"),
    "rcptto": converters.mail("email.to.address"),
    "cc": converters.mail("email.cc.address"),
    "reply_to": converters.mail("email.reply_to.address"),
    "msg_id": "email.message_id",
    "subject": "email.subject",
    "user_agent": "email.x_mailer",
    "last_reply": zeek.reply,
    "tls": converters.truth("tls.established"),
    "x_originating_ip": converters.related("ip"),
}
_DHCP: _Table = {
    "client_addr": "source_ip",
    "server_addr": "destination_ip",
    "client_port": "source_port",
    "server_port": "destination_port",
    "mac": converters.hardware("source"),
    "host_name": converters.related("hosts"),
    "client_fqdn": converters.related("hosts"),
    "assigned_addr": converters.related("ip"),
    "assigned_ip": converters.related("ip"),
    "domain": "network.name",
    "msg_types": zeek.types,
    "uids": zeek.first_id,
}
_NOTICE: _Table = {
    "note": "rule_name",
    "msg": zeek.sentence("rule.description"),
    "proto": zeek.transport,
    "file_mime_type": "file.mime_type",
}
_SIGNATURES: _Table = {
    "src_addr": "source_ip",
    "src_port": "source_port",
    "dst_addr": "destination_ip",
    "dst_port": "destination_port",
    "note": "rule_name",
    "sig_id": "rule.id",
    "event_msg": zeek.sentence("rule.description"),
}
_SUBJECT: _Table = {"host": zeek.host()}
_SERVER: _Table = {"host": zeek.host("server.ip"), "port_num": converters.whole("server.port")}

_TABLES: dict[str, _Table] = {
    "conn": _CONN,
    "dns": _DNS,
    "http": _HTTP,
    "ssl": _SSL,
    "quic": {"server_name": converters.domain("tls.client.server_name", "destination.domain")},
    "x509": _X509,
    "ssh": {"auth_success": converters.outcome, "direction": zeek.direction},
    "notice": _NOTICE,
    "signatures": _SIGNATURES,
    "weird": {"name": zeek.sentence("rule_name")},
    "files": _FILES,
    "ftp": {
        "user": "user_name",
        "command": "event_action",
        "mime_type": "file.mime_type",
        "file_size": converters.whole("file.size"),
        "reply_code": zeek.reply,
    },
    "smtp": _SMTP,
    "dhcp": _DHCP,
    "kerberos": {"request_type": "event_action", "client": zeek.principal, "success": converters.outcome},
    "ntlm": {
        "username": "user_name",
        "hostname": converters.related("hosts"),
        "domainname": "user.domain",
        "success": converters.outcome,
    },
    "radius": {"username": "user_name", "framed_addr": converters.related("ip"), "result": zeek.status("success")},
    "ldap": {"proto": zeek.transport, "opcode": "event_action", "object": zeek.dn},
    "ldap_search": {"proto": zeek.transport, "result": zeek.status("success")},
    "rdp": {"client_name": converters.related("hosts"), "ssl": converters.truth("tls.established")},
    "rfb": {"auth": converters.outcome},
    "smb_files": _SMB_FILES,
    "smb_cmd": {
        "command": "event_action",
        "username": "user_name",
        "rtt": converters.duration,
        "status": zeek.status("SUCCESS"),
    },
    "dce_rpc": {"rtt": converters.duration, "operation": "event_action"},
    "snmp": {"duration": converters.duration},
    "sip": {"method": "event_action", "uri": "url.full", "user_agent": "user_agent_original"},
    "tunnel": {"action": "event_action"},
    "socks": {"user": "user_name", "status": zeek.status("succeeded")},
    "irc": {"user": "user_name", "command": "event_action"},
    "mysql": {"cmd": "event_action", "success": converters.outcome},
    "postgresql": {"user": "user_name", "success": converters.outcome, "frontend": "event_action"},
    "modbus": {"func": "event_action"},
    "dnp3": {"fc_request": "event_action"},
    "syslog": {
        "proto": zeek.transport,
        "facility": "log.syslog.facility.name",
        "severity": "log.syslog.severity.name",
        "message": "message",
    },
    "traceroute": {"src": "source_ip", "dst": "destination_ip", "proto": zeek.transport},
    "dpd": {"proto": zeek.transport, "failure_reason": "event.reason"},
    "analyzer": {"proto": zeek.transport, "failure_reason": "event.reason"},
    "intel": {"seen.node": "observer.name"},
    "known_hosts": _SUBJECT,
    "known_services": {**_SERVER, "port_proto": zeek.transport, "service": zeek.service},
    "known_certs": {
        **_SERVER,
        "subject": converters.distinguished("server", "subject"),
        "issuer_subject": converters.distinguished("server", "issuer"),
        "serial": "tls.server.x509.serial_number",
    },
    "known_devices": {"mac": converters.hardware("source"), "dhcp_host_name": converters.related("hosts")},
    "software": _SUBJECT,
    "reporter": {"level": "log.level", "message": "message"},
    "mqtt_connect": {"connect_status": zeek.status("Connection Accepted")},
}

FIELD_MAPS = {log: FieldMap("zeek." + log, {**_COMMON, **_TABLES.get(log, {})}) for log in (*KINDS, "other")}
"""The table of each log. Other fields are kept in `zeek.<log>`."""
