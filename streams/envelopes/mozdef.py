"""Sets the columns that MozDef's event has beyond a syslog header: category, tags, and the usual details.

Whoever sends one of category `authentication` has decided that it is one, so with an outcome it is an attempt, unless a
stream understands its summary and decides. Only services that are known here become a column: counts keep each service,
so a sender must not be able to make up others.

https://mozdef.readthedocs.io/en/latest/usage.html#json-format
"""

from typing import Any

from streams.common.text import extra
from streams.envelopes import ldap_humanizer
from streams.mapping.json_fields import Converter, converter_for
from topics.event import Event

DATASET = "mozdef"
"""The dataset of events whose summary no stream understands."""

_CATEGORIES = frozenset(
    {
        *("api", "authentication", "configuration", "database", "driver", "email", "file", "host", "iam", "malware"),
        *("intrusion_detection", "network", "package", "process", "session", "vulnerability", "web"),
    }
)
"""Those of ECS's categories that go with the type `info`."""
_AUTHENTICATION = ["authentication"]
_OUTCOMES = {
    **dict.fromkeys(("true", "success", "succeeded", "1"), "success"),
    **dict.fromkeys(("false", "failure", "failed", "0"), "failure"),
}
_SERVICES = dict.fromkeys(
    (
        *("aws", "cisco", "doas", "dovecot", "dropbear", "exim", "ftp", "kerberos", "ldap", "login", "mysql"),
        *("openvpn", "pam", "pfsense", "polkit", "postfix", "postgresql", "proxy", "radius", "sshd", "su", "sudo"),
        *("web", "auth0", "bugzilla", "confluence", "duo", "github", "gitlab", "google", "grafana", "jenkins"),
        *("jira", "keycloak", "nextcloud", "okta", "vault", "vpn", "windows", "wordpress"),
    ),
    "",
)
_SERVICES |= dict.fromkeys(("apache", "apache2", "httpd", "nginx"), "web")
_SERVICES |= dict.fromkeys(("ssh", "sshd-session"), "sshd") | dict.fromkeys(("slapd", "openldap"), "ldap")
_SERVICES |= dict.fromkeys(("freeradius", "radiusd"), "radius") | dict.fromkeys(("vsftpd", "proftpd"), "ftp")
_SERVICES |= {"squid": "proxy", "krb5kdc": "kerberos", "postgres": "postgresql", "mysqld": "mysql"}
"""The service that a program's logins are counted under, "" for its own name; of any other program it is `mozdef`."""
_OTHER_SERVICE = "mozdef"


def sniff(record: dict[str, Any]) -> bool:
    """Whether the record has the members that MozDef's clients send."""
    return "summary" in record or "SOURCEIP" in record or (type(record.get("details")) is dict and "category" in record)


def describe(record: dict[str, Any], event: Event) -> None:
    """Set the columns of an event whose summary no stream understands."""
    summary, details = record.get("summary"), record.get("details")
    if type(summary) is str and summary.startswith(ldap_humanizer.SUMMARY) and type(details) is dict:
        ldap_humanizer.describe(details, event)
    elif event.get("event_category") == _AUTHENTICATION:
        program = event.get("process_name", "").rpartition("/")[2].lower()
        event["ogrewatch_service"] = _SERVICES.get(program, _OTHER_SERVICE) or program
        if event.get("event_outcome") in ("success", "failure"):
            event["ogrewatch_attempt"] = 1


def _category(event: Event, value: Any) -> bool:
    if type(value) is list and len(value) == 1:
        value = value[0]
    if type(value) is not str or value not in _CATEGORIES:
        return False
    event["event_category"], event["event_type"] = [value], ["info"]
    return True


def _outcome(event: Event, value: Any) -> bool:
    known = type(value) in (bool, str) or value in (0, 1)
    found = _OUTCOMES.get(str(value).lower()) if known else None
    if found:
        event["event_outcome"] = found
    return found is not None


def _tags(event: Event, value: Any) -> bool:
    if type(value) is not list or not value or not all(type(tag) is str for tag in value):
        return False
    extra(event)["tags"] = value
    return True


PARTS: tuple[tuple[Converter, tuple[str, ...]], ...] = (
    (_category, ("category",)),
    (_outcome, ("details.success", "details.outcome", "details.result")),
    (_tags, ("tags",)),
    (converter_for("source_ip"), ("SOURCEIP", "details.sourceipaddress", "details.sourceipv4address")),
    (converter_for("source_port"), ("details.sourceport",)),
    (converter_for("destination_ip"), ("details.destinationipaddress", "details.destinationipv4address")),
    (converter_for("destination_port"), ("details.destinationport",)),
    (converter_for("user_name"), ("details.username", "details.user")),
)
"""Converters, and the names of the members that each may convert."""
