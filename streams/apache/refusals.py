"""Parses what Apache's modules say of a request that they refuse: whom they refuse, and why.

Sources: httpd 2.2 and 2.4, modules/aaa/mod_auth_basic.c, mod_auth_digest.c, mod_authz_*.c. Quotes in a name are
escaped, so a path in quotes is the server's own. The access log has the attempt.
"""

import re

from streams.common.text import extra, put
from topics.event import Event

_REFUSED: Event = {
    "event_category": ["web", "authentication"],
    "event_type": ["info"],
    "event_action": "http_authentication",
    "event_outcome": "failure",
}
_USERS = tuple(
    re.compile(rf"(?:Digest: )?user [`']?(.{{1,256}}?)'?{end}", re.DOTALL)
    for end in (
        r": authentication failure for \"(?P<path>[^\"]*)\": (?P<reason>.*)",
        r": (?P<reason>password mismatch): (?P<path>/.*)",
        r" in realm .{1,256} (?P<reason>not found|denied by provider): (?P<path>/.*)",
        r": (?P<reason>authorization failure)(?: for)?:? \"?(?P<path>/[^\" ]*)\"?.*",
        r": (?P<reason>nonce expired|one-time-nonce mismatch)(?P<path>).*",
        r" (?P<reason>not found): (?P<path>/[^ ]*)",
    )
)
_AUTHORIZATION = re.compile(
    r"Authorization of user (\S{1,256}) to access (\S{0,4096}) failed(?:, reason: .*)?", re.DOTALL
)
_REFUSALS = (
    *("client denied by server configuration", "Directory index forbidden", "client used wrong authentication"),
    *("invalid nonce ", "realm mismatch ", "unknown algorithm ", "invalid qop ", "access to ", "Invalid URI in "),
)


def find_refusal(said: str, event: Event) -> None:
    """Add the columns of a refusal; other messages add none."""
    if said.startswith(("user ", "Digest: ")):
        _refuse_user(said, event)
    elif found := _AUTHORIZATION.fullmatch(said):
        event.update(event_outcome="failure", user_name=found[1])
    elif said.startswith(_REFUSALS):
        event["event_outcome"] = "failure"


def _refuse_user(said: str, event: Event) -> None:
    """Set the columns of a user whose password is wrong, who is unknown, or who lacks the right."""
    found = next((found for pattern in _USERS if (found := pattern.fullmatch(said))), None)
    if found is None:
        event["event_outcome"] = "failure"
        return
    event.update(_REFUSED, user_name=found[1])
    put(event, "url_path", found["path"])
    put(extra(event), "event.reason", found["reason"])
