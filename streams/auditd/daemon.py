"""Holds the rules for what auditd, its dispatcher and the kernel's audit say about themselves.

Sources: audit-userspace src/auditd.c, auditd-event.c, auditd-dispatch.c, audisp/audispd.c; Linux kernel/audit.c.
"""

from streams.mapping.rules import Rule, Rules
from topics.event import Event

_SERVER: Event = {"event_category": ["process"], "event_type": ["info"], "event_action": "audit_message"}
_STARTED: Event = {**_SERVER, "event_type": ["start"], "event_action": "audit_started"}
_STOPPED: Event = {**_SERVER, "event_type": ["end"], "event_action": "audit_stopped"}
_FAILED: Event = {**_SERVER, "event_outcome": "failure"}
_TEXT = r"(?P<detail>.*)"

MESSAGES = Rules(
    "auditd",
    {
        "Init": (Rule(rf"complete, {_TEXT}", _STARTED),),
        "Started": (Rule(rf"dispatcher: {_TEXT}", _SERVER),),
        "The": (Rule(r"audit daemon is (?:now )?exiting.*", _STOPPED), Rule(rf"audit daemon {_TEXT}", _SERVER)),
        "Audit": (
            Rule(r"daemon (?P<detail>is low on disk space .*|has no space left .*|is suspending .*)", _FAILED),
            Rule(rf"daemon {_TEXT}", _SERVER),
        ),
        "audispd": (Rule(rf"initialized {_TEXT}", _STARTED), Rule(_TEXT, _SERVER)),
        "Error": (Rule(_TEXT, _FAILED),),
        "Unable": (Rule(_TEXT, _FAILED),),
        "dispatch": (Rule(rf"err {_TEXT}", _FAILED), Rule(rf"error {_TEXT}", _FAILED)),
        "queue": (Rule(rf"(?:is full|to plugins is full) {_TEXT}", _FAILED),),
        "config": (Rule(rf"change requested by {_TEXT}", _SERVER),),
    },
)

KERNEL_MESSAGES = Rules(
    "auditd",
    {
        "backlog": (Rule(r"limit exceeded", _FAILED),),
        "kauditd": (Rule(rf"hold queue {_TEXT}", _FAILED),),
        "audit_lost": (Rule(_TEXT, _FAILED),),
        "audit_backlog": (Rule(_TEXT, _FAILED),),
        "audit_printk_skb:": (Rule(_TEXT, _SERVER),),
        "kauditd_printk_skb:": (Rule(_TEXT, _SERVER),),
    },
)
