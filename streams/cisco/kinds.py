"""Says what the messages mean in ECS: the constant columns that several of them share.

A connection that the firewall refused has failed, as the published integrations for ASA and FTD have it; that the
firewall refused it is its type.
https://www.elastic.co/docs/reference/ecs/ecs-using-categorization-fields
"""

from topics.event import Event


def kind(category: str, types: str, action: str = "", outcome: str = "", **more: str) -> Event:
    """The columns of categories and types (words), an action and an outcome."""
    columns: Event = {"event_category": category.split(), "event_type": types.split(), **more}
    if action:
        columns["event_action"] = action
    if outcome:
        columns["event_outcome"] = outcome
    return columns


INFO = kind("network", "info")
SEEN = kind("network", "connection info")
DENIED = kind("network", "connection denied", "firewall-rule", "failure")
ALLOWED = kind("network", "connection allowed", "firewall-rule", "success")
LIMITED = kind("network", "connection denied", "connection-limit", "failure")
BUILT = kind("network", "connection start", "flow-creation", "success")
TORN = kind("network", "connection end", "flow-expiration", "success")
VPN_STARTED = kind("network", "connection start", "client-vpn-connected", "success")
VPN_ENDED = kind("network", "connection end", "client-vpn-disconnected", "success")
VPN_STEP = kind("network", "connection info", outcome="success")
VPN_ERROR = kind("network", "connection denied", "client-vpn-error", "failure")

LOGIN: Event = {
    "ogrewatch_service": "cisco",
    **kind("authentication network", "info allowed", "logged-in", "success"),
}
REFUSED: Event = {
    "ogrewatch_service": "cisco",
    **kind("authentication network", "info denied", "logon-failed", "failure"),
}
ABOUT_LOGIN: Event = {"ogrewatch_service": "cisco", **kind("authentication network", "info", "aaa-info")}
VERDICT: Event = {**LOGIN, "ogrewatch_attempt": 1}
REFUSAL: Event = {**REFUSED, "ogrewatch_attempt": 1}
