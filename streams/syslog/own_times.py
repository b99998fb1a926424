"""Parses messages that begin with the program's own time, which becomes the event's.

It is for programs that write files of their own, or put their own time after syslog's header. The message begins with
the time, in any dialect that `streams.syslog.stamps` reads.
"""

from datetime import UTC

from streams.base import Parse, StateStore
from streams.common.text import extra
from streams.syslog import stamps
from streams.syslog.timestamps import ZONE
from topics.event import Event


def timed(parse: Parse, message: str, event: Event, state: StateStore, after: str = "") -> bool:
    """Parse the text after the time by `parse`, which finds that time in the event.

    False, and `event` untouched, when there is no time or `parse` returns False. `after` is what stands between the
    time and the text.
    """
    stamp = stamps.read(message, event["timestamp"], event.get(ZONE, UTC))
    if stamp is None or not message.startswith(after, stamp.end):
        return False
    received = event["timestamp"]
    event["timestamp"] = stamp.when
    if not parse(message[stamp.end + len(after) :], event, state):
        event["timestamp"] = received
        return False
    if ZONE in event and not stamp.zoned:
        extra(event)["event.timezone"] = str(event[ZONE])
    return True
