"""Parses packets that pf logged.

It reads pfSense's and OPNsense's `filterlog` (`streams.pf.filterlog`) and tcpdump's text of OpenBSD's and FreeBSD's
pflog, sent to syslog as `pf` or `pflogd` or kept with its time (`streams.pf.pflog`). A packet has no outcome in ECS's
sense: what the rule did is `event.type` and `event.action`.
"""

import re

from streams.base import StateStore, Stream
from streams.pf import filterlog, pflog
from streams.syslog.own_times import timed
from topics.event import Event

_SNIFF = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{6} rule [^ /]{1,64}/|"
    r"[0-9]{1,10},[0-9]{0,10},[^,]{0,64},\w{0,32},[\w.]{1,32},[\w-]{1,32},[a-z]{2,16},(?:in|out),[46],"
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one logged packet; False for anything else."""
    return filterlog.parse(message, event) or timed(_parse_text, message, event, state) or pflog.parse(message, event)


def sniff(text: str) -> bool:
    """Whether a line without a header is a packet of tcpdump's with its time, or one of filterlog's."""
    return text[:1].isdigit() and _SNIFF.match(text) is not None


def _parse_text(message: str, event: Event, state: StateStore) -> bool:
    return pflog.parse(message, event)


STREAM = Stream(name="pf", programs=("filterlog", "pf", "pflogd", "pflog", "tcpdump"), parse=parse, sniff=sniff)
