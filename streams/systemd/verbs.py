"""Lists the verbs that systemd's messages begin with and what they mean; other messages are rules.

Sources: systemd 208 to 256, src/core/{unit,job,service,mount,socket,device,manager,main}.c.
"""

from streams.mapping.rules import Rule, Rules
from topics.event import Event

INFO: Event = {"event_category": ["process"], "event_type": ["info"], "event_action": "unit_message"}
_DETAIL = r"(?P<detail>.*)"


def _did(action: str, kind: str, outcome: str = "success") -> Event:
    columns: Event = {"event_category": ["process"], "event_type": [kind], "event_action": action}
    return {**columns, "event_outcome": outcome} if outcome else columns


FAILED = _did("unit_failed", "info", "failure")
_STARTING, _STOPPING = _did("unit_starting", "info", ""), _did("unit_stopping", "info", "")
_STARTED, _STOPPED = _did("unit_started", "start"), _did("unit_stopped", "end")
_RELOADED = _did("unit_reloaded", "change")
_NOT_STARTED = _did("unit_failed", "start", "failure")
_RESTART = _did("unit_restart_scheduled", "info", "")
_KILLED = _did("unit_process_killed", "end", "failure")
_HOST: Event = {"event_category": ["host"], "event_type": ["info"], "event_action": "manager_message"}
_HOST_STARTED: Event = {**_HOST, "event_type": ["start"], "event_action": "startup_finished"}
_HOST_ENDED: Event = {**_HOST, "event_type": ["end"], "event_action": "shutting_down"}

VERBS: dict[str, Event] = {
    **dict.fromkeys(("Starting", "Mounting", "Activating", "Setting"), _STARTING),
    **dict.fromkeys(
        ("Started", "Mounted", "Finished", "Reached", "Listening", "Created", "Activated", "Set"), _STARTED
    ),
    **dict.fromkeys(("Expecting", "Found"), INFO),
    **dict.fromkeys(("Stopping", "Unmounting", "Deactivating"), _STOPPING),
    **dict.fromkeys(("Stopped", "Unmounted", "Closed", "Removed", "Deactivated", "Unset"), _STOPPED),
    **dict.fromkeys(("Reloaded",), _RELOADED),
    **dict.fromkeys(("Reloading",), _did("unit_reloading", "info", "")),
    **dict.fromkeys(("Failed", "Dependency", "Timed"), _NOT_STARTED),
}
"""What the manager did to the unit or job that the rest of the message names, by the first word."""

UNIT_MESSAGES = Rules(
    "systemd",
    {
        "Failed": (Rule(r"with result '(?P<result>[^']{1,64})'\.?", FAILED), Rule(_DETAIL, _NOT_STARTED)),
        "Succeeded.": (Rule(r"", _STOPPED),),
        "Deactivated": (Rule(r"successfully\.?", _STOPPED),),
        "Unit": (Rule(rf"entered failed state{_DETAIL}", FAILED), Rule(_DETAIL, INFO)),
        "Scheduled": (
            Rule(r"restart job, restart counter is at (?P<restarts>[0-9]{1,10})\.", _RESTART),
            Rule(rf"restart job{_DETAIL}", _RESTART),
        ),
        "Service": (Rule(rf"(?:hold-off|RestartSec)[ =]{_DETAIL}", _RESTART), Rule(_DETAIL, INFO)),
        "Start": (Rule(rf"request repeated too quickly\.?{_DETAIL}", _NOT_STARTED), Rule(_DETAIL, FAILED)),
        "A": (
            Rule(rf"process of this unit has been killed by the OOM killer\.{_DETAIL}", _KILLED),
            Rule(_DETAIL, INFO),
        ),
        "Killing": (
            Rule(r"process (?P<killed_pid>[0-9]{1,10}) \((?P<killed>.*)\) with signal (?P<signal>\S{1,16})\.", _KILLED),
        ),
        "Watchdog": (Rule(rf"timeout{_DETAIL}", FAILED),),
        "failed.": (Rule(r"", FAILED),),
        "holdoff": (Rule(rf"time over, {_DETAIL}", _RESTART),),
        "start": (Rule(rf"operation timed out\.{_DETAIL}", _NOT_STARTED), Rule(_DETAIL, _NOT_STARTED)),
        "stop": (Rule(rf"operation timed out\.{_DETAIL}", FAILED), Rule(_DETAIL, FAILED)),
        "State": (Rule(rf"'[^']{{1,64}}' timed out\.{_DETAIL}", FAILED),),
        "Job": (Rule(rf"\S{{1,300}} failed with result {_DETAIL}", FAILED), Rule(_DETAIL, INFO)),
    },
)
"""Messages after the unit and its colon."""

MESSAGES = Rules(
    "systemd",
    {
        "Startup": (Rule(rf"finished in {_DETAIL}", _HOST_STARTED),),
        "systemd": (Rule(rf"(?P<version>[0-9]{{1,4}}\S{{0,64}}) running in (?P<mode>\S+) mode\.?{_DETAIL}", _HOST),),
        "Shutting": (Rule(r"down\.", _HOST_ENDED),),
        "Powering": (Rule(r"off\.", _HOST_ENDED),),
        "Rebooting.": (Rule(r"", _HOST_ENDED),),
        "Reloading.": (Rule(r"", _HOST),),
        "Reexecuting.": (Rule(r"", _HOST),),
        "Received": (
            Rule(r"(?P<signal>SIG\S{1,16}) from PID (?P<from_pid>[0-9]{1,10}) \((?P<from>.*)\)\.", _HOST),
            Rule(r"(?P<signal>SIG\S{1,16})\.?", _HOST),
        ),
        "Detected": (Rule(_DETAIL, _HOST),),
        **dict.fromkeys(
            ("Got", "Condition", "Configuration", "Unit", "Supervising", "Requested"), (Rule(_DETAIL, INFO),)
        ),
        **dict.fromkeys(("Cannot", "Couldn't", "Can't"), (Rule(_DETAIL, {**INFO, "event_outcome": "failure"}),)),
        **dict.fromkeys(("Binding", "Inserted", "Using", "Modules", "Watchdog", "Hardware"), (Rule(_DETAIL, _HOST),)),
        "start": (Rule(r"request repeated too quickly for (?P<unit>\S{1,255})", _NOT_STARTED),),
        "Hostname": (Rule(r"set to <(?P<hostname>[^>]{1,255})>\.?", _HOST),),
        "Initializing": (Rule(_DETAIL, _HOST),),
        "Queued": (Rule(rf"start job for {_DETAIL}", _HOST),),
        "Time": (Rule(rf"has been changed{_DETAIL}", {**_HOST, "event_type": ["change"]}),),
        "Relabelled": (Rule(_DETAIL, _HOST),),
        "Switching": (Rule(_DETAIL, _HOST),),
        "Running": (Rule(_DETAIL, _HOST),),
        "Successfully": (Rule(_DETAIL, _HOST),),
        "Looping": (Rule(_DETAIL, {**_HOST, "event_outcome": "failure"}),),
    },
)
"""Messages of the manager about itself."""
