"""From a packet that pf logged to columns.

Enters: pfSense's and OPNsense's `filterlog` (`streams.pf.filterlog`) and tcpdump's text of OpenBSD's and FreeBSD's
pflog, sent to syslog as `pf` or `pflogd` (`streams.pf.pflog`). A packet says nothing of an outcome in ECS's sense: what
the rule did is `event.type` and `event.action`.
"""

from streams.base import Joins, Stream
from streams.pf import filterlog, pflog
from topics.event import Event


def parse(message: str, event: Event, joins: Joins) -> bool:
    """Columns of one logged packet; False for anything else."""
    return filterlog.parse(message, event) or pflog.parse(message, event)


STREAM = Stream(name="pf", programs=("filterlog", "pf", "pflogd", "pflog", "tcpdump"), parse=parse)
