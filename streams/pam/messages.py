"""Lists the messages of PAM's modules, as rules; refusals have no action, because only the program knows it.

Sources: Linux-PAM 1.1 to 1.7 modules/*, sssd sss_client/pam_sss.c, google-authenticator-libpam, Samba's pam_winbind,
pam-krb5, nss-pam-ldapd, pam_abl, duo_unix. https://man7.org/linux/man-pages/man8/pam.8.html
"""

from streams.mapping.rules import Rule, Rules
from topics.event import Event

AUTHENTICATION = ["authentication"]
_IAM = ["iam"]

REFUSED: Event = {"event_category": AUTHENTICATION, "event_type": ["info"], "event_outcome": "failure"}
GRANTED: Event = {**REFUSED, "event_outcome": "success"}
DETAIL: Event = {"event_category": AUTHENTICATION, "event_type": ["info"], "event_action": "pam_message"}
_LOCKED: Event = {**REFUSED, "event_action": "account_locked"}
_CHANGED: Event = {
    "event_category": _IAM,
    "event_type": ["user", "change"],
    "event_action": "password_changed",
    "event_outcome": "success",
}
_UNCHANGED: Event = {**_CHANGED, "event_outcome": "failure"}

_USER = r"(?P<user_name>.*)"
_REASON = r"(?P<reason>.*)"

_TALLIED = (
    Rule(rf"{_USER} \((?P<uid>[0-9]{{1,10}})\) tally (?P<tally>[0-9]{{1,6}}), deny [0-9]{{1,6}}", _LOCKED),
    Rule(
        rf"(?>{_USER} \((?P<uid>[0-9]{{1,10}})\) has time limit (?=\[))(?P<reason>\[.*\] since last failure\.?)",
        _LOCKED,
    ),
    Rule(r"unknown(?: \((?P<user_name>.*)\))?", REFUSED),
    Rule(rf"\[{_USER}\] has blank password; authenticated without it", GRANTED),
    Rule(r"(?P<user_name>.*) (?P<reason>inactive for [0-9]{1,10} days?) - denied", REFUSED),
    Rule(r"'(?P<user_name>.*)' granted access", GRANTED),
    Rule(r"[`'](?P<user_name>.*)' OK", GRANTED),
    Rule(r"'(?P<user_name>.*)' denied access", REFUSED),
    Rule(r"'(?>(?P<user_name>.*)' denied access \((?=.))(?P<reason>.*)\)", REFUSED),
    Rule(r"\"(?P<user_name>.*)\" (?P<reason>does not exist in .*)", REFUSED),
    Rule(rf"\[{_USER}\] obtained", DETAIL),
    Rule(r"(?P<user_name>[^ ]*) authenticated as (?P<principal>.*)", GRANTED),
)

_PASSWORD = (
    Rule(r"changed for (?P<user_target_name>.*?)(?: by .*)?", _CHANGED),
    Rule(rf"check failed for user \({_USER}\)", REFUSED),
    Rule(rf"for user {_USER} will expire in (?P<days>[0-9]{{1,10}}) days?", DETAIL),
    Rule(r"- (?P<reason>(?:\(old\) )?token not obtained)", _UNCHANGED),
)

_ACCESS = (
    Rule(rf"denied for user [`'](?>{_USER}' from [`'](?=.))(?P<source_ip>.*)'", REFUSED),
    Rule(rf"denied for user (?>{_USER}: (?=[0-9]{{1,6}} \(.))(?P<reason>[0-9]{{1,6}} \(.*\))", REFUSED),
    Rule(r"denied (?:to|for) '(?>(?P<user_name>.*)' (?:for|to) '(?=.))(?P<user_effective_name>.*)'", REFUSED),
    Rule(r"granted (?:to|for) '(?>(?P<user_name>.*)' (?:for|to) '(?=.))(?P<user_effective_name>.*)'", GRANTED),
    Rule(r"denied: user (?P<user_name>\S+) \(uid=(?P<uid>[0-9]{1,10})\) (?P<reason>.*)", REFUSED),
    Rule(rf"denied: {_REASON}", REFUSED),
)

_KERBEROS = (
    Rule(r"succeeds for '(?>(?P<user_name>.*?)' \()(?P<principal>.*)\)", GRANTED),
    Rule(r"succeeds for '(?P<user_name>.*)'", GRANTED),
    Rule(r"fails for '(?P<user_name>.*?)'(?: \((?P<principal>[^()]*)\))?(?:: (?P<reason>.*))?", REFUSED),
    Rule(rf"failed; {_REASON}", REFUSED),
    Rule(r"failed", REFUSED),
    Rule(r"succeeded", GRANTED),
    Rule(r"<succeeded> for <[^<>]*> user: <(?P<user_name>[^<>]*)> .*", GRANTED),
    Rule(r"<failed> for <[^<>]*> user: <(?P<user_name>[^<>]*)> .*", REFUSED),
    Rule(rf"failure; user={_USER}", REFUSED),
)

