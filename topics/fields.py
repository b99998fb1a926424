"""Defines the columns of events: every ECS field that has a place of its own in the typed topics.

A column is named like its ECS field, with underscores instead of dots. All other fields of an event are in `extra`, by
their dotted names. https://www.elastic.co/docs/reference/ecs/ecs-field-reference
"""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["string", "int", "long", "double", "strings"]

ABSENT: dict[Kind, Any] = {"string": "", "int": -1, "long": -1, "double": 0.0, "strings": []}
"""The value of a column that an event lacks. Nullable unions would take twice the time to write and to read."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its ECS name, its type and its meaning."""

    column: str
    ecs: str
    kind: Kind
    doc: str

    @property
    def absent(self) -> Any:
        """The value that stands for an absent one."""
        return 0 if self.column == "ogrewatch_attempt" else ABSENT[self.kind]


def _field(ecs: str, doc: str, kind: Kind = "string") -> Field:
    return Field(ecs.lstrip("@").replace(".", "_"), ecs, kind, doc)


COUNTED = (
    _field("ogrewatch.attempt", "Authentication attempts this event stands for; 0 when it is none.", "int"),
    _field("@timestamp", "When it happened, microseconds since 1970 UTC.", "long"),
    _field("event.created", "When the raw record reached Kafka, microseconds since 1970 UTC.", "long"),
    _field("ogrewatch.raw.topic", "Raw topic the line came from."),
    _field("ogrewatch.raw.partition", "Raw partition the line came from.", "int"),
    _field("ogrewatch.raw.offset", "Raw offset of the line: with topic and partition, the event's identity.", "long"),
    _field("event.outcome", "success, failure or unknown."),
    _field("ogrewatch.service", "What was logged in to: sshd, ldap, sudo, web, ..."),
    _field("source.ip", "Address the event came from."),
    _field("user.name", "User as logged."),
    _field("host.hostname", "Host that wrote the line."),
    _field("source.geo.country_iso_code", "Country of the source address, ISO 3166-1 alpha-2."),
)
"""The first columns of every event. They are all that counting needs, so that the count role stops after them."""

COMMON = (
    _field("event.action", "What was done, as the source calls it."),
    _field("event.dataset", "Stream that understood the line."),
    _field("event.kind", "event, alert, metric, state or pipeline_error."),
    _field("event.category", "ECS categories, the first one decides the topic.", "strings"),
    _field("event.type", "ECS types.", "strings"),
    _field("event.original", "The line as received."),
    _field("message", "The line without its header."),
    _field("process.name", "Program that wrote the line."),
    _field("process.pid", "Its process id.", "long"),
    _field("log.syslog.priority", "Syslog PRI, RFC 5424 section 6.2.1.", "int"),
    _field("error.message", "Why the line could not be parsed."),
)

EXTRA = Field("extra", "", "string", "Every other field, one JSON object of dotted names.")


def _geo(end: str, *names: str) -> tuple[Field, ...]:
    texts = tuple(_field(f"{end}.geo.{name}", f"{name} of the {end} address.") for name in names)
    return (
        *texts,
        Field(
            f"{end}_geo_lat", f"{end}.geo.location.lat", "double", "Latitude, degrees; 0 with longitude 0 is absent."
        ),
        Field(f"{end}_geo_lon", f"{end}.geo.location.lon", "double", "Longitude, degrees."),
        _field(f"{end}.as.number", "Autonomous system of the address.", "long"),
        _field(f"{end}.as.organization.name", "Its holder."),
    )


_GEO_NAMES = (
    "country_name",
    "continent_code",
    "region_iso_code",
    "region_name",
    "city_name",
    "postal_code",
    "timezone",
)
_SOURCE = (_field("source.port", "Port of the source.", "int"), *_geo("source", *_GEO_NAMES))
_DESTINATION = (
    _field("destination.ip", "Address the event went to."),
    _field("destination.port", "Port of the destination.", "int"),
    *_geo("destination", "country_iso_code", *_GEO_NAMES),
)
_EFFECTIVE = _field("user.effective.name", "User acted as.")
_COMMAND = (
    _field("process.command_line", "Command as run."),
    _field("process.executable", "Path of the program."),
    _field("process.working_directory", "Where it ran."),
)

SPECIFIC: dict[str, tuple[Field, ...]] = {
    "authentication": (_EFFECTIVE, *_SOURCE),
    "network": (
        *_SOURCE,
        *_DESTINATION,
        _field("network.transport", "tcp, udp, icmp, ..."),
        _field("network.protocol", "Application protocol."),
        _field("network.type", "ipv4 or ipv6."),
        _field("network.direction", "inbound, outbound, internal, ..."),
        _field("observer.ingress.interface.name", "Interface it came in by."),
        _field("observer.egress.interface.name", "Interface it left by."),
        _field("rule.name", "Rule that decided."),
        _field("source.bytes", "Bytes sent by the source.", "long"),
        _field("destination.bytes", "Bytes sent by the destination.", "long"),
        _field("dns.question.name", "Name asked for."),
        _field("dns.question.type", "Record type asked for."),
        _field("dns.response_code", "Answer's code."),
    ),
    "process": (_EFFECTIVE, *_COMMAND),
    "web": (
        *_SOURCE,
        _field("http.request.method", "Method."),
        _field("http.request.referrer", "Referrer."),
        _field("http.response.status_code", "Status.", "int"),
        _field("http.response.body.bytes", "Bytes of the body sent.", "long"),
        _field("http.version", "Protocol version."),
        _field("url.original", "Request target as sent."),
        _field("url.path", "Path."),
        _field("url.query", "Query string."),
        _field("user_agent.original", "User agent as sent."),
    ),
    "audit": (
        _EFFECTIVE,
        *_COMMAND,
        _field("user.id", "Numeric id of the user."),
        _field("user.target.name", "User changed."),
        _field("group.name", "Group changed."),
    ),
    "system": (),
}
"""The further columns of each type of event. Where a type lacks a column, its events have the field in `extra`."""

TYPES = tuple(SPECIFIC)

FIELDS: dict[str, Field] = {f.column: f for part in (COUNTED, COMMON, *SPECIFIC.values()) for f in part}
"""All columns by name."""


def columns(kind: str) -> tuple[Field, ...]:
    """The columns of one type of event, in the order they are written; `extra` is the last."""
    return (*COUNTED, *COMMON, *SPECIFIC[kind], EXTRA)
