"""Holds the constant columns of what name servers log of a question or its answer, for the streams of name servers.

https://www.elastic.co/docs/reference/ecs/ecs-dns
"""

from topics.event import Event

DNS: Event = {
    "event_category": ["network"],
    "event_type": ["connection", "protocol", "info"],
    "network_protocol": "dns",
}
