"""Reads what a rule decided from the prefix of a logged packet.

Prefixes are such as `[UFW BLOCK] `, `FINAL_REJECT: `, `[WAN_LOCAL-4000-D]`. The administrator chooses them, so they are
searched for the words that prefixes use. `man iptables-extensions` (LOG), `man ufw` (LOGGING), firewalld's LogDenied,
Shorewall's LOGFORMAT, the labels of Ubiquiti's gateways.
"""

import re
from functools import lru_cache

from topics.event import Event

_BASE: Event = {"event_category": ["network"], "event_type": ["connection"], "event_action": "packet_logged"}
_VERDICTS = {
    **dict.fromkeys(("drop", "dropped", "drops", "dropping"), "drop"),
    **dict.fromkeys(("block", "blocked", "blacklist", "blacklisted", "ban", "banned", "banip"), "block"),
    **dict.fromkeys(("deny", "denied"), "deny"),
    **dict.fromkeys(("reject", "rejected"), "reject"),
    **dict.fromkeys(("accept", "accepted", "pass", "passed", "permit", "permitted"), "accept"),
    **dict.fromkeys(("allow", "allowed"), "allow"),
}
_ALLOWED = ("accept", "allow")
_LETTERS = {"A": "accept", "D": "drop", "R": "reject", "RET": "return"}
_WORD = re.compile(r"[A-Za-z]+")
_UBIQUITI = re.compile(r"\[([^\]]{1,128})-([^\]-]{1,64})-([ADR]|RET)\]|\[([^\]]{1,128})-([ADR]|RET)-([^\]-]{1,64})\]")
_PROXMOX = re.compile(
    r"[0-9]{1,9} [0-7] ([\w-]{1,64}) [0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4} (?:policy )?([A-Z]{2,12})"
)
"""Machine, level, chain, time and verdict, as `pve-firewall` writes them."""
_LONGEST = 256


def columns_of(prefix: str) -> tuple[Event, str]:
    """The columns that a prefix means, and the id of the rule if it names one. The columns are shared: copy them."""
    return _columns_of(prefix.strip(" :")[:_LONGEST])


@lru_cache(4096)
def _columns_of(text: str) -> tuple[Event, str]:
    """As `columns_of`, for a short text: long ones would fill the cache."""
    if found := _PROXMOX.fullmatch(text):
        return _columns(_verdict(found[2]), found[1]), ""
    if found := _UBIQUITI.search(text):
        name, rule, letter = (found[1], found[2], found[3]) if found[3] else (found[4], found[6], found[5])
        return _columns(_LETTERS[letter], name), rule
    return _columns(_verdict(text), text.strip("[]: ")), ""


def _verdict(text: str) -> str:
    """The last word that says what became of the packet: `drop_log ACCEPT` is an accept."""
    words = (word.lower() for word in reversed(_WORD.findall(text)))
    return next((_VERDICTS[word] for word in words if word in _VERDICTS), "")


def _columns(verdict: str, name: str) -> Event:
    columns = dict(_BASE)
    if verdict:
        columns["event_action"] = verdict
        columns["event_type"] = ["connection", "allowed" if verdict in _ALLOWED else "denied"]
    if verdict == "return":
        columns["event_type"] = ["connection"]
    if name:
        columns["rule_name"] = name
    return columns
