"""Collects all messages of OpenSSH's server except its verdicts; lists those about sessions and itself.

Sources: OpenSSH 6 to 10, session.c, servconf.c, sshd.c. https://man.openbsd.org/sshd.8
"""

from streams.mapping.rules import Rule, Rules
from streams.sshd.connections import CONNECTIONS
from streams.sshd.logins import LOGINS
from streams.sshd.patterns import CONFIGURED, DETAIL, LEFT, OPENED, PEER, REASON, SERVER, STARTED, STOPPED, UNABLE

_STARTING = (
    Rule(
        rf"session: (?P<session>.*?)(?: on (?P<tty>[^ ]+))? for (?P<user_name>[^ ]+) from {PEER}"
        r"(?: id (?P<session_id>[0-9]{1,10}))?",
        OPENED,
    ),
)

_SESSIONS_AND_SERVER: dict[str, tuple[Rule, ...]] = {
    "Changed": (Rule(r"root directory to \"(?P<root>.*)\"", DETAIL),),
    "WARNING:": (Rule(REASON, CONFIGURED),),
    "/etc/ssh/sshd_config:": (Rule(REASON, UNABLE),),
    "/etc/ssh/sshd_config": (Rule(REASON, UNABLE),),
    "command-line:": (Rule(REASON, UNABLE),),
    "reprocess": (Rule(rf"config line [0-9]{{1,6}}: {REASON}", CONFIGURED),),
    "Deprecated": (Rule(REASON, CONFIGURED),),
    "Set": (Rule(r"/proc/self/oom_(?:score_)?adj .*", CONFIGURED),),
    "lastlog_get_entry:": (Rule(REASON, CONFIGURED),),
    "lastlog_openseek:": (Rule(REASON, CONFIGURED),),
    "lastlog_perform_login:": (Rule(REASON, CONFIGURED),),
    "lastlog_write_entry:": (Rule(REASON, CONFIGURED),),
    "syslogin_perform_logout:": (Rule(REASON, CONFIGURED),),
    "logout()": (Rule(REASON, CONFIGURED),),
    "ssh_selinux_change_context:": (Rule(REASON, CONFIGURED),),
    "sshd": (Rule(r"version (?P<version>.*)", CONFIGURED),),
    "sshd:": (Rule(REASON, UNABLE),),
    "main:": (Rule(REASON, CONFIGURED),),
    "RESTART": (Rule(REASON, UNABLE),),
    "Caught": (Rule(r"signal (?P<signal>[0-9]{1,4})", STOPPED),),
    "Forked": (Rule(r"child (?P<child>[0-9]{1,10})\.", CONFIGURED),),
    "rexec": (Rule(rf"line [0-9]{{1,6}}: {REASON}", CONFIGURED),),
    "Missing": (Rule(r"privilege separation directory: .*", UNABLE),),
    "Starting": _STARTING,
    "Close": (Rule(rf"session: user (?P<user_name>.*) from {PEER} id (?P<session_id>[0-9]{{1,10}})", LEFT),),
    "subsystem": (
        Rule(
            r"request for (?P<subsystem>\S+)(?: by user (?P<user_name>\S*))?"
            r"(?: (?P<reason>failed, subsystem not found))?",
            DETAIL,
        ),
    ),
    "Server": (Rule(r"listening on (?P<server_ip>\S+) port (?P<server_port>[0-9]{1,5})\.?(?: rdomain .*)?", STARTED),),
    "Exiting": (Rule(r"on signal (?P<signal>[0-9]{1,4})", STOPPED),),
    "beginning": (Rule(r"MaxStartups throttling", {**SERVER, "event_action": "throttling_started"}),),
    "exited": (
        Rule(
            r"MaxStartups throttling after (?P<throttled_for>[0-9:]{1,16}), "
            r"(?P<dropped>[0-9]{1,10}) connections? dropped",
            {**SERVER, "event_action": "throttling_ended"},
        ),
    ),
    "Transferred:": (
        Rule(r"sent (?P<bytes_sent>[0-9]{1,18}), received (?P<bytes_received>[0-9]{1,18}) bytes", DETAIL),
    ),
    "Bind": (Rule(r"to port (?P<server_port>[0-9]{1,5}) on (?P<server_ip>\S+) failed: (?P<reason>.*)", UNABLE),),
    "Could": (
        Rule(r"not get shadow information for (?:NOUSER|(?P<user_name>\S+))", DETAIL),
        Rule(r"not reverse map address (?P<source_ip>\S+?)\.", DETAIL),
        Rule(r"not (?:load host key|open|stat|chdir|write|create).*", CONFIGURED),
    ),
    "Allocated": (Rule(r"port (?P<port>[0-9]{1,5}) for remote forward to .*", DETAIL),),
    "Failed": (Rule(r"(?P<reason>to (?:allocate|open|create|set|write|get|add) .*)", UNABLE),),
    **dict.fromkeys(
        ("AuthorizedKeysCommand", "AuthorizedPrincipalsCommand", "Excessive", "nss_ldap:", "Unsafe"),
        (Rule(REASON, UNABLE),),
    ),
    **dict.fromkeys(
        ("login_get_lastlog:", "login_init_entry:", "mm_log_handler:", "ssh:", "PAM_ERROR_MSG:", "PAM_TEXT_INFO:"),
        (Rule(REASON, CONFIGURED),),
    ),
    "USER_PROCESS:": (Rule(r"(?P<child>[0-9]{1,10}) (?P<tty>\S+)", {**OPENED, "event_action": "session_process"}),),
    "DEAD_PROCESS:": (Rule(r"(?P<child>[0-9]{1,10}) (?P<tty>\S+)", LEFT),),
    "Cannot": (Rule(r"bind any address\.", UNABLE),),
    "Setting": (Rule(r"tty modes failed: .*", CONFIGURED),),
}

MESSAGES = Rules("sshd", {**LOGINS, **CONNECTIONS, **_SESSIONS_AND_SERVER})