_RHOSTS = r"to (?P<ruser>[^\s@]+)@(?P<source_ip>\S+) as (?P<user_name>[^:]*)(?:: (?P<reason>.*))?"
_DUO = r"Duo login for '(?P<user_name>[^']*)'(?: from (?P<source_ip>[^\s:]+|[0-9A-Fa-f:]{2,45}))?(?:: (?P<reason>.*))?"

_COULD = (
    Rule(rf"not identify user \(from getpwnam\({_USER}\)\)", REFUSED),
    Rule(r"not identify user(?: \(from uid=(?P<uid>[0-9]{1,10})\))?", REFUSED),
    Rule(rf"not obtain user info \({_USER}\)", REFUSED),
)

MESSAGES = Rules(
    "pam",
    {
        "check": (Rule(r"pass; user unknown", REFUSED),),
        "bad": (Rule(rf"username \[{_USER}\]", REFUSED),),
        "auth": (
            Rule(rf"could not identify password for \[{_USER}\]", REFUSED),
            Rule(rf"failed: {_REASON}", REFUSED),
        ),
        "One-time": (Rule(r"password not OK.*", REFUSED),),
        "pam_get_uid;": (Rule(r"no such user", REFUSED),),
        "denied": (Rule(_RHOSTS, REFUSED),),
        "allowed": (Rule(_RHOSTS, GRANTED),),
        "could": _COULD,
        "conversation": (Rule(r"failed", REFUSED),),
        "need": (Rule(r"a conversation function", REFUSED),),
        "account": (
            Rule(rf"{_USER} has (?P<reason>expired .*|password changed in future)", REFUSED),
            Rule(r"checks fail for '(?P<user_name>.*)': (?P<reason>.*)", REFUSED),
        ),
        "expired": (Rule(rf"password for user {_USER} \((?P<reason>[a-z ]*)\)", REFUSED),),
        "password": _PASSWORD,
        "new": (Rule(r"(?P<reason>password not acceptable.*)", _UNCHANGED),),
        "received": (Rule(rf"for user (?>{_USER}: (?=[0-9]{{1,4}} \(.))(?P<reason>[0-9]{{1,4}} \(.*\))", REFUSED),),
        "Consecutive": (Rule(rf"login failures for user {_USER} account temporarily locked", _LOCKED),),
        "user": _TALLIED,
        "User": (Rule(r"unknown", REFUSED), *_TALLIED),
        "access": _ACCESS,
        "Access": _ACCESS,
        "Refused": (Rule(rf"user {_USER} for service (?P<reason>\S+)", REFUSED),),
        "requirement": (
            Rule(r"\"(?>(?P<requirement>.*)\" not met by user \"(?=.))(?P<user_name>.*)\"", REFUSED),
            Rule(r"\"(?>(?P<requirement>.*)\" was met by user \"(?=.))(?P<user_name>.*)\"", GRANTED),
        ),
        "error": (
            Rule(rf"retrieving information about user {_USER}", REFUSED),
            Rule(r"trying to bind as user \"(?>(?P<dn>.*)\" \((?=.))(?P<reason>.*)\)", REFUSED),
        ),
        "authentication": _KERBEROS,
        "Authentication": _KERBEROS,
        "Accepted": (Rule(rf"google_authenticator for {_USER}", GRANTED),),
        "Invalid": (Rule(r"verification code(?: for (?P<user_name>.*))?", REFUSED),),
        "No": (Rule(r"user name available when checking verification code", REFUSED),),
        **dict.fromkeys(("Aborted", "Denied", "Error"), (Rule(_DUO, REFUSED),)),
        **dict.fromkeys(("Skipped", "Failsafe", "Successful"), (Rule(_DUO, GRANTED),)),
        "Failed": (
            Rule(_DUO, REFUSED),
            Rule(r"to read \"(?>(?P<secret>.*)\" for \"(?=.))(?P<user_name>.*)\"", REFUSED),
        ),
        "Too": (Rule(rf"many (?P<reason>logins \(max [0-9]{{1,10}}\)) for {_USER}", REFUSED),),
        "internal": (Rule(r"module error \(retval = (?P<reason>[^,]*), user = '(?P<user_name>.*)'\)", REFUSED),),
        "request": (Rule(rf"(?:\S+ )?failed: {_REASON}", REFUSED),),
        "Blocking": (
            Rule(r"access from (?P<source_ip>\S+) to service (?P<reason>\S+), user (?P<user_name>.*)", REFUSED),
        ),
    },
)
