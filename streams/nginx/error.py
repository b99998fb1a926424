"""Parses lines of nginx's error log.

The format: `2026/11/24 04:05:06 [error] 12#13: *7 MESSAGE, client: 192.0.2.1, server: s, request: "GET / HTTP/1.1",
upstream: "http://...", host: "h", referrer: "r"`. Sources: nginx src/core/ngx_log.c, src/http/ngx_http_request.c
(ngx_http_log_error_handler). https://nginx.org/en/docs/ngx_core_module.html#error_log

Nothing in this log is escaped. The client chooses request and referrer, which stand behind its address, and,
percent-decoded, a path in the message, which stands before it. So a line with several `, client: ` may not tell which
of them is nginx's own; then the event has no address (`_client`).
"""

import re
from itertools import islice
from urllib.parse import unquote

from streams.common import weblog
from streams.common.http_requests import set_target
from streams.common.modsecurity import find_alert
from streams.common.text import extra, port_number, put, set_endpoint
from streams.syslog.timestamps import set_civil
from topics.event import Event

NAME = "nginx.error"
_HEAD = re.compile(
    r"([0-9]{4})/([0-9]{2})/([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) \[([a-z]{4,6})\] "
    r"([0-9]{1,10})#([0-9]{1,10}): (?:\*([0-9]{1,18}) )?"
)
_USER = re.compile(
    r'user "(.*)"(?::? password mismatch(?:: .*)?| (?:was )?not found(?: in ".++(?<=")|: .*))', re.DOTALL
)
_PAM_USER = re.compile(r"PAM: user '(.*)' - not authenticated(?:: [A-Za-z ]{0,80})?", re.DOTALL)
_LOGGED_IN = "client logged in"
_MAIL_LOGINS = (_LOGGED_IN, "client login failed")
_MAIL_LOGIN: Event = {
    "event_category": ["authentication"],
    "event_type": ["info"],
    "event_action": "mail_login",
}
"""What the mail proxy says; the server behind it counts the attempt."""
_CONNECTED = re.compile(
    r"client ([0-9A-Fa-f.:]{2,45}|\[[0-9A-Fa-f:]{2,45}\]):([0-9]{1,5}) connected to "
    r"([0-9A-Fa-f.:]{2,45}|\[[0-9A-Fa-f:]{2,45}\]):([0-9]{1,5})"
)
_MODSECURITY = re.compile(r"\[client [^\]\s]{1,64}\] (?=ModSecurity: )")
_CLIENT = ", client: "
_CLIENTS = re.compile(
    r", client: (?:unix:|[0-9A-Fa-f.:]{2,45})(?: using starttls)?(?=, server: |, request: \"|, login: \"|$)"
)
_REQUESTS = re.compile(r', (?:request|login): "')
_FREE = ("[lua]", "lua ", "js: ", "perl: ", "FastCGI ")
"""How messages of the server's scripts begin, which may repeat a client's text without quotes."""
_PATH_FIRST = ('open() "', 'stat() "', 'lstat() "', 'opendir() "', 'openat() "', '"', 'directory index of "')
_PATH_ENDS = ('" failed (', '" is not found (', '" is forbidden')
_REFUSALS = (
    "access forbidden by rule",
    "directory index of ",
    "no user/password was provided ",
    "limiting requests",
    "limiting connections",
)
_KEYS = ("referrer", "host", "upstream", "subrequest")
_MOST_CLIENTS = 8
_CUT = 1900
"""nginx writes no more than 2048 bytes of a line, its beginning among them."""
_LONGEST_REFUSAL = 4096


def parse(message: str, event: Event) -> bool:
    """Columns of one line; False for other lines."""
    head = _HEAD.match(message)
    if head is None:
        return False
    year, *moment, level, pid, thread, connection = head.groups()
    month, day, hour, minute, second = (int(part) for part in moment)
    if not set_civil(event, (month, day, hour, minute, second), int(year)):
        return False
    event.update(weblog.of_level(level))
    event["process_pid"] = int(pid)
    fields = extra(event)
    fields.update({"log.level": level, "process.thread.id": int(thread)})
    if connection:
        fields["nginx.error.connection"] = connection
    _set_context(message[head.end() :], event)
    event["event_dataset"] = NAME
    return True


def sniff(text: str) -> bool:
    """Whether a line begins like one of this log."""
    return text[:2] == "20" and _HEAD.match(text) is not None


