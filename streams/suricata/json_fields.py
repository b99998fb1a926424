"""Maps the fields of EVE records to columns and ECS fields.

https://docs.suricata.io/en/latest/output/eve/eve-json-format.html
"""

from typing import Any

from streams.common.text import extra, is_ip
from streams.mapping import converters
from streams.mapping.json_fields import Converter, FieldMap
from streams.suricata import dns
from topics.event import Event

_NO_PROTOCOL = frozenset({"", "failed", "unknown", "template", "template-rust"})
_PROTOCOLS = {"ftp-data": "ftp", "krb5": "kerberos", "dcerpc": "dce_rpc", "http1": "http", "http2": "http"}
_RULESETS = frozenset({"ET", "ETPRO", "GPL", "SURICATA", "PT", "SSLBL", "TGI", "DFIR"})


def _protocol(event: Event, value: Any) -> bool:
    if type(value) is not str:
        return False
    name = value.lower()
    if name not in _NO_PROTOCOL:
        event["network_protocol"] = _PROTOCOLS.get(name, name)
    return name not in _NO_PROTOCOL


def _signature(event: Event, value: Any) -> bool:
    if type(value) is not str or not value:
        return False
    event["rule_name"] = event["message"] = value
    ruleset = value.partition(" ")[0]
    if ruleset in _RULESETS:
        extra(event)["rule.ruleset"] = ruleset
    return True


def _http_version(event: Event, value: Any) -> bool:
    if type(value) is not str or not value.startswith("HTTP/") or len(value) > 16 or len(value) == 5:
        return False
    event["http_version"] = value[5:]
    return True


def _forwarded(event: Event, value: Any) -> bool:
    if type(value) is not str or not is_ip(value):
        return False
    extra(event)["network.forwarded_ip"] = value
    converters.relate(event, "ip", [value])
    return True


def _vlans(event: Event, value: Any) -> bool:
    """Sets the outer VLAN tag, and the one within it."""
    if type(value) is not list or not 0 < len(value) < 3 or not all(type(tag) is int for tag in value):
        return False
    extra(event).update(zip(("network.vlan.id", "network.inner.vlan.id"), map(str, value), strict=False))
    return True


def _succeeded(event: Event, value: Any) -> bool:
    """Sets the outcome by the status of SMB, which is kept as well."""
    if type(value) is str and value:
        pending = value in ("STATUS_MORE_PROCESSING_REQUIRED", "STATUS_PENDING")
        event["event_outcome"] = "success" if value == "STATUS_SUCCESS" else "unknown" if pending else "failure"
    return False


def _principal(event: Event, value: Any) -> bool:
    """Sets a Kerberos principal; Suricata writes `<empty>` where the message has none."""
    if type(value) is not str or value in ("", "<empty>"):
        return False
    event["user_name"] = value
    return True


def _kerberos(event: Event, value: Any) -> bool:
    """Sets what the type of a Kerberos message means; it is kept as well."""
    if type(value) is str and value.endswith(("_REP", "_ERROR")):
        event["event_outcome"] = "failure" if value == "KRB_ERROR" else "success"
    return False


def _certificate(end: str, path: str) -> dict[str, str | Converter]:
    return {
        f"{path}.subject": converters.distinguished(end, "subject"),
        f"{path}.issuerdn": converters.distinguished(end, "issuer"),
        f"{path}.serial": _serial(f"tls.{end}.x509.serial_number"),
        f"{path}.fingerprint": converters.hashed(f"tls.{end}.hash.sha1", upper=True),
        f"{path}.notbefore": converters.date(f"tls.{end}.not_before", f"tls.{end}.x509.not_before"),
        f"{path}.notafter": converters.date(f"tls.{end}.not_after", f"tls.{end}.x509.not_after"),
        f"{path}.subjectaltname": converters.texts(f"tls.{end}.x509.alternative_names"),
        f"{path}.certificate": f"tls.{end}.certificate",
        f"{path}.chain": converters.texts(f"tls.{end}.certificate_chain"),
    }


def _serial(name: str) -> Converter:
    def set_value(event: Event, value: Any) -> bool:
        found = value.replace(":", "") if type(value) is str else ""
        if found:
            extra(event)[name] = found
        return bool(found)

    return set_value


