"""Lists the fields of ECS 8.17 that records from outside and our parsers set.

https://www.elastic.co/docs/reference/ecs/ecs-field-reference
"""

from collections.abc import Iterator
from typing import Any

_HASH = "hash.md5 hash.sha1 hash.sha256 hash.sha384 hash.sha512 hash.ssdeep hash.tlsh"
_SIGNATURE = (
    "code_signature.digest_algorithm code_signature.exists code_signature.signing_id code_signature.status "
    "code_signature.subject_name code_signature.team_id code_signature.timestamp code_signature.trusted "
    "code_signature.valid"
)
_GEO = (
    "city_name continent_code continent_name country_iso_code country_name location location.lat location.lon name "
    "postal_code region_iso_code region_name timezone"
)
_OS = "os.family os.full os.kernel os.name os.platform os.type os.version"
_USER = "domain email full_name group.domain group.id group.name hash id name roles"
_NAME = "common_name country distinguished_name locality organization organizational_unit state_or_province"
_RISK = "risk.calculated_level risk.calculated_score risk.calculated_score_norm risk.static_level"
_RISK += " risk.static_score risk.static_score_norm"
_INTERFACE = "interface.alias interface.id interface.name vlan.id vlan.name"
_URL = (
    "domain extension fragment full original password path port query registered_domain scheme subdomain "
    "top_level_domain username"
)
_PROCESS = (
    "args args_count command_line end entity_id env_vars executable exit_code interactive name pid same_as_process "
    "start title uptime vpid working_directory thread.id thread.name tty tty.char_device.major tty.char_device.minor "
    f"tty.columns tty.rows pgid group_leader.pid session_leader.pid io {_HASH} {_SIGNATURE} group.id group.name "
    "user.id user.name real_user.id real_user.name saved_user.id saved_user.name real_group.id real_group.name "
    "saved_group.id saved_group.name supplemental_groups.id supplemental_groups.name attested_user.id "
    "attested_user.name attested_groups.name"
)


def _under(prefix: str, names: str) -> str:
    return " ".join(f"{prefix}.{name}" for name in names.split())


_X509 = (
    "alternative_names not_after not_before public_key_algorithm public_key_curve public_key_exponent public_key_size "
    f"serial_number signature_algorithm version_number {_under('issuer', _NAME)} {_under('subject', _NAME)} "
    "issuer.state_or_province subject.state_or_province"
)
_END = (
    "address bytes domain ip mac nat.ip nat.port packets port registered_domain subdomain top_level_domain as.number "
    f"as.organization.name {_under('geo', _GEO)} {_under('user', _USER)}"
)
_TLS_END = (
    "certificate certificate_chain hash.md5 hash.sha1 hash.sha256 issuer ja3 ja3s not_after not_before server_name "
    f"subject supported_ciphers {_under('x509', _X509)}"
)

