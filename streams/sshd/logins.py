"""Lists the messages of OpenSSH's server about who may log in, other than its verdicts.

Sources: OpenSSH 6 to 10, auth.c, auth2.c, auth2-pubkey.c, auth2-hostbased.c, auth-pam.c, monitor.c.
"""

from streams.mapping.rules import Rule
from streams.sshd.patterns import (
    BROKEN,
    DETAIL,
    EITHER,
    GOT_IN,
    GOT_NOT_IN,
    OLD_PEER,
    PEER,
    REASON,
    REFUSED,
    ROOT,
    TRIED,
    columns,
)

_PAM_REFUSAL = (
    r"for (?:(?P<user_status>illegal|invalid) user )?(?P<user_name>.*) from (?P<source_ip>\S+)"
    r"(?: via (?P<destination_ip>\S+))?"
)
"""The end that OpenSSH adds to PAM's messages; `via` is the address that the client connected to."""

_INVALID = (
    Rule(rf"user from {PEER}", REFUSED),
    Rule(rf"user from {OLD_PEER}", REFUSED),
    Rule(rf"user (?P<user_name>.*) from {PEER}", REFUSED),
    Rule(rf"user (?P<user_name>.*) from {OLD_PEER}", REFUSED),
)

_USER_REFUSED = (
    Rule(
        r"(?P<user_name>.*) from (?P<source_ip>\S+) not allowed because "
        r"(?P<reason>listed in DenyUsers|not listed in AllowUsers|not in any group|a group is listed in DenyGroups"
        r"|none of user's groups are listed in AllowGroups)",
        REFUSED,
    ),
    Rule(
        r"(?P<user_name>.*) not allowed because "
        r"(?P<reason>account is locked|shell \S* (?:does not exist|is not executable)|[A-Za-z' ]{1,80})",
        REFUSED,
    ),
    Rule(r"(?P<user_name>.*) password has expired \((?P<reason>[a-z ]*)\)", REFUSED),
    Rule(rf"(?P<reason>not known to the underlying authentication module) {_PAM_REFUSAL}", REFUSED),
    Rule(r"child is on pid (?P<child>[0-9]{1,10})", DETAIL),
)

_TRIED = (
    Rule(rf"(?P<reason>failure|error|failed) {_PAM_REFUSAL}", REFUSED),
    Rule(
        r"(?=.*\)\.\Z)tried for (?P<user_name>.*) with correct key but not from a permitted host "
        r"\(host=(?P<reverse_name>[^ ,]*), ip=(?P<source_ip>[^ ,]+)(?:, required=(?P<required>.*))?\)\.",
        REFUSED,
    ),
    Rule(
        r"tried for (?P<user_name>.*) with valid certificate but not from a permitted (?:source address|host)"
        r" \((?:ip=)?(?P<source_ip>[^ ]+)\)\.",
        REFUSED,
    ),
    Rule(rf"refused: {REASON}", REFUSED),
    Rule(rf"key (?P<key>\S+ \S+) revoked by file {REASON}", REFUSED),
)

