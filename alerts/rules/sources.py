"""Translates Sigma's log sources and field names: which events a rule may look at, and what its fields are in ECS.

A log source is a set of types of events and of datasets. Field names of Sigma's taxonomies are translated per log
source; names that are ECS already, or begin with what is no field of ECS, such as a stream's name, stand for
themselves. What we do not know is refused by name: a rule that never matches is worse than one that is refused.
https://sigmahq.io/sigma-specification/specification/sigma-appendix-taxonomy.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from alerts.rules.errors import RuleError
from topics.documents.ecs_types import TYPES as ECS_TYPES
from topics.fields import FIELDS, TYPES

LINE = "event.original"
"""The field that keywords are looked for in: the line as it was received."""

ALL_TYPES = frozenset(TYPES)
_ECS = frozenset(found.ecs for found in FIELDS.values()) | frozenset(ECS_TYPES)
_ROOTS = frozenset(name.partition(".")[0] for name in _ECS)
_NEAR = 0.85
"""How alike a name must be to one of ECS to be taken for a mistake."""


@dataclass(frozen=True, slots=True)
class LogSource:
    """Events of these `types` whose dataset begins with one of `datasets` (any if empty) and with none of `others`."""

    name: str
    types: frozenset[str] = ALL_TYPES
    datasets: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)

    def has(self, dataset: str) -> bool:
        """Whether events of a dataset belong to it."""
        return dataset.startswith(self.datasets or "") and not (self.others and dataset.startswith(self.others))

    def field(self, name: str) -> str:
        """The ECS name of a rule's field. Raises `RuleError`, with the nearest name that is known."""
        if name in self.fields:
            return self.fields[name]
        if name in _ECS or _is_own(name):
            return name
        near = get_close_matches(name, [*self.fields, *_ECS], 1)
        raise RuleError(f"log source {self.name} has no field {name}" + (f"; is {near[0]} meant?" if near else ""))


def _is_own(name: str) -> bool:
    """Whether a name is one of a stream's own (`sudo.reason`), or below an object that ECS leaves open (`labels.x`)."""
    root, dot, _ = name.partition(".")
    if not dot or root in ("log", "labels", "ogrewatch"):
        return bool(dot)
    return root not in _ROOTS and not get_close_matches(name, _ECS, 1, _NEAR)


_PROCESS = {
    "Image": "process.executable", "CommandLine": "process.command_line", "ProcessId": "process.pid",
    "CurrentDirectory": "process.working_directory", "User": "user.name", "LogonId": "auditd.ses",
    "ParentImage": "process.parent.executable", "ParentCommandLine": "process.parent.command_line",
    "LogonGuid": "process.session_leader.entity_id",
}  # fmt: skip
_AUDITD = {
    "type": "auditd.record_type", "exe": "process.executable", "comm": "process.name", "key": "auditd.key",
    "SYSCALL": "auditd.syscall_name", "syscall": "auditd.syscall_name", "proctitle": "process.command_line",
    "cwd": "process.working_directory",
    **{name: f"auditd.{name}" for name in ("name", "nametype", "euid", "unit", "uid", "auid", "success", "path")},
    **{f"a{number}": f"auditd.a{number}" for number in range(12)},
}  # fmt: skip
_WEB = {
    "c-useragent": "user_agent.original", "cs-user-agent": "user_agent.original", "c-uri": "url.original",
    "cs-uri": "url.original", "cs-uri-query": "url.original", "cs-uri-stem": "url.path", "c-uri-query": "url.query",
    "cs-host": "url.domain", "r-dns": "url.domain", "cs-method": "http.request.method", "c-ip": "source.ip",
    "sc-status": "http.response.status_code", "cs-referer": "http.request.referrer", "src_ip": "source.ip",
    "c-uri-extension": "url.extension", "dst_ip": "destination.ip", "cs-cookie": "http.request.cookies",
    "cs-uri-port": "destination.port", "cs-username": "user.name",
}  # fmt: skip
_DNS = {
    "query": "dns.question.name", "QueryName": "dns.question.name", "record_type": "dns.question.type",
    "qtype_name": "dns.question.type", "answer": "dns.answers", "answers": "dns.answers",
    "id.resp_p": "destination.port", "Z": "zeek.dns.Z", "rejected": "zeek.dns.rejected",
}  # fmt: skip
_ZEEK = {
    **_DNS, "c-uri": "url.original", "uri": "url.original", "host": "url.domain", "user_agent": "user_agent.original",
    "c-useragent": "user_agent.original", "method": "http.request.method", "id.orig_h": "source.ip",
    "id.resp_h": "destination.ip", "resp_mime_types": "http.response.mime_type", "name": "file.name",
    "path": "file.path", "certificate.serial": "file.x509.serial_number", "cipher": "tls.cipher",
    "operation": "zeek.dce_rpc.operation", "endpoint": "zeek.dce_rpc.endpoint", "service": "zeek.kerberos.service",
    "request_type": "zeek.kerberos.request_type",
}  # fmt: skip
_CLOUDTRAIL = {
    "eventName": "event.action", "eventSource": "event.provider", "errorCode": "error.code",
    "errorMessage": "error.message", "userAgent": "user_agent.original", "sourceIPAddress": "source.ip",
    "awsRegion": "cloud.region", "eventType": "aws.cloudtrail.event_type",
}  # fmt: skip
_CLOUDTRAIL_OBJECTS = ("userIdentity", "requestParameters", "responseElements", "additionalEventData", "status")
_FILE = {"TargetFilename": "file.path", "Image": "process.executable", "User": "user.name"}
_FLOW = {
    "DestinationHostname": "destination.domain", "DestinationIp": "destination.ip", "SourceIp": "source.ip",
    "DestinationPort": "destination.port", "Image": "process.executable", "Initiated": "network.direction",
    "dst_port": "destination.port", "src_ip": "source.ip", "dst_ip": "destination.ip", "action": "event.action",
    "blocked": "event.outcome",
}  # fmt: skip
_NO_HOSTS = ("squid", "nginx", "apache", "cisco", "zeek", "suricata", "aws.")
"""Datasets that are no log of a Linux host."""


