"""Parses messages of su: who became whom, on which terminal, or was refused.

It reads su of util-linux (`(to root) alice on pts/0`), of shadow (`Successful su for root by alice`, then `+ /dev/pts/0
alice:root`), of the BSDs (`alice to root on ttyp0`, `BAD SU ...`), of Solaris (`'su root' succeeded ...`), of AIX
(`from alice to root at /dev/pts/0`) and of IRIX (`failed: ttyq4 changing from alice to root`); PAM lines under su.
`streams/ATTEMPTS.md` says which lines are attempts. Sources: util-linux login-utils/su-common.c (`log_syslog`), shadow
src/su.c and lib/sulog.c, FreeBSD usr.bin/su/su.c. https://man7.org/linux/man-pages/man1/su.1.html

The caller chooses the target's name. Caller and terminal stand right of it, or are names of accounts.
"""

from streams.base import StateStore, Stream
from streams.common import pam_lines
from streams.mapping.rules import Rule, Rules
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "su"}
_SWITCH: Event = {
    **_SERVICE,
    "event_category": ["authentication"],
    "event_type": ["start"],
    "event_action": "su",
    "event_outcome": "success",
    "ogrewatch_attempt": 1,
}
_REFUSED: Event = {**_SWITCH, "event_outcome": "failure"}
_AGAIN: Event = {key: value for key, value in _SWITCH.items() if key != "ogrewatch_attempt"} | {"event_type": ["info"]}
_REFUSED_AGAIN: Event = {**_AGAIN, "event_outcome": "failure"}

_TARGET = r"(?P<user_effective_name>.*)"
_CALLER = r"(?P<user_name>\S+)"
_TTY = r"(?P<tty>\S+)"
_PAIR = (rf"{_TTY} (?P<user_name>[^:]*):{_TARGET}", rf"{_TTY} (?P<user_name>.*)-(?P<user_effective_name>[^-]*)")
_BY = rf"su for {_TARGET} by {_CALLER}"
_AIX = rf"{_CALLER} to {_TARGET} at {_TTY}"
_BSD = rf"{_CALLER} to {_TARGET} on {_TTY}"

_MESSAGES = Rules(
    "su",
    {
        "(to": (Rule(rf"{_TARGET}\) {_CALLER} on {_TTY}", _SWITCH),),
        "Successful": (Rule(_BY, _SWITCH),),
        "FAILED": (Rule(rf"SU \(to {_TARGET}\) {_CALLER} on {_TTY}", _REFUSED), Rule(_BY, _REFUSED)),
        "+": tuple(Rule(pair, _AGAIN) for pair in _PAIR),
        "-": tuple(Rule(pair, _REFUSED_AGAIN) for pair in _PAIR),
        "BAD": (Rule(rf"SU from {_AIX}", _REFUSED), Rule(rf"SU {_BSD}", _REFUSED)),
        "from": (Rule(_AIX, _SWITCH),),
        "'su": (
            Rule(rf"{_TARGET}' succeeded for {_CALLER} on {_TTY}", _SWITCH),
            Rule(rf"{_TARGET}' failed for {_CALLER} on {_TTY}", _REFUSED),
        ),
        "failed:": (Rule(rf"{_TTY} changing from {_CALLER} to {_TARGET}", _REFUSED),),
        "succeeded:": (Rule(rf"{_TTY} changing from {_CALLER} to {_TARGET}", _SWITCH),),
        **dict.fromkeys(("pam_authenticate:", "pam_acct_mgmt:"), (Rule(r"(?P<reason>.*)", _REFUSED_AGAIN),)),
        **dict.fromkeys(("No", "no"), (Rule(rf"passwd entry for user '{_TARGET}'", _REFUSED_AGAIN),)),
        "_bsd": (Rule(_BSD, _SWITCH),),
    },
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of su; False when it says nothing about a change of user."""
    if _MESSAGES.parse(message, event):
        return True
    if pam_lines.parse(message, event, "su"):
        event.update(_SERVICE)
        return True
    return " to " in message and " on " in message and _MESSAGES.parse("_bsd " + message, event)


STREAM = Stream(name="su", programs=("su",), parse=parse)
