"""Parses messages of Cisco IOS, IOS XE and NX-OS: `%FACILITY-SEVERITY-MNEMONIC: text`.

A message whose mnemonic is not in the table gives its facility, mnemonic and severity.
https://www.cisco.com/c/en/us/td/docs/ios/system/messages/guide/consol_smg.html
"""

import re

from streams.base import StateStore
from streams.cisco.ios_messages import IOS
from streams.cisco.kinds import INFO
from streams.cisco.patterns import Catalogue
from streams.common.text import extra
from streams.syslog.own_times import timed
from topics.event import Event

_TAG = re.compile(r"%([A-Z][A-Z0-9_]{1,30})-(?:[A-Z0-9_/]{1,20}-)?([0-7])-([A-Z][A-Z0-9_]{1,40}): {0,2}")
_UPTIME = r"(?:[0-9]{1,3}[ywdh]){1,4}|[0-9]{1,2}:[0-9]{2}:[0-9]{2}"
_LEAD = re.compile(rf"(?:([0-9]{{1,10}}): )?(?:({_UPTIME}): )?")
_NO_HOST = re.compile(_UPTIME)
_SNIFF = re.compile(
    rf"(?:[0-9]{{1,10}}: )?(?:{_UPTIME}): %[A-Z]|[0-9]{{1,10}}: [*.]?[A-Z][a-z]{{2}} [ 0-9][0-9] [^%]{{8,40}}: %[A-Z]"
)
_OTHERS = (
    *("AAA", "AAAA", "ACCESS", "ADJ", "ARP", "ASSOC", "AUTHPRIV", "CDP", "CLEAR", "CONTROLLER", "DAEMON", "DHCP"),
    *("DHCPD", "DHCP_SNOOPING", "DOT1X_SWITCH", "DTP", "DYNCMD", "EC", "ENVIRONMENT", "EPM", "ETHPORT", "FIREWALL"),
    *("HA_EM", "HSRP", "IF", "ILPOWER", "IPS", "LDAP", "LICENSE", "LOCAL", "MKA", "NTP", "NTPD", "PLATFORM", "PIM"),
    *("PLATFORM_ENV", "PM", "PNP", "RADIUS", "RTT", "SFF8472", "SMART_LIC", "SPANTREE", "STACKMGR", "STP", "SW_DAI"),
    *("SW_MATM", "SW_VLAN", "SYSLOG", "SYSMGR", "TAC", "TACACS", "TRACK", "USER", "VPC", "VRRP", "VTP", "WEBSERVER"),
    *("CRYPTO_ENGINE", "IKEV2", "ISAKMP", "LOGIN", "USERAUTH", "IOSXE", "IOSXE_INFRA", "SERVICES", "SECURITYD"),
)
"""Facilities whose messages have no entry of their own."""

_CATALOGUE = Catalogue(IOS)
_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notification", "informational", "debug")

FACILITIES = tuple(
    sorted(
        {f"%{code.partition('-')[0]}" for message in IOS for code in message.codes.split()} | {f"%{o}" for o in _OTHERS}
    )
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message; False for what has no tag of IOS.

    What stands before the tag when a relay took the device's name for a program's is read, too.
    """
    if message.startswith("%"):
        if not _parse(message, event, state):
            return False
        if _NO_HOST.fullmatch(event.get("host_hostname", "")):
            extra(event)["cisco.uptime"] = event.pop("host_hostname")
        return True
    lead = _LEAD.match(message)
    rest = message[lead.end() :] if lead else message
    if not (_parse(rest, event, state) or timed(_parse, rest, event, state)):
        return False
    if lead and lead[1]:
        extra(event)["event.sequence"] = int(lead[1])
    if lead and lead[2]:
        extra(event)["cisco.uptime"] = lead[2]
    if device := event.pop("process_name", ""):
        event["host_hostname"] = device
    return True


def sniff(text: str) -> bool:
    """Whether a line without a header, or with the device's name as its program, is one of IOS."""
    return _SNIFF.match(text) is not None


def _parse(message: str, event: Event, state: StateStore) -> bool:
    tag = _TAG.match(message)
    if tag is None:
        return False
    facility, severity, mnemonic = tag.groups()
    if not _CATALOGUE.parse(f"{facility}-{mnemonic}", message[tag.end() :].rstrip(), event):
        event.update(INFO)
    event["event_dataset"] = "cisco.ios"
    extra(event).update(
        {
            "observer.vendor": "Cisco",
            "observer.product": "ios",
            "event.code": mnemonic,
            "event.severity": int(severity),
            "cisco.facility": facility,
            "log.level": _LEVELS[int(severity)],
        }
    )
    return True
