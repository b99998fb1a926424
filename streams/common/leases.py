"""Sets the columns of what DHCP servers log of an exchange: the client is the source, the server the destination.

It is shared by the streams of DHCP servers. https://www.rfc-editor.org/rfc/rfc2131,
https://www.rfc-editor.org/rfc/rfc8415
"""

from streams.common.packets import mac, relate, set_end, set_type
from streams.common.text import extra, is_ip
from topics.event import Event

_LONGEST_MAC = 23
"""Of eight bytes; what is longer is a DUID."""
_DHCP: Event = {
    "event_category": ["network"],
    "event_type": ["connection", "protocol", "info"],
    "network_transport": "udp",
    "network_protocol": "dhcp",
}
_OUTCOMES = {
    **dict.fromkeys(("dhcpack", "dhcpreply", "bound"), "success"),
    **dict.fromkeys(("dhcpnak", "dhcpdecline"), "failure"),
}


def set_exchange(event: Event, action: str, failed: bool = False) -> None:
    """Set what all messages of DHCP have. `action` is the message's type in small letters."""
    event.update(_DHCP)
    event["event_action"] = action
    if outcome := "failure" if failed else _OUTCOMES.get(action):
        event["event_outcome"] = outcome


def set_client(event: Event, address: str = "", hardware: str = "", name: str = "") -> None:
    """Set who asked, or was given `address`; "" for what is not there. An IPv6 address makes it DHCPv6."""
    set_end(event, "source", address, "")
    if ":" in address and is_ip(address):
        event["network_protocol"] = "dhcpv6"
    set_type(event)
    if len(hardware) <= _LONGEST_MAC and (octets := mac(hardware)):
        extra(event)["source.mac"] = octets
    if name:
        extra(event)["source.domain"] = name
        relate(event, "hosts", name)