_COMMON: dict[str, str | Converter] = {
    "timestamp": "timestamp",
    "host": "host_hostname",
    "src_ip": "source_ip",
    "src_port": "source_port",
    "dest_ip": "destination_ip",
    "dest_port": "destination_port",
    "proto": converters.transport,
    "app_proto": _protocol,
    "in_iface": "observer_ingress_interface_name",
    "community_id": "network.community_id",
    "vlan": _vlans,
    "ether.src_mac": converters.hardware("source"),
    "ether.dest_mac": converters.hardware("destination"),
    "xff": _forwarded,
    "log_level": "log.level",
    "engine.message": "message",
}
_ALERT: dict[str, str | Converter] = {
    "alert.signature_id": "rule.id",
    "alert.rev": "rule.version",
    "alert.signature": _signature,
    "alert.category": "rule.category",
    "alert.severity": converters.whole("event.severity"),
    "alert.metadata.mitre_tactic_id": "threat.tactic.id",
    "alert.metadata.mitre_tactic_name": "threat.tactic.name",
    "alert.metadata.mitre_technique_id": "threat.technique.id",
    "alert.metadata.mitre_technique_name": "threat.technique.name",
    "flow.pkts_toserver": converters.whole("source.packets"),
    "flow.pkts_toclient": converters.whole("destination.packets"),
    "flow.bytes_toserver": "source_bytes",
    "flow.bytes_toclient": "destination_bytes",
    "flow.start": converters.date("event.start"),
    "flow.end": converters.date("event.end"),
    "netflow.pkts": converters.whole("source.packets"),
    "netflow.bytes": "source_bytes",
    "netflow.start": converters.date("event.start"),
    "netflow.end": converters.date("event.end"),
}
_HTTP: dict[str, str | Converter] = {
    "http.hostname": converters.domain("url.domain", "destination.domain"),
    "http.http_port": converters.whole("url.port"),
    "http.url": converters.target,
    "http.http_user_agent": "user_agent_original",
    "http.http_content_type": "http.response.mime_type",
    "http.http_refer": "http_request_referrer",
    "http.http_method": "http_request_method",
    "http.protocol": _http_version,
    "http.status": "http_response_status_code",
    "http.length": "http_response_body_bytes",
    "http.xff": _forwarded,
}
_DNS: dict[str, str | Converter] = {
    "dns.type": dns.kind,
    "dns.id": "dns.id",
    "dns.rrname": "dns_question_name",
    "dns.rrtype": "dns_question_type",
    "dns.rcode": "dns_response_code",
    "dns.opcode": "dns.op_code",
    "dns.queries": dns.questions,
    "dns.query": dns.questions,
    "dns.answers": dns.answers,
}
_TLS: dict[str, str | Converter] = {
    **_certificate("server", "tls"),
    **_certificate("client", "tls.client"),
    "tls.sni": converters.domain("tls.client.server_name", "destination.domain"),
    "tls.version": converters.version,
    "tls.session_resumed": converters.truth("tls.resumed"),
    "tls.ja3.hash": "tls.client.ja3",
    "tls.ja3s.hash": "tls.server.ja3s",
    "quic.sni": converters.domain("tls.client.server_name", "destination.domain"),
    "quic.ja3.hash": "tls.client.ja3",
    "quic.ja3s.hash": "tls.server.ja3s",
}
_FILES: dict[str, str | Converter] = {
    "fileinfo.filename": "file.path",
    "fileinfo.size": converters.whole("file.size"),
    "fileinfo.mimetype": "file.mime_type",
    "fileinfo.md5": converters.hashed("file.hash.md5"),
    "fileinfo.sha1": converters.hashed("file.hash.sha1"),
    "fileinfo.sha256": converters.hashed("file.hash.sha256"),
    "smb.filename": "file.path",
    "nfs.filename": "file.path",
    "tftp.file": "file.path",
    "ftp_data.filename": "file.path",
}
_OTHERS: dict[str, str | Converter] = {
    "smtp.mail_from": converters.mail("email.from.address"),
    "smtp.rcpt_to": converters.mail("email.to.address"),
    "email.subject": "email.subject",
    "email.message_id": "email.message_id",
    "smb.status": _succeeded,
    "smb.ntlmssp.user": "user_name",
    "smb.ntlmssp.domain": "user.domain",
    "krb5.cname": _principal,
    "krb5.realm": "user.domain",
    "krb5.msg_type": _kerberos,
    "mqtt.connect.username": "user_name",
    "pgsql.request.startup_parameters.user": "user_name",
    "sip.uri": "url.full",
    "dhcp.client_mac": converters.hardware("source"),
    "dhcp.hostname": converters.related("hosts"),
    "dhcp.assigned_ip": converters.related("ip"),
}

FIELD_MAP = FieldMap("suricata.eve", {**_COMMON, **_ALERT, **_HTTP, **_DNS, **_TLS, **_FILES, **_OTHERS})
"""The table of EVE records. Other fields are kept in `suricata.eve`."""
