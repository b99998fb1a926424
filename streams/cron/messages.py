"""Holds the rules for messages of anacron, atd and run-parts, and of cron about itself.

Sources: cronie anacron/{main,runjob,lock}.c, at's atd.c, Fedora's run-parts of crontabs.
"""

from streams.mapping.rules import Rule, Rules
from topics.event import Event

_INFO: Event = {"event_category": ["process"], "event_type": ["info"], "event_action": "cron_message"}
_STARTED: Event = {**_INFO, "event_type": ["start"], "event_action": "cron_job_started"}
_ENDED: Event = {**_INFO, "event_type": ["end"], "event_action": "cron_job_ended"}
_SERVER_STARTED: Event = {**_INFO, "event_type": ["start"], "event_action": "cron_started"}
_SERVER_ENDED: Event = {**_INFO, "event_type": ["end"], "event_action": "cron_ended"}
_JOB = r"[`'](?P<job>[^']{1,255})'"
_DETAIL = r"(?P<detail>.*)"

PAM_SAYS = frozenset(
    (
        "Authentication failure",
        "Authentication service cannot retrieve authentication info",
        "Authentication token is no longer valid; new one required",
        "Cannot make/remove an entry for the specified session",
        "Critical error - immediate abort",
        "Failure setting user credentials",
        "Module is unknown",
        "Permission denied",
        "User account has expired",
        "User not known to the underlying authentication module",
    )
)
"""What Debian's cron says when PAM lets no job of a user run: PAM's words, nothing more."""

MESSAGES = Rules(
    "cron",
    {
        "Job": (
            Rule(rf"{_JOB} started", _STARTED),
            Rule(rf"{_JOB} terminated(?: \(exit status: (?P<status>[0-9]{{1,9}})\))?(?: {_DETAIL})?", _ENDED),
            Rule(rf"{_JOB} {_DETAIL}", _INFO),
        ),
        "Anacron": (Rule(rf"(?:[0-9.]{{1,16}} )?started {_DETAIL}", _SERVER_STARTED),),
        "Normal": (Rule(rf"exit {_DETAIL}", _SERVER_ENDED),),
        "Will": (Rule(rf"run job {_JOB} {_DETAIL}", _INFO),),
        "Updated": (Rule(rf"timestamp for job {_JOB} {_DETAIL}", _INFO),),
        "Jobs": (Rule(r"will be executed sequentially", _INFO),),
        "Starting": (
            Rule(
                r"job (?P<job_number>[0-9]{1,10}) \((?P<job>[^()]{1,255})\) for user '(?P<user_name>.{1,255}?)' "
                r"\((?P<user_id>[0-9]{1,10})\)",
                _STARTED,
            ),
        ),
    },
)

JOBS = Rules(
    "cron",
    {
        "starting": (Rule(r"(?P<job>.*)", _STARTED),),
        "finished": (Rule(r"(?P<job>.*)", _ENDED),),
    },
)
"""What run-parts says of each program of a directory, after the directory."""