def _set_context(text: str, event: Event) -> None:
    """Set the message, and the request it is about."""
    at = _client(text)
    said = text if at < 0 else text[:at]
    _set_meaning(said, event)
    extra(event)["nginx.error.reason"] = said
    if at < 0:
        return
    client, comma, rest = text[at + len(_CLIENT) :].partition(", ")
    client, starttls, _ = client.partition(" using starttls")
    set_endpoint(event, "source", client.removeprefix("unix:"))
    if starttls:
        extra(event)["nginx.error.starttls"] = True
    server, quote, rest = (comma + rest).partition(', request: "')
    if not quote:
        server = _set_login(server, event)
    if server := server.removeprefix(", server: "):
        extra(event)["nginx.error.server"] = server
    if quote:
        _set_request(rest.removesuffix('"'), event)


def _set_login(server: str, event: Event) -> str:
    """Set whom the mail proxy was asked to let in, `, login: "alice", upstream: 192.0.2.1:143`; return what is before.

    The client chose the name, which is not escaped, so what follows it is read only when it is there once.
    """
    server, quote, login = server.partition(', login: "')
    if quote:
        if login.count('", upstream: ') == 1:
            login, _, upstream = login.partition('", upstream: ')
            extra(event)["nginx.error.upstream"] = upstream
        put(event, "user_name", login.removesuffix('"'))
    return server


def _client(text: str) -> int:
    """The position of the `, client: ` that nginx itself wrote; -1 when there is none, or when it is not certain.

    nginx writes it before the request, so when no other follows `, request: "`, it is the last one before that. A line
    that nginx had to cut may have lost it.
    """
    places = [found.start() for found in islice(_CLIENTS.finditer(text), _MOST_CLIENTS)]
    if not places or _quotes_nothing(text[: places[0]]):
        return places[0] if places else -1
    if len(places) == _MOST_CLIENTS or len(text.encode("utf-8", "surrogatepass")) > _CUT:
        return -1
    request = _REQUESTS.search(text, places[0])
    before = [place for place in places if request is None or place < request.start()]
    if len(before) == len(places):
        return before[-1]
    return _first_or_last(text, places) if len(places) == 2 else -1


def _quotes_nothing(said: str) -> bool:
    """Whether a message holds nothing that a client chose."""
    return '"' not in said and "'" not in said and not said.startswith(_FREE)


def _first_or_last(text: str, places: list[int]) -> int:
    """Choose between two places: one in a message that quotes a path, and one in what looks like its request.

    The last is right when the message is not whole without the first. The first is right when the request does not
    hold, encoded, what such a path would.
    """
    said = text[: places[0]]
    if not said.startswith(_PATH_FIRST):
        return -1
    if not any(tail in said for tail in _PATH_ENDS):
        return places[1]
    return -1 if _CLIENT in unquote(unquote(text[places[1] + 1 :])) else places[0]


def _set_meaning(said: str, event: Event) -> None:
    if len(said) < _LONGEST_REFUSAL and (found := _USER.fullmatch(said) or _PAM_USER.fullmatch(said)):
        event.update(event_category=["web", "authentication"], event_type=["info"], event_outcome="failure")
        event["event_action"] = "http_authentication"
        put(event, "user_name", found[1])
    elif found := _MODSECURITY.match(said):
        find_alert(said[found.end() :], event, "nginx")
    elif said.startswith(_REFUSALS):
        event["event_outcome"] = "failure"
    elif said.startswith(_MAIL_LOGINS):
        event.update(_MAIL_LOGIN, event_outcome="success" if said.startswith(_LOGGED_IN) else "failure")
    elif found := _CONNECTED.fullmatch(said):
        set_endpoint(event, "source", found[1], found[2])
        set_endpoint(event, "destination", found[3], found[4])


def _set_request(rest: str, event: Event) -> None:
    """Set the request, and what follows it, which is read from the end backwards."""
    found: dict[str, str] = {}
    for key in _KEYS:
        if rest.count(f'", {key}: "') > 1:  # typed, at least once: what follows the request is not told from it
            break
        before, quote, value = rest.rpartition(f'", {key}: "')
        if quote:
            found[key], rest = value, before
    set_target(rest, event, NAME)
    put(event, "http_request_referrer", found.get("referrer", ""))
    fields = extra(event)
    if host := found.get("host"):
        name, _, port = host.partition(":")
        fields.setdefault("url.domain", name)
        if port_of_host := port_number(port):
            fields["url.port"] = port_of_host
    for key in ("upstream", "subrequest"):
        if found.get(key):
            fields[f"nginx.error.{key}"] = found[key]