@dataclass(frozen=True, slots=True)
class _CloudTrail(LogSource):
    def field(self, name: str) -> str:
        """As others; members of a record's objects keep their names, below the dataset's."""
        if name not in self.fields and name.partition(".")[0] in _CLOUDTRAIL_OBJECTS:
            return f"aws.cloudtrail.{name}"
        return LogSource.field(self, name)


def _types(*names: str) -> frozenset[str]:
    return frozenset(names)


_KNOWN: dict[tuple[str, str, str], LogSource] = {
    ("linux", "process_creation", ""): LogSource("linux/process_creation", _types("process"), (), _NO_HOSTS, _PROCESS),
    ("linux", "", "auditd"): LogSource("linux/auditd", ALL_TYPES, ("auditd",), (), _AUDITD),
    ("linux", "file_event", ""): LogSource("linux/file_event", _types("audit"), ("auditd",), (), _FILE),
    ("linux", "network_connection", ""): LogSource(
        "linux/network_connection", _types("network"), ("auditd", "zeek", "suricata"), (), _FLOW
    ),
    ("linux", "", ""): LogSource("linux", ALL_TYPES, (), _NO_HOSTS),
    ("", "proxy", ""): LogSource("proxy", _types("web"), ("squid", "zeek.http", "suricata"), (), _WEB),
    ("", "webserver", ""): LogSource("webserver", _types("web"), ("apache", "nginx", "haproxy"), (), _WEB),
    ("", "", "apache"): LogSource("apache", ALL_TYPES, ("apache",), (), _WEB),
    ("", "", "nginx"): LogSource("nginx", ALL_TYPES, ("nginx",), (), _WEB),
    ("", "dns", ""): LogSource(
        "dns", _types("network"), ("bind", "dnsmasq", "unbound", "zeek.dns", "suricata"), (), _DNS
    ),
    ("", "firewall", ""): LogSource("firewall", _types("network"), ("netfilter", "pf", "cisco"), (), _FLOW),
    ("aws", "", "cloudtrail"): _CloudTrail("aws/cloudtrail", ALL_TYPES, ("aws.cloudtrail",), (), _CLOUDTRAIL),
    ("sql", "application", ""): LogSource("sql/application", ALL_TYPES, ("mysql", "postgresql")),
    ("", "database", ""): LogSource("database", ALL_TYPES, ("mysql", "postgresql")),
}
_LINUX_ANY = ("syslog", "clamav", "guacamole")
"""Services of Linux whose rules are keywords, for any line."""
_LINUX_DATASETS = {"sshd": ("sshd",), "sudo": ("sudo",), "cron": ("cron",), "vsftpd": ("vsftpd",),
                   "auth": ("sshd", "sudo", "su", "pam", "login", "shadow")}  # fmt: skip


def source_of(product: str | None, category: str | None, service: str | None) -> LogSource:
    """Our log source for a rule's. Raises `RuleError` when no stream of ours is one.

    `product: ogrewatch` is ours: `category` is then a type of events (authentication, network, ...), `service` the
    beginning of a dataset's name.
    """
    key = product or "", category or "", service or ""
    if key in _KNOWN:
        return _KNOWN[key]
    if key[0] == "ogrewatch":
        return _own(key[1], key[2])
    if key[0] == "zeek":
        return LogSource(f"zeek/{key[2]}", ALL_TYPES, ("zeek",), (), _ZEEK)
    if key[0] == "cisco" and key[2] != "duo":
        return LogSource(f"cisco/{key[2]}", ALL_TYPES, ("cisco",))
    if key[:2] == ("linux", "") and (key[2] in _LINUX_ANY or key[2] in _LINUX_DATASETS):
        return LogSource(f"linux/{key[2]}", ALL_TYPES, _LINUX_DATASETS.get(key[2], ()), _NO_HOSTS)
    raise RuleError(f"no stream of ours is log source {'/'.join(part for part in key if part) or '(none)'}")


def _own(category: str, service: str) -> LogSource:
    if category and category not in ALL_TYPES:
        raise RuleError(f"category {category} of product ogrewatch is none of {', '.join(sorted(ALL_TYPES))}")
    types = _types(category) if category else ALL_TYPES
    return LogSource(f"ogrewatch/{category}/{service}", types, (service,) if service else ())
