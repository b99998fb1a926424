"""Holds the templates of messages about packets that were refused or let through.

https://www.cisco.com/c/en/us/td/docs/security/asa/syslog/b_syslog.html
"""

from streams.cisco.kinds import ALLOWED, DENIED, LIMITED, SEEN
from streams.cisco.patterns import Message

_TYPE = "[~\\(type {icmp_type}, code {icmp_code}\\)]"
_ON = "on interface {on_interface}*"
_LISTED = " {protocol} {Al} ~-\\> {Bl}[ hit-cnt {hits} {interval}][ \\[{hashes}\\]]*"
_LISTED_USER = " {protocol} for user ['|]{name}['|] {Al} ~-\\> {Bl}[ hit-cnt {hits} {interval}][ \\[{hashes}\\]]*"
_ICMP_ERROR = "No matching connection for ICMP error message: {protocol}"
_ABOUT = "~\\(type {icmp_type}, code {icmp_code}\\) on {interface} interface. ~Original IP payload: "

DENIALS = (
    Message(
        "106001",
        DENIED,
        (f"{{direction}} {{protocol}} connection denied from {{A}} to {{B}} flags {{tcp_flags}}~ {_ON}",),
    ),
    Message(
        "106002",
        DENIED,
        ("{protocol} <C|c>onnection denied by {direction} list {rule_name} src {A} dest {B}",),
    ),
    Message(
        "106006 106007",
        DENIED,
        (
            f"Deny {{direction}} {{protocol}} from {{A}} to {{B}} {_ON}",
            "Deny {direction} {protocol} from {A} to {B} due to {reason}",
        ),
    ),
    Message(
        "106010 106011 106014",
        DENIED,
        (f"Deny {{direction}} [\\(No xlate\\) ][protocol ]{{protocol}} src {{A}} dst {{B}}{_TYPE}*",),
    ),
    Message("106012", DENIED, ("Deny IP from {A} to {B}, {reason}",)),
    Message("106013", {**DENIED, "network_transport": "icmp"}, ("Dropping echo request from {A} to PAT address {B}",)),
    Message("106015", DENIED, (f"Deny {{protocol}} \\({{details}}\\) from {{A}} to {{B}} flags {{tcp_flags}}~ {_ON}",)),
    Message("410001", DENIED, ("Dropped {protocol} {service} {details} from {A} to {B}; {reason}",)),
    Message("106016", DENIED, (f"Deny IP spoof from \\({{a_host}}\\) to {{B}} {_ON}",)),
    Message("106017", DENIED, ("Deny IP due to {reason} from {A} to {B}",)),
    Message(
        "106018",
        DENIED,
        ("{protocol} packet type {icmp_type} denied by {direction} list {rule_name} src {A} dest {B}",),
    ),
    Message("106020", DENIED, ("Deny IP teardrop fragment \\({details}\\) from {A} to {B}",)),
    Message("106021 106022", DENIED, (f"Deny {{protocol}} {{reason}} from {{A}} to {{B}} {_ON}",)),
    Message(
        "106023",
        DENIED,
        (
            f'Deny [protocol ]{{protocol}} src {{A}} dst {{B}}{_TYPE} by access-group "{{quoted_rule}}"'
            "[ \\[{hashes}\\]]*",
            "Deny [protocol ]{protocol} src {A} dst {B} type {icmp_type}, code {icmp_code}, by access-group "
            '"{quoted_rule}"*',
        ),
    ),
    Message(
        "106027",
        DENIED,
        (
            '{list} Deny src {mac} dst {destination_mac} by access-<list|group> "{quoted_rule}"*',
            '{list} Deny src {A} dst {B} by access-<list|group> "{quoted_rule}"*',
        ),
    ),
    Message("106100", ALLOWED, (f"access-list {{rule_name}} <permitted|est-allowed>{_LISTED}",)),
    Message("106100", DENIED, (f"access-list {{rule_name}} denied{_LISTED}",)),
    Message("106102", ALLOWED, (f"access-list {{rule_name}} permitted{_LISTED_USER}",)),
    Message("106102 106103", DENIED, (f"access-list {{rule_name}} denied{_LISTED_USER}",)),
    Message("313001 313008", DENIED, (f"Denied {{protocol}} type={{icmp_type}}, code={{icmp_code}} from {{A}} {_ON}",)),
    Message(
        "313004",
        DENIED,
        ("Denied {protocol} type={icmp_type}, from [laddr ]{A} on interface {on_interface} to {B}: {reason}",),
    ),
    Message(
        "313005",
        DENIED,
        (
            f"{_ICMP_ERROR} src {{A}} dst {{B}}{_ABOUT}"
            "[protocol ]{original_protocol} src {original_source} dst {original_destination}[ \\({details}\\)][.]",
            f"{_ICMP_ERROR} src {{A}} dst {{B}}{_ABOUT}\\<unknown\\>[.]",
        ),
    ),
    Message("313009", DENIED, ("Denied invalid {protocol} code {icmp_code}, for {An} to {Bn}*",)),
    Message("322001", DENIED, ("Deny MAC address {mac}, possible spoof attempt on interface {on_interface}",)),
    Message(
        "401004",
        {**DENIED, "event_action": "shunned-packet"},
        ("Shunned packet: {A} ==\\> {B} on interface {on_interface}*",),
    ),
    Message(
        "405001 405002",
        {**SEEN, "event_action": "address-collision"},
        (
            "Received ARP <request|response> collision from {a_ip}/{mac} on interface {on_interface}*",
            "Received MAC mismatch collision from {a_ip}/{mac} for authenticated host*",
        ),
    ),
    Message(
        "418001",
        DENIED,
        ("{reason} to/from management-only network is denied: {protocol} src {A} dst {B}*",),
    ),
    Message("434001", DENIED, ("{reason}, dropping {protocol} packet from {A} to {B}*",)),
    Message("507001", DENIED, ("Terminating TCP-Proxy connection from {A} to {B} - {reason}",)),
    Message("212006", DENIED, ("Dropping SNMP request from {A} to {B} because: {reason}",)),
    Message("434002", DENIED, ("SFR requested [ASA ]to drop {protocol} packet from {A} to {B}*",)),
    Message("710001", SEEN, ("{protocol} access requested from {A} to {B}",)),
    Message("710002", ALLOWED, ("{protocol} access permitted from {A} to {B}",)),
    Message("710003", DENIED, ("{protocol} access denied by ACL from {A} to {B}",)),
    Message("710004", LIMITED, ("{protocol} connection limit exceeded from {A} to {B}*",)),
    Message("710005 710006", DENIED, ("{protocol} request discarded from {A} to {B}",)),
    Message(
        "201009 201010 201011 201013",
        LIMITED,
        (f"{{reason}} exceeded {{limit}} for {{direction}} packet from {{A}} to {{B}} {_ON}",),
    ),
    Message(
        "209003 209004 209005",
        DENIED,
        ("{reason}: src = {A}, dest = {B}, proto = {protocol}, id = {ip_id}",),
    ),
    Message(
        "402114 402115 402116 402117 402119 402120",
        {**DENIED, "event_action": "ipsec-packet-refused"},
        ("IPSEC: {reason} from {A}[ \\(user=~{peer}\\)] to {b_ip}[.][ *]",),
    ),
    Message(
        "500003 500004",
        {**DENIED, "event_action": "invalid-packet"},
        (
            "Bad {protocol} hdr length \\({details}\\) from {A} to {B}, flags:~{tcp_flags}, on interface "
            "{on_interface}",
            "{reason} for protocol={protocol}, from {A} to {B}",
        ),
    ),
)