LOGINS: dict[str, tuple[Rule, ...]] = {
    "Accepted": (
        Rule(rf"key (?P<key>\S+ \S+) found at {REASON}", DETAIL),
        Rule(r"certificate ID (?P<certificate>\".*\" .*)", DETAIL),
        Rule(r"(?P<method>google_authenticator) for (?P<user_name>.*)", {**DETAIL, "event_outcome": "success"}),
    ),
    "Invalid": _INVALID,
    "Illegal": _INVALID,
    "User": _USER_REFUSED,
    "userauth_pubkey:": (Rule(REASON, REFUSED),),
    "Refused": (Rule(rf"by {REASON}", REFUSED),),
    "maximum": (
        Rule(
            rf"authentication attempts exceeded for {TRIED}",
            REFUSED,
        ),
    ),
    "Too": (
        Rule(rf"many authentication failures for {EITHER}", REFUSED),
        Rule(r"many authentication failures for (?P<user_name>.*)", REFUSED),
    ),
    "ROOT": (Rule(rf"LOGIN REFUSED FROM {PEER}", ROOT), Rule(rf"LOGIN REFUSED FROM {OLD_PEER}", ROOT)),
    "Root": (Rule(r"login accepted for forced command\.", {**DETAIL, "user_name": "root"}),),
    "input_userauth_request:": (
        Rule(r"(?P<user_status>invalid|illegal) user (?P<user_name>.*)", REFUSED),
        Rule(REASON, BROKEN),
    ),
    "PAM:": (
        Rule(
            rf"(?P<reason>[A-Za-z ,']{{1,120}}?) {_PAM_REFUSAL}",
            REFUSED,
        ),
        Rule(r"(?P<reason>pam_[a-z_]{1,40}\(\): .*)", columns("pam_message", "failure")),
        Rule(r"(?P<reason>authentication thread exited unexpectedly\.)", columns("pam_message", "failure")),
        Rule(REASON, DETAIL),
    ),
    "PAM": (
        Rule(r"authentication failed(?: for (?:illegal user )?(?P<user_name>.*?))?: (?P<reason>.*)", REFUSED),
        Rule(r"rejected by account configuration\[[0-9]{1,6}\]: (?P<reason>.*)", REFUSED),
    ),
    "Keyboard-interactive": (Rule(r"\(PAM\) userauth failed\[[0-9]{1,6}\].*?: (?P<reason>.*)", REFUSED),),
    "Locked": (Rule(r"account (?P<user_name>.*) may not log in", REFUSED),),
    "Password": (
        Rule(r"for (?P<user_name>.*) has expired", REFUSED),
        Rule(r"authentication for (?P<user_name>.*) accepted\.", GOT_IN),
        Rule(r"authentication for (?P<user_name>.*) failed\.", GOT_NOT_IN),
    ),
    "Refusing": (Rule(rf"(?P<key>\S+) key: {REASON}", REFUSED),),
    "Access": (Rule(r"denied for user (?P<user_name>.*) by PAM account configuration", REFUSED),),
    "Account": (Rule(r"(?P<user_name>.*) has expired", REFUSED),),
    "Login": (
        Rule(rf"restricted for (?P<user_name>[^:]*): {REASON}", REFUSED),
        Rule(r"name (?P<user_name>.*) does not match stored username (?P<stored_name>.*)", REFUSED),
    ),
    "Authentication": _TRIED,
    "authentication": _TRIED,
    "Certificate": (Rule(rf"invalid: {REASON}", REFUSED), Rule(REASON, REFUSED)),
    "key_cert_check_authority:": (Rule(REASON, REFUSED),),
    "userauth_hostbased": (Rule(rf"mismatch: {REASON}", REFUSED),),
    "Found": (Rule(r"matching (?P<key>\S+ key: \S+)", DETAIL),),
    "Attempt": (Rule(r"to write login records by non-root user \(aborting\)", DETAIL),),
    "userauth-request": (Rule(r"for user (?P<user_name>.*) service \S+ method (?P<method>\S+)", DETAIL),),
    "SSH:": (
        Rule(
            r"Server;Ltype: Authname;Remote: (?P<source_ip>[0-9A-Fa-f.:]+)-(?P<source_port>[0-9]{1,5});"
            r"Name: (?P<user_name>.*)",
            DETAIL,
        ),
        Rule(
            r"Server;Ltype: (?:Version|Kex);Remote: (?P<source_ip>[0-9A-Fa-f.:]+)-(?P<source_port>[0-9]{1,5});"
            r"(?P<banner>.*)",
            DETAIL,
        ),
    ),
    "Authorized": (Rule(r"to (?P<user_name>.*), (?P<authorized_by>[a-z0-9 ]+ principal .*)", DETAIL),),
}