_SETS: dict[str, str] = {
    "agent": "build.original ephemeral_id id name type version",
    "client": _END,
    "cloud": (
        "account.id account.name availability_zone instance.id instance.name machine.type project.id project.name "
        "provider region service.name"
    ),
    "container": (
        "cpu.usage disk.read.bytes disk.write.bytes id image.hash.all image.name image.tag labels memory.usage name "
        "network.egress.bytes network.ingress.bytes runtime security_context.privileged"
    ),
    "data_stream": "dataset namespace type",
    "destination": _END,
    "device": "id manufacturer model.identifier model.name",
    "dll": f"name path {_HASH} {_SIGNATURE}",
    "dns": (
        "answers answers.class answers.data answers.name answers.ttl answers.type header_flags id op_code "
        "question.class question.name question.registered_domain question.subdomain question.top_level_domain "
        "question.type resolved_ip response_code type"
    ),
    "ecs": "version",
    "email": (
        "attachments bcc.address cc.address content_type delivery_timestamp direction from.address local_id message_id "
        "origination_timestamp reply_to.address sender.address subject to.address x_mailer"
    ),
    "error": "code id message stack_trace type",
    "event": (
        "action agent_id_status category code created dataset duration end hash id ingested kind module original "
        "outcome provider reason reference risk_score risk_score_norm sequence severity start timezone type url"
    ),
    "file": (
        "accessed attributes created ctime device directory drive_letter extension fork_name gid group inode mime_type "
        f"mode mtime name owner path size target_path type uid {_HASH} {_SIGNATURE} {_under('x509', _X509)}"
    ),
    "group": "domain id name",
    "host": (
        "architecture boot.id cpu.usage disk.read.bytes disk.write.bytes domain hostname id ip mac name "
        "network.egress.bytes network.egress.packets network.ingress.bytes network.ingress.packets pid_ns_ino type "
        f"uptime {_under('geo', _GEO)} {_OS} {_RISK}"
    ),
    "http": (
        "request.body.bytes request.body.content request.bytes request.id request.method request.mime_type "
        "request.referrer response.body.bytes response.body.content response.bytes response.mime_type "
        "response.status_code version"
    ),
    "log": (
        "file.path level logger origin.file.line origin.file.name origin.function syslog.appname "
        "syslog.facility.code syslog.facility.name syslog.hostname syslog.msgid syslog.priority syslog.procid "
        "syslog.severity.code syslog.severity.name syslog.structured_data syslog.version"
    ),
    "network": (
        "application bytes community_id direction forwarded_ip iana_number inner inner.vlan.id inner.vlan.name name "
        "packets protocol transport type vlan.id vlan.name"
    ),
    "observer": (
        f"egress.zone ingress.zone hostname ip mac name product serial_number type vendor version {_OS} "
        f"{_under('egress', _INTERFACE)} {_under('ingress', _INTERFACE)} {_under('geo', _GEO)}"
    ),
    "orchestrator": (
        "api_version cluster.id cluster.name cluster.url cluster.version namespace organization resource.annotation "
        "resource.id resource.ip resource.label resource.name resource.parent.type resource.type type"
    ),
    "organization": "id name",
    "package": (
        "architecture build_version checksum description install_scope installed license name path reference size "
        "type version"
    ),
    "process": f"{_PROCESS} {_under('parent', _PROCESS)}",
    "registry": "data.bytes data.strings data.type hive key path value",
    "related": "hash hosts ip user",
    "rule": "author category description id license name reference ruleset uuid version",
    "server": _END,
    "service": (
        "address environment ephemeral_id id name node.name node.role node.roles state type version origin.name "
        "target.name"
    ),
    "source": _END,
    "threat": (
        "feed.name framework group.id group.name indicator.ip indicator.type indicator.name software.id software.name "
        "tactic.id tactic.name tactic.reference technique.id technique.name technique.reference"
    ),
    "tls": (
        "cipher curve established next_protocol resumed version version_protocol "
        f"{_under('client', _TLS_END)} {_under('server', _TLS_END)}"
    ),
    "trace": "id",
    "span": "id",
    "transaction": "id",
    "url": _URL,
    "user": (f"{_USER} {_RISK} {_under('changes', _USER)} {_under('effective', _USER)} {_under('target', _USER)}"),
    "user_agent": f"device.name name original version {_OS}",
    "vulnerability": (
        "category classification description enumeration id reference report_id scanner.vendor score.base "
        "score.environmental score.temporal score.version severity"
    ),
}

NAMES = frozenset({"@timestamp", "message", "tags", "labels"}).union(
    f"{group}.{name}" for group, names in _SETS.items() for name in names.split()
)
"""Every field's dotted name."""

OBJECTS = frozenset({"labels", "container.labels", "log.syslog.structured_data", "dns.answers", "email.attachments"})
"""Fields whose value is an object, or a list of them."""


def leaves(record: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The members of a record and of the objects in it, by dotted names. What ECS says is an object stays one."""
    for name, value in record.items():
        if type(value) is dict and value and prefix + name not in OBJECTS:
            yield from leaves(value, f"{prefix}{name}.")
        elif value is not None:
            yield prefix + name, value
