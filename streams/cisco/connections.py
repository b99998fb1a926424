"""Holds the templates of messages about connections and translations that are made and removed.

Of a connection that is built "outbound" the inner end, named last, is the source. ICMP's messages name no initiator:
the local address is the source of both. Messages about the removal of other connections name no direction: the end that
is printed first is taken for the source. https://www.cisco.com/c/en/us/td/docs/security/asa/syslog/b_syslog.html
"""

from streams.cisco.kinds import BUILT, SEEN, TORN, kind
from streams.cisco.patterns import Message

_NAT = kind("network configuration", "creation", "nat-slot", "success")
_UNNAT = kind("network configuration", "deletion", "nat-slot", "success")
_NO_NAT = kind("network", "connection info", "nat-slot", "failure")
_TLS_BUILT, _TLS_TORN = {**BUILT, "network_protocol": "tls"}, {**TORN, "network_protocol": "tls"}
_TLS_SEEN = {**SEEN, "event_outcome": "success", "network_protocol": "tls"}
_TLS_FAILED = {**_TLS_SEEN, "event_outcome": "failure"}

_CLOSED = "[ {reason}][ from {closed_from}][ \\({closed_by}\\)]"
_ICMP = "faddr {B} gaddr {a_icmp} laddr {A}[~type {icmp_type} code {icmp_code}]*"
_TYPE = "[ \\(type {icmp_type}, code {icmp_code}\\)]"

CONNECTIONS = (
    Message(
        "302013 302015 302017 302033 302035 302303 302305",
        BUILT,
        (
            "Built [{direction} ][Probe ]{protocol} [state-bypass ]connection {connection_id} <for|from> {An} to {Bn}"
            "[ \\({closed_by}\\)]*",
        ),
        outbound_swaps=True,
    ),
    Message(
        "302014 302016 302018 302036 302304 302306",
        TORN,
        (
            "Teardown [Probe ]{protocol} [state-bypass ]connection {connection_id} <for|from> {A} ~to {B} ~"
            f"duration {{duration}} bytes {{bytes}}{_CLOSED}",
            "Teardown [Probe ]{protocol} [state-bypass ]connection {connection_id} <for|from> {A} ~to {B} ~"
            f"duration {{duration}}{_CLOSED}",
            "Teardown {protocol} connection {connection_id} <for|from> {A}[ {a_bare}] to {B}[ {b_bare}] "
            f"duration {{duration}} bytes {{bytes}}{_CLOSED}",
        ),
    ),
    Message("302020", BUILT, (f"Built {{direction}} {{protocol}} connection for {_ICMP}",)),
    Message("302021", TORN, (f"Teardown {{protocol}} connection for {_ICMP}",)),
    Message("302022 302024 302026", BUILT, ("Built {stub} stub {protocol} connection ~for {An} to {Bn}*",)),
    Message(
        "302023 302025 302027",
        TORN,
        (
            "Teardown [{stub} ]stub {protocol} connection ~for {A} ~to {B} ~duration {duration} forwarded bytes {bytes}"
            "[ {reason}]",
        ),
    ),
    Message("609001", BUILT, ("Built local-host {A}",)),
    Message("609002", TORN, ("Teardown local-host {A} ~duration {duration}",)),
    Message(
        "805001",
        {**BUILT, "event_action": "flow-offload-started"},
        ("Offloaded {protocol} Flow for connection {connection_id} from {An} to {Bn}*",),
    ),
    Message(
        "805002",
        {**TORN, "event_action": "flow-offload-ended"},
        ("{protocol} Flow is no longer offloaded for connection {connection_id} from {An} to {Bn}*",),
    ),
    Message("305009 305011", _NAT, ("Built {translation}[ {protocol}] translation from {A} ~to {B}*",)),
    Message(
        "305010 305012",
        _UNNAT,
        ("Teardown {translation}[ {protocol}] translation from {A} ~to {B} ~duration {duration}",),
    ),
    Message(
        "305005 305006 305013",
        _NO_NAT,
        (
            f"{{reason}} for [protocol ]{{protocol}} src {{A}} dst {{B}}{_TYPE}*",
            f"{{reason}}; Connection for [protocol ]{{protocol}} src {{A}} dst {{B}}{_TYPE} denied*",
        ),
    ),
    Message(
        "507003",
        {**kind("network", "connection end", "flow-termination")},
        ("{protocol} flow from {A} to {B} terminated by inspection engine, reason - {reason}",),
    ),
    Message("725001", _TLS_BUILT, ("Starting SSL handshake with {peer} {A}[ to {B}] for {tls} session*",)),
    Message("725002", _TLS_SEEN, ("Device completed SSL handshake with {peer} {A}[ to {B}][ for {tls}*]",)),
    Message("725003", _TLS_SEEN, ("SSL client {A}[ to {B}] request* to resume previous session*",)),
    Message("725006", _TLS_FAILED, ("Device failed SSL handshake with {peer} {A}[ to {B}]*",)),
    Message("725007", _TLS_TORN, ("SSL session with {peer} {A}[ to {B}] terminated*",)),
    Message("725016", _TLS_SEEN, ("Device selects trust-point {trustpoint} for {peer} {A}[ to {B}]",)),
)
