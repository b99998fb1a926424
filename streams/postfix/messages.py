"""Lists the messages of postfix's programs other than those about one mail, as rules.

Sources: postfix 2.6 to 3.9, src/{smtpd,smtp,postscreen,anvil,tlsproxy,tls,master,scache}/*.c, conf/postfix-script.
"""

from streams.mapping.rules import Rule, Rules
from streams.postfix.patterns import (
    CONNECTED,
    COUNTED,
    DISCONNECTED,
    HELD,
    INSECURE,
    LIMITED,
    LISTED,
    LOGIN_TROUBLE,
    LOST,
    MAIL,
    NEXT_HOP,
    NOTED,
    PASSED,
    PEER,
    REASON,
    SCREENED,
    SECURED,
    SERVER,
    STARTED,
    STOPPED,
    TROUBLE,
    UNDELIVERED,
    UNREACHED,
)

_TLS = (
    Rule(
        rf"TLS connection established from {PEER}: (?P<tls_protocol>\S{{1,16}}) with cipher (?P<tls_cipher>\S{{1,128}})"
        r"(?P<detail>.*)",
        SECURED,
    ),
    Rule(
        rf"TLS connection established to {NEXT_HOP}: (?P<tls_protocol>\S{{1,16}}) with cipher "
        r"(?P<tls_cipher>\S{1,128})(?P<detail>.*)",
        SECURED,
    ),
)
_AFTER = rf"(?P<stage>[A-Za-z .-]{{1,64}}(?: \([^()]{{1,64}}\))?) from {PEER}"
_TESTED = (Rule(rf"(?P<detail>[^\[]{{0,128}}?)(?:from |for )?{PEER}(?:: | )?{REASON}", SCREENED),)
_PASSED = (Rule(rf"(?:(?P<detail>NEW|OLD|VETO) )?{PEER}", PASSED),)
_SAID = (
    Rule(rf"{NEXT_HOP} said: {REASON}", UNDELIVERED),
    Rule(rf"{NEXT_HOP} refused to talk to me: {REASON}", UNDELIVERED),
    Rule(rf"{NEXT_HOP} offered {REASON}", MAIL),
)

