"""Parses messages of doas: the command, as whom it ran and where, or that it was refused.

It reads doas of OpenBSD and its ports (OpenDoas, opendoas of Linux distributions); PAM lines under doas are those of
`streams.pam`. `streams/ATTEMPTS.md` says which lines are attempts. Source: OpenBSD usr.bin/doas/doas.c.
https://man.openbsd.org/doas.1

The caller chooses command and directory. What stands between them is looked for from the right: to mislead, a
directory has to be made first, and the whole text stays in the message.
"""

from streams.base import StateStore, Stream
from streams.mapping.rules import Rule, Rules
from topics.event import Event

_RAN: Event = {
    "ogrewatch_service": "doas",
    "event_category": ["process"],
    "event_type": ["start"],
    "event_action": "doas_command",
    "event_outcome": "success",
    "ogrewatch_attempt": 1,
}
_REFUSED: Event = {**_RAN, "event_outcome": "failure"}
_COMMAND = r"(?P<process_command_line>.*)"
_FOR = r"for (?P<user_name>[^\s:]{1,255})"
_RAN_RULE = Rule(
    rf"command {_COMMAND} as (?P<user_effective_name>\S{{1,255}}) from (?P<process_working_directory>.*)", _RAN
)

_BY_CALLER = Rules("doas", {"ran": (_RAN_RULE,)})
_REFUSALS = Rules(
    "doas",
    {
        "failed": (Rule(rf"auth {_FOR}", _REFUSED), Rule(rf"command {_FOR}: {_COMMAND}", _REFUSED)),
        "command": (Rule(rf"not permitted {_FOR}: {_COMMAND}", _REFUSED),),
        "tty": (Rule(rf"required {_FOR}(?:: {_COMMAND})?", _REFUSED),),
    },
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message of doas; False for what tells of no command."""
    if _REFUSALS.parse(message, event):
        return True
    caller, _, rest = message.partition(" ")
    if not caller or len(caller) > 255 or not _BY_CALLER.parse(rest, event):
        return False
    event["user_name"] = caller
    return True


STREAM = Stream(name="doas", programs=("doas",), parse=parse)
