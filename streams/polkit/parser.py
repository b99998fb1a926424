"""Parses messages of polkit: who authenticated for which action, what pkexec ran as whom.

It reads polkitd 0.96 to 126 (`Operator of unix-session:2 ...`, agents), pkexec (`alice: Executing command ...`), PAM
lines under pkexec and polkit's helper. `streams/ATTEMPTS.md` says which lines are attempts. Sources: polkit
src/polkitbackend/polkitbackendinteractiveauthority.c and src/programs/pkexec.c.
https://www.freedesktop.org/software/polkit/docs/latest/polkit.8.html

The caller chooses command lines and directories. User and target stand left of them.
"""

from streams.base import StateStore, Stream
from streams.common import pam_lines
from streams.common.text import extra, put
from streams.mapping.rules import Rule, Rules
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "polkit"}
_GRANTED: Event = {
    **_SERVICE,
    "event_category": ["authentication"],
    "event_type": ["start"],
    "event_action": "polkit_authorization",
    "event_outcome": "success",
    "ogrewatch_attempt": 1,
}
_REFUSED: Event = {**_GRANTED, "event_outcome": "failure"}
_AGENT: Event = {
    **_SERVICE,
    "event_category": ["session"],
    "event_type": ["start"],
    "event_action": "polkit_agent_registered",
}
_NO_AGENT: Event = {**_AGENT, "event_type": ["end"], "event_action": "polkit_agent_unregistered"}
_SERVER: Event = {**_SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "server_message"}
_TROUBLE: Event = {**_SERVER, "event_outcome": "failure"}
_RAN: Event = {
    **_SERVICE,
    "event_category": ["process"],
    "event_type": ["start"],
    "event_action": "pkexec_command",
    "event_outcome": "success",
}
"""pkexec's own lines are not counted as attempts, because polkitd logs the verdict."""
_NOT_RUN: Event = {**_RAN, "event_outcome": "failure"}

_SUBJECT = r"(?P<subject>unix-(?:session|process):[A-Za-z0-9:_-]{1,64})"
_ACTION = r"(?:(?P<kind>ONE-SHOT|TEMPORARY) )?authorization for action (?P<action>\S+) for (?P<caller>\S+)"
_COMMAND = r"(?: \[(?P<process_command_line>.*)\])? \(owned by unix-user:(?P<owner>[^()]*)\)"
_BUS = r"\(system bus name (?P<bus_name>:[0-9.]{1,32})"
_REASON = r"(?P<reason>.*)"
_LOADING = (Rule(_REASON, _SERVER),)

_MESSAGES = Rules(
    "polkit",
    {
        "Operator": (
            Rule(
                rf"of {_SUBJECT} successfully authenticated as unix-user:(?>(?P<user_effective_name>.*?) to gain )"
                rf"{_ACTION}{_COMMAND}",
                _GRANTED,
            ),
            Rule(rf"of {_SUBJECT} FAILED to authenticate to gain {_ACTION}{_COMMAND}", _REFUSED),
        ),
        "Registered": (Rule(rf"Authentication Agent for {_SUBJECT} {_BUS}(?: \[(?P<agent>.*)\])?, {_REASON}", _AGENT),),
        "Unregistered": (Rule(rf"Authentication Agent for {_SUBJECT} {_BUS}, {_REASON}", _NO_AGENT),),
        "Started": (Rule(r"polkitd version (?P<version>.*)", {**_SERVER, "event_type": ["start"]}),),
        "started": (Rule(r"daemon version (?P<version>.*)", {**_SERVER, "event_type": ["start"]}),),
        "Loading": _LOADING,
        "Reloading": _LOADING,
        "Finished": _LOADING,
        "Acquired": _LOADING,
        "Collecting": _LOADING,
        "Lost": (Rule(_REASON, _TROUBLE),),
        "Error": (Rule(_REASON, _TROUBLE),),
        "Identity": (Rule(_REASON, _TROUBLE),),
        "Unknown": (Rule(_REASON, _TROUBLE),),
    },
)
_PKEXEC = {"Executing command": _RAN, "Error executing command as another user": _NOT_RUN}
_VARIABLE = "The value for the SHELL variable was not found in the /etc/shells file"


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of polkit; False when it is about neither an authorization nor polkit itself."""
    if _MESSAGES.parse(message, event):
        return _owner(event)
    if pam_lines.parse(message, event, "polkit_authorization"):
        event.update(_SERVICE)
        return True
    return _pkexec(message, event)


def _owner(event: Event) -> bool:
    """Set the user, who owns the asking process, and the effective user, if another one authenticated."""
    fields = event.get("extra") or {}
    put(event, "user_name", fields.pop("polkit.owner", ""))
    if "extra" in event and not fields:
        del event["extra"]
    return True


def _pkexec(message: str, event: Event) -> bool:
    """Parse `alice: Executing command [USER=root] [TTY=pts/0] [CWD=/home/alice] [COMMAND=/usr/bin/id]`."""
    before, bracket, rest = message.partition(" [USER=")
    user, colon, what = before.partition(": ")
    columns = _PKEXEC.get(what.partition(": ")[0]) or (_NOT_RUN if _VARIABLE in what else None)
    if not (colon and bracket and columns):
        return False
    event.update(columns)
    put(event, "user_name", user)
    _command(rest, event)
    if reason := what.partition(": ")[2]:
        extra(event)["polkit.reason"] = reason
    return True


def _command(rest: str, event: Event) -> None:
    target, _, rest = rest.partition("] [TTY=")
    tty, _, rest = rest.partition("] [CWD=")
    directory, _, command = rest.partition("] [COMMAND=")
    put(event, "user_effective_name", target)
    put(event, "process_working_directory", directory)
    put(event, "process_command_line", command.removesuffix("]"))
    if tty:
        extra(event)["polkit.tty"] = tty


STREAM = Stream(
    name="polkit",
    programs=("polkitd", "polkitd(authority=local)", "pkexec", "polkit-agent-helper-1"),
    parse=parse,
)