MESSAGES = Rules(
    "postfix",
    {
        "connect": (
            Rule(rf"from {PEER}", CONNECTED),
            Rule(rf"to {NEXT_HOP}: {REASON}", UNREACHED),
            Rule(rf"to {REASON}", UNREACHED),
        ),
        "disconnect": (Rule(rf"from {PEER}(?: (?P<commands>.*))?", DISCONNECTED),),
        "addr": (
            Rule(
                r"(?P<source_ip>[0-9A-Fa-f:.]{2,45}) listed by domain (?P<blocklist>\S{1,255}) "
                r"as (?P<blocklist_answer>\S{1,64})",
                LISTED,
            ),
        ),
        "cache": (Rule(rf"\S{{1,255}} (?:full|partial) cleanup: {REASON}", COUNTED),),
        "lost": (
            Rule(rf"connection from {PEER}", LOST),
            Rule(rf"connection after {_AFTER}", LOST),
            Rule(rf"connection with {NEXT_HOP} while {REASON}", UNDELIVERED),
        ),
        "timeout": (Rule(rf"after {_AFTER}", LOST), Rule(rf"from {PEER}", LOST)),
        "conversation": (Rule(rf"with {NEXT_HOP} timed out while {REASON}", UNDELIVERED),),
        "too": (Rule(rf"many errors after {_AFTER}", LIMITED),),
        "improper": (Rule(rf"command pipelining after (?P<stage>\S{{1,64}}) from {PEER}:?(?: {REASON})?", NOTED),),
        "setting": (Rule(rf"up TLS connection from {PEER}", NOTED), Rule(rf"up TLS connection to {NEXT_HOP}", NOTED)),
        "SSL_accept": (Rule(rf"error from {PEER}: {REASON}", INSECURE),),
        "SSL_connect": (Rule(rf"error to {NEXT_HOP}: {REASON}", INSECURE),),
        **dict.fromkeys(("Anonymous", "Trusted", "Untrusted", "Verified"), _TLS),
        "CONNECT": (
            Rule(
                rf"from {PEER}(?: to \[(?P<destination_ip>[^\]\s]{{1,64}})\]:(?P<destination_port>[0-9]{{1,5}}))?",
                CONNECTED,
            ),
        ),
        "DISCONNECT": (Rule(PEER, DISCONNECTED),),
        "PASS": _PASSED,
        **dict.fromkeys(("WHITELISTED", "ALLOWLISTED"), _PASSED),
        **dict.fromkeys(("PREGREET", "DNSBL", "HANGUP", "BLACKLISTED", "DENYLISTED", "COMMAND", "BARE"), _TESTED),
        **dict.fromkeys(("NON-SMTP", "WHITELIST", "ALLOWLIST"), _TESTED),
        "host": _SAID,
        "statistics:": (
            Rule(
                r"max (?P<statistic>[a-z -]{1,32}) (?P<value>[0-9]{1,10}(?:/[0-9]{1,10}s)?)"
                r"(?: for \((?P<smtp_service>[^\s()]{1,64}?):(?P<source_ip>[^\s()]{1,64})\))? at (?P<at>.{1,32})",
                COUNTED,
            ),
            Rule(REASON, COUNTED),
        ),
        "daemon": (
            Rule(r"started -- version (?P<version>[^\s,]{1,32}), configuration (?P<configuration>.*)", STARTED),
        ),
        "reload": (Rule(r"-- version (?P<version>[^\s,]{1,32}), configuration (?P<configuration>.*)", SERVER),),
        "terminating": (Rule(r"on signal (?P<signal>[0-9]{1,3})", STOPPED),),
        "starting": (Rule(r"the Postfix mail system", STARTED),),
        "stopping": (Rule(r"the Postfix mail system", STOPPED),),
        "refreshing": (Rule(r"the Postfix mail system", SERVER),),
        "table": (Rule(REASON, SERVER),),
        "Postfix": (Rule(REASON, SERVER),),
        "enabling": (Rule(REASON, MAIL),),
        "sender": (Rule(r"(?P<notice>[a-z -]{1,64} notification): (?P<notice_queue_id>[0-9A-Za-z]{6,20})", MAIL),),
        "postmaster": (Rule(r"(?P<notice>[a-z -]{1,64} notification): (?P<notice_queue_id>[0-9A-Za-z]{6,20})", MAIL),),
        "placed": (Rule(r"on hold", HELD),),
        "released": (Rule(r"from hold", HELD),),
        "requeued": (Rule(r"", HELD),),
    },
)

WARNINGS = Rules(
    "postfix",
    {
        "hostname": (
            Rule(
                r"(?P<claimed_name>\S{1,255}) does not resolve to address (?P<source_ip>[0-9A-Fa-f:.]{2,45})"
                rf"(?:: {REASON})?",
                NOTED,
            ),
        ),
        "non-SMTP": (Rule(rf"command from {PEER}: {REASON}", NOTED),),
        "Illegal": (Rule(rf"address syntax from {PEER} in (?P<command>[A-Z]{{1,16}}) command: {REASON}", NOTED),),
        "Connection": (
            Rule(
                r"(?P<limit>rate|concurrency) limit exceeded: (?P<value>[0-9]{1,10}) from "
                rf"{PEER} for service (?P<smtp_service>\S{{1,64}})",
                LIMITED,
            ),
        ),
        "TLS": (Rule(rf"library problem: {REASON}", INSECURE),),
        **{
            word: (
                Rule(
                    rf"(?:[a-z]{{1,16}} ){{0,2}}rate limit exceeded: (?P<value>[0-9]{{1,10}}) from {PEER} for service "
                    r"(?P<smtp_service>\S{1,64})",
                    LIMITED,
                ),
            )
            for word in ("Message", "Recipient", "AUTH", "TLSv1", "New")
        },
        "SASL": (Rule(rf"authentication failure: {REASON}", LOGIN_TROUBLE), Rule(REASON, TROUBLE)),
    },
)
"""Known texts after `warning: `; any other is trouble of the server's own."""
