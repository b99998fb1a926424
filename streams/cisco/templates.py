r"""Compiles a message as Cisco's catalogue prints it to a pattern over the whole text.

    Built {direction} [Probe ]{protocol} connection {connection_id} <for|from> {An} to {Bn}*

`{name}` is a field, `[...]` may be missing, `<...|...>` is one of them, `~` a space that may be missing, `*` anything,
a backslash makes the next character a plain one. Fields have the patterns of `_FIELDS`, else they are one word. Ends of
a connection, `x` being A or B: `{X}` is `interface:address/port(user)`, `{Xn}` the same with the translated
`(address/port)` in it, before the user or after, `{Xl}` an access list's `interface/address(port)(user)`, `{Xs}`
`interface/address/port`, `{Xp}` `address(port)`.
"""

import re

_ADDRESS, _PORT = r"[^\s/(),;<>\"']{1,255}", r"[^\s/(),;.]{1,20}"
_IP, _DIGITS, _WORD, _REASON = r"[0-9A-Fa-f.:]{2,39}", r"[0-9]{1,18}", r"[\w-]{1,40}", r".{1,512}?"
_ONE_WORD = r"[^\s,;]{1,255}"
_TOKEN = re.compile(r"\{(\w+)\}|\\(.)|(.)", re.DOTALL)
_LAST_FIELD = re.compile(r"(\.\{[0-9]+,[0-9]+\})\??(\))\Z")
"""A field of any characters at the end of a pattern. Over the whole text it reaches to the end or not at all, so it is
matched at once rather than one character more with every way in which the fields before it fit."""
_SIGNS = {"[": "(?:", "]": ")?", "<": "(?:", ">": ")", "|": "|", "~": " ?", "*": ".*"}


def _ends(end: str) -> dict[str, str]:
    user = rf"(?: ?\({{1,2}}(?!type |user=)(?P<{end}_user>[^()]{{0,255}})\){{1,2}})?"
    early = rf"(?: ?\((?P<{end}_early>[^()\\/]{{1,64}}\\[^()]{{1,190}})\))?"
    real = rf"(?:(?P<{end}_if>[^:/()\"]{{1,80}}):)?(?P<{end}_ip>{_ADDRESS})(?:/(?P<{end}_port>{_PORT}))?"
    mapped = rf" ?\((?P<{end}_nat>[^\s/()]{{1,255}})(?:/(?P<{end}_natport>[0-9]{{1,5}}))?\)"
    listed = rf"(?P<{end}_if>[^/()\s]{{1,80}})/(?P<{end}_ip>[^\s/()]{{1,255}})\((?P<{end}_port>[^()]{{1,20}})\)"
    slashed = rf"(?:(?P<{end}_if>[^/()\s:]{{1,80}})/)?(?P<{end}_ip>[^\s/()]{{1,255}})/(?P<{end}_port>[0-9]{{1,5}})"
    name = end.upper()
    return {
        name: real + user,
        name + "n": real + early + mapped + user,
        name + "l": listed + user,
        name + "s": slashed,
        name + "p": rf"(?P<{end}_ip>{_IP})(?:\((?P<{end}_port>[0-9]{{1,5}})\))?",
        end + "_bare": rf"(?P<{end}_early>[^\s()/]{{1,255}})",
        end + "_ip": rf"(?P<{end}_ip>{_IP}?)",
        end + "_host": rf"(?P<{end}_ip>{_ADDRESS}?)",
        end + "_if": rf"(?P<{end}_if>[^:\s]{{1,80}})",
        end + "_port_of": rf"(?P<{end}_ip>{_ADDRESS}?)(?:/(?P<{end}_port>[0-9]{{1,5}}))?",
        end + "_local": rf"(?P<{end}_ip>{_IP}):(?P<{end}_port>[0-9]{{1,5}})",
        end + "_remote": rf"(?P<{end}_ip>{_IP}|[\w.-]{{1,255}}):(?P<{end}_port>[0-9]{{1,5}})",
        end + "_icmp": rf"(?:(?P<{end}_natif>[^:/()]{{1,80}}):)?(?P<{end}_nat>[^\s/()]{{1,255}})/[0-9]{{1,5}}",
    }


_ENDS = _ends("a") | _ends("b")
_FIELDS = {
    **dict.fromkeys(("protocol", "service", "original_protocol", "tunnel_type"), _WORD),
    **dict.fromkeys(("connection_id", "bytes", "hits", "icmp_code", "privilege", "old_privilege", "tries"), _DIGITS),
    **dict.fromkeys(("source_bytes", "destination_bytes", "burst_rate", "average_rate", "total"), _DIGITS),
    **dict.fromkeys(("connections_in_use", "connections_most_used", "ip_id", "signature"), _DIGITS),
    **dict.fromkeys(("reason", "details", "dap_records", "identity", "session_type", "sip_channel"), _REASON),
    **dict.fromkeys(("assigned_ip", "assigned_ipv6"), r"[0-9A-Fa-f.:]{0,39}"),
    **dict.fromkeys(("url_original", "file", "agent", "process_command_line"), r".{1,8192}?"),
    **dict.fromkeys(("original_source", "original_destination"), r"[^\s,;]{1,255}?"),
    "direction": r"(?:[Ii]n|[Oo]ut)bound",
    "user": r".{0,255}",
    "bracketed": r"[^<>]{0,255}",
    "duration": r"[0-9][0-9dhms: ]{1,32}",
    "group": r"[^<>,]{0,255}",
    "name": r"[^'\"]{0,255}",
    "on_interface": r"[^\s,:]{1,80}",
    "hashes": r"[^\[\]]{1,80}",
    "tcp_flags": r"[A-Z +]{0,60}?",
    "listed": r"(?:black|white|grey) listed|[\w-]{1,20}",
    "closed_by": r"[^()]{1,255}",
    "interval": r"[\w-]{1,20} [\w-]{1,20}",
    "rule_name": r"[^\s\"]{1,255}",
    "group_policy": r"[^\s()]{1,255}",
    "url_user": r"[^\s@]{1,255}",
    "quoted_rule": r"[^\"]{0,255}",
    "threat_category": r".{1,80}?",
    "threat_object": r"[^\[\]]{1,80}",
    "threat_level": r"[\w -]{1,40}",
    "transport": r"(?:tcp|udp|icmp)",
    "login_reason": r"[^\[\]]{1,255}",
    **dict.fromkeys(("cipher", "hmac"), r"[^']{0,80}"),
    "state": r".{1,80}?",
    "attribute": r"[^=]{1,255}?",
    "value": r".{0,1024}",
}
_GROUPS = {
    "name": "user",
    "bracketed": "user",
    "word": "user",
    "group_name": "group",
    "quoted_rule": "rule_name",
    "url_user": "user",
}


def compile_template(template: str) -> re.Pattern[str]:
    """The pattern of a template; raises `re.error` on one that is wrong."""
    return re.compile(_LAST_FIELD.sub(r"\1+\2", _TOKEN.sub(_translate, template)), re.DOTALL)


def _translate(token: re.Match[str]) -> str:
    field, plain, sign = token.groups()
    if not field:
        return re.escape(plain) if plain else _SIGNS.get(sign) or re.escape(sign)
    if field in _ENDS:
        return _ENDS[field]
    return f"(?P<{_GROUPS.get(field, field)}>{_FIELDS.get(field, _ONE_WORD)})"
