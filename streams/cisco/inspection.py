"""Holds the templates of messages about what the firewall saw in the traffic: URLs, files, signatures, threats, names.

https://www.cisco.com/c/en/us/td/docs/security/asa/syslog/b_syslog.html
"""

from streams.cisco.kinds import DENIED, INFO, SEEN, kind
from streams.cisco.patterns import Message

_URL = kind("network", "access allowed", "url-access", "success")
_URL_DENIED = kind("network", "access denied", "url-access", "failure")
_FTP = kind("network file", "access", "ftp", "success")
_SIGNATURE = kind("network intrusion_detection", "info", "intrusion-detected")
_THREAT = kind("network", "info", "threat-detection")
_ROUTE = kind("network", "connection info", "firewall-rule", "failure")
_LISTED = (
    *(
        f"Dynamic <F|f>ilter {{verdict}} {{listed}} {{protocol}} traffic from {ends}<, | \\(><source|destination> "
        "{listed_end} resolved from {rule_name} list: {listed_name}[, threat-level: {threat_level}, "
        "category: {threat_category}]"
        for ends in ("{An} to {Bn}", "{A} to {B}")
    ),
)

INSPECTION = (
    Message("110002 110003", _ROUTE, ("{reason} for {protocol} from {A} to {B}",)),
    Message("302010", INFO, ("{connections_in_use} in use, {connections_most_used} most used",)),
    Message("303002", _FTP, ("{service} connection from {A} to {B}, user {user} {ftp_command} file {file}",)),
    Message(
        "304001",
        _URL,
        (
            "[{url_user}@]{A} Accessed [JAVA ]URL {b_ip}:{url_original}",
            "[{url_user}@]{A} Accessed [JAVA ]URL [{destination_user}@]{b_host}:{url_original}",
        ),
    ),
    Message(
        "304002",
        _URL_DENIED,
        ("Access denied URL {url_original} SRC {A} DEST {B}[ on interface {interface}]",),
    ),
    Message(
        " ".join(f"400{number:03d}" for number in range(51)),
        _SIGNATURE,
        ("IPS:{signature} {details} from {A} to {B} on interface {on_interface}",),
    ),
    Message(
        "419002",
        {**SEEN, "event_action": "firewall-rule", "network_transport": "tcp"},
        ("{reason} from {A} to {B} with different initial sequence number[.]",),
    ),
    Message(
        "434004",
        {**INFO, "event_action": "bypass"},
        ("{reason} and process {protocol} flow from {A} to {B} locally",),
    ),
    Message(
        "852001 852002",
        SEEN,
        ("Received {details} event from application {application} for {protocol} flow from {A} to {B}*",),
    ),
    Message(
        "607001",
        {**INFO, "event_action": "firewall-rule", "event_outcome": "success", "network_protocol": "sip"},
        (
            "Pre-allocate SIP Via {protocol} secondary channel for {B} to {A} from {details} message",
            "Pre-allocate SIP {sip_channel} secondary channel for {B} to {A} from {details} message",
        ),
    ),
    Message(
        "338001 338002 338003 338101 338102 338103 338104 338201 338202",
        {**SEEN, "event_action": "dynamic-filter"},
        _LISTED,
    ),
    Message("338004", kind("network intrusion_detection", "connection info", "dynamic-filter"), _LISTED),
    Message("338005 338006 338007 338008 338203 338204", {**DENIED, "event_action": "dynamic-filter"}, _LISTED),
    Message(
        "338301",
        {**SEEN, "event_action": "firewall-rule", "network_protocol": "dns"},
        ("Intercepted DNS reply for domain {source_domain} from {A} to {B}, matched {quoted_rule}",),
    ),
    Message(
        "733100",
        _THREAT,
        (
            "\\[~{threat_object}\\] drop {rate} exceeded. Current burst rate is {burst_rate} per second, max "
            "configured rate is {burst_limit}; Current average rate is {average_rate} per second, max configured rate "
            "is {average_limit}; Cumulative total count is {total}*",
        ),
    ),
    Message("733101", _THREAT, ("<Host|Object> {a_host} {reason}. *",)),
    Message("733102 733103", _THREAT, ("Threat-detection {verdict} host {a_host} <to|from> shun list",)),
)
