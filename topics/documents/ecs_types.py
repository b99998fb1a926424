"""Lists the fields that documents may have, ECS fields and our own, with their Elasticsearch types.

These are the columns, what is derived from them, and further fields that security logs use. All other fields are below
an object that is named after the stream. https://www.elastic.co/docs/reference/ecs/ecs-field-reference
"""

_ENDS = ("source", "destination", "client", "server")
_GEO = (
    "city_name continent_code continent_name country_iso_code country_name name postal_code region_iso_code"
    " region_name timezone"
)
_HASH = "md5 sha1 sha256 sha512 ssdeep tlsh"
_OS = "family full kernel name platform type version"
_USER = "domain email full_name hash id name roles group.domain group.id group.name"
_PERSON = "common_name country distinguished_name locality organization organizational_unit state_or_province"
_CERTIFICATE = "alternative_names serial_number signature_algorithm version_number public_key_algorithm"
_PROCESS = "args command_line entity_id executable name title working_directory user.id user.name group.id group.name"
_FILE = "device directory drive_letter extension gid group inode mime_type mode name owner path target_path type uid"

_KEYWORD: dict[str, str] = {
    "": "tags",
    "agent": "ephemeral_id id name type version",
    "cloud": "account.id account.name availability_zone instance.id instance.name project.id provider region",
    "cloud.service": "name",
    "container": "id image.name image.tag name runtime",
    "data_stream": "dataset namespace type",
    "dns": "header_flags id op_code response_code type",
    "dns.question": "class name registered_domain subdomain top_level_domain type",
    "ecs": "version",
    "email": "direction from.address local_id message_id sender.address subject to.address x_mailer",
    "error": "code id message stack_trace type",
    "event": "action category code dataset hash id kind module original outcome provider reason reference timezone type"
    " url",
    "file": _FILE,
    "group": "domain id name",
    "host": "architecture domain hostname id mac name type",
    "http": "request.body.content request.id request.method request.mime_type request.referrer version",
    "http.response": "body.content mime_type",
    "log": "file.path level logger origin.file.name origin.function",
    "log.syslog": "appname facility.name hostname msgid procid severity.name version",
    "network": "application community_id direction iana_number name protocol transport type vlan.id vlan.name",
    "network.inner": "vlan.id vlan.name",
    "observer": "hostname mac name product serial_number type vendor version egress.zone ingress.zone",
    "orchestrator": "cluster.name namespace resource.name resource.type type",
    "organization": "id name",
    "package": "architecture name path type version",
    "process": f"{_PROCESS} env_vars",
    "process.parent": _PROCESS,
    "related": "hash hosts user",
    "rule": "author category description id license name reference ruleset uuid version",
    "service": "address environment id name node.name state type version",
    "threat": "framework tactic.id tactic.name technique.id technique.name technique.reference",
    "tls": "cipher client.server_name curve next_protocol version version_protocol",
    "trace": "id",
    "url": "domain extension fragment full original password path query registered_domain scheme subdomain"
    " top_level_domain username",
    "user": f"{_USER} risk.calculated_level",
    "user_agent": "device.name name original version",
    "vulnerability": "category classification description enumeration id reference report_id severity",
    "ogrewatch": "service",
    "ogrewatch.ingest": "address endpoint identity timestamp",
    **{f"{end}": "address domain mac registered_domain subdomain top_level_domain" for end in _ENDS},
    **{f"{end}.as.organization": "name" for end in _ENDS},
    **{f"{place}.geo": _GEO for place in (*_ENDS, "host", "observer")},
    **{f"{end}.user": _USER for end in _ENDS},
    **{f"user.{role}": _USER for role in ("changes", "effective", "target")},
    **{f"{system}.os": _OS for system in ("host", "observer", "user_agent")},
    **{f"{holder}.hash": _HASH for holder in ("file", "process", "process.parent", "tls.client", "tls.server")},
    **{f"observer.{direction}.interface": "alias id name" for direction in ("egress", "ingress")},
    **{f"observer.{direction}.vlan": "id name" for direction in ("egress", "ingress")},
    **{f"tls.{end}": "certificate issuer ja3 ja3s subject supported_ciphers" for end in ("client", "server")},
    **{f"{holder}.x509": _CERTIFICATE for holder in ("file", "tls.client", "tls.server")},
    **{
        f"{holder}.x509.{who}": _PERSON
        for holder in ("file", "tls.client", "tls.server")
        for who in ("issuer", "subject")
    },
}
_OTHERS: dict[str, str] = {
    "ip": "dns.resolved_ip host.ip network.forwarded_ip observer.ip related.ip",
    "long": (
        "event.duration event.sequence event.severity file.size host.uptime http.request.body.bytes"
        " http.request.bytes http.response.body.bytes http.response.bytes http.response.status_code"
        " log.origin.file.line log.syslog.facility.code log.syslog.priority log.syslog.severity.code network.bytes"
        " network.packets ogrewatch.attempt ogrewatch.repeated package.size process.args_count process.exit_code"
        " process.parent.pid process.pgid process.pid process.thread.id process.uptime url.port"
    ),
    "double": "event.risk_score event.risk_score_norm host.cpu.usage vulnerability.score.base",
    "date": (
        "@timestamp event.created event.end event.ingested event.start file.accessed file.created file.ctime file.mtime"
        " package.installed process.end process.parent.start process.start"
    ),
    "boolean": "process.interactive tls.established tls.resumed",
    "text": "message",
    # Objects with members that cannot be listed here, or lists of objects.
    "flattened": (
        "container.labels dns.answers email.attachments file.elf file.pe labels log.syslog.structured_data"
        " ogrewatch.unplaced process.tty threat.enrichments threat.indicator"
    ),
}
_OF_ENDS: dict[str, str] = {"ip": "ip nat.ip", "long": "as.number bytes nat.port packets port"}

TYPES: dict[str, str] = {
    **{f"{top}.{name}" if top else name: "keyword" for top, names in _KEYWORD.items() for name in names.split()},
    **{f"{end}.{name}": kind for kind, names in _OF_ENDS.items() for name in names.split() for end in _ENDS},
    **{name: kind for kind, names in _OTHERS.items() for name in names.split()},
    **{f"{place}.geo.location": "geo_point" for place in (*_ENDS, "host", "observer")},
    **{f"tls.{end}.{name}": "date" for end in ("client", "server") for name in ("not_after", "not_before")},
}
"""Maps each field to its type, as Elasticsearch names it."""

OBJECTS = frozenset(".".join(path[:end]) for path in (name.split(".") for name in TYPES) for end in range(1, len(path)))
"""The names that are objects, never values."""
