"""Parses messages of systemd: units that start, stop and fail, processes that end, the system's start.

It reads messages of the system and user managers, systemd 208 to 256: `Started NAME.` and `Started UNIT - NAME.`,
`UNIT: what happened`, and those about the manager itself. Sources: src/core/{unit,job,service,manager,main}.c.
https://www.freedesktop.org/software/systemd/man/latest/systemd.html

The author of a unit file chooses its description, which stands after the verb. Nothing is searched for in it.
"""

import re

from streams.base import StateStore, Stream
from streams.common.text import extra, number
from streams.systemd.verbs import FAILED, INFO, MESSAGES, UNIT_MESSAGES, VERBS
from topics.event import Event

_SUFFIXES = "service|socket|target|timer|mount|automount|slice|scope|swap|path|device|snapshot"
_UNIT = re.compile(rf"[\w:@.\\-]{{1,255}}\.(?:{_SUFFIXES})")
_OLD_FAILURE = re.compile(rf"Unit ([\w:@.\\-]{{1,255}}\.(?:{_SUFFIXES})) entered failed state\.?")
_IN_FILE = re.compile(r"\[?(/[^\s:]{1,1024}):[0-9]{1,7}\]?")
"""A line of a unit's file."""
_SESSION = re.compile(r"Session (\S{1,64}) of [Uu]ser (\S{1,255})")
_PROCESS_EXITED = re.compile(
    r"(?:Main|main|Control|control|Start|Stop) process exited, code=([a-z]{1,16}),? status=([0-9]{1,9})(?:/(\S{1,64}))?"
)
_EXITED = "exited"


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message; False when it is about neither a unit nor the manager."""
    word, _, rest = message.partition(" ")
    columns = VERBS.get(word)
    if columns is not None and rest:
        event.update(columns)
        _name(rest, event)
        return True
    unit = word.removesuffix(":")
    if _UNIT.fullmatch(unit) and (unit != word or UNIT_MESSAGES.parse(rest, event)):
        return _of_unit(unit, rest, event)
    if (unit != word or word[:1] == "[") and (file := _IN_FILE.fullmatch(unit)):
        event.update(INFO)
        extra(event).update({"file.path": file[1], "systemd.detail": rest})
        return True
    if found := _OLD_FAILURE.fullmatch(message):
        event.update(FAILED)
        extra(event)["systemd.unit"] = found[1]
        return True
    return MESSAGES.parse(message, event)


def _name(text: str, event: Event) -> None:
    """Set unit and description of `to start ssh.service - OpenBSD Secure Shell server.`; either may be missing."""
    for words in ("to start ", "to stop ", "to mount ", "to reload ", "to listen on ", "target ", "slice ", "swap "):
        text = text.removeprefix(words)
    for words in ("failed for ", "out waiting for ", "on ", "up automount ", "device "):
        text = text.removeprefix(words)
    text = text.removesuffix(".").removesuffix("..").rstrip("…")
    fields = extra(event)
    unit, dash, description = text.partition(" - ")
    if _UNIT.fullmatch(unit):
        fields["systemd.unit"] = unit
        text = description if dash else ""
    if found := _SESSION.fullmatch(text):
        fields["systemd.session"] = found[1]
        event["user_name"] = found[2]
    if text:
        fields["systemd.description"] = text


def _of_unit(unit: str, text: str, event: Event) -> bool:
    """Parse `ssh.service: Main process exited, code=exited, status=1/FAILURE`; unknown text about a unit is kept."""
    exited = _PROCESS_EXITED.fullmatch(text)
    if exited is not None:
        _exited(exited, event)
    elif not UNIT_MESSAGES.parse(text, event):
        event.update(INFO)
        extra(event)["systemd.detail"] = text
    extra(event)["systemd.unit"] = unit
    return True


def _exited(found: re.Match[str], event: Event) -> None:
    code, status, name = found.groups()
    event.update(FAILED, event_type=["end"], event_action="unit_process_exited")
    fields = extra(event)
    fields["systemd.code"] = code
    if code == _EXITED and (value := number(status, 9)) is not None:
        fields["process.exit_code"] = value
        event["event_outcome"] = "failure" if value else "success"
    if name:
        fields["systemd.status"] = name


STREAM = Stream(name="systemd", programs=("systemd",), parse=parse)
