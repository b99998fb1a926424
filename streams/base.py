"""What a log stream is: a name, the programs it understands, and a function from message to columns.

The rule of attempts, the one place that says what `ogrewatch_attempt` counts: attempts to get in, once each, however
many lines one attempt printed. The line that gives the verdict carries the count and `event_outcome`; lines around it
(connection, unknown user, PAM, disconnection) describe the same attempt and carry none. A count of 0 is left out.

- sshd: `Accepted` is a success, `Failed` a failure. `Failed none` only asks for the methods; `Failed publickey`
  turns down one key of several that a client offers, whatever comes of the login; `Partial` and `Postponed` have no
  verdict yet; `Invalid user`, refusals by rule, too many attempts and PAM lines stand beside a `Failed`.
- dropbear: `... auth succeeded` is a success; `Bad password attempt`, `nonexistent user` (once a connection) and the
  refusals of a user that there is are failures. `'<invalid username>'`, PAM lines and exits stand beside them.
- sudo: a COMMAND that ran (in JSON, `accept`) is a success; each incorrect password, a refusal by the rules (`reject`)
  and `a password is required` are failures. PAM lines stand beside them.
- doas: `ran command` is a success; `failed auth` and a command that is not permitted are failures.
- su: `(to root) ...`, `from alice to root` and `Successful su` are successes, `FAILED SU`, `FAILED su` and `BAD SU`
  failures. The `+` and `-` lines of shadow repeat them.
- login: `LOGIN ON` and `ROOT LOGIN` are successes, `FAILED LOGIN N`, each of N `LOGIN FAILURES`, `REPEATED LOGIN
  FAILURES` and a login that is `REFUSED` a failure. `FAILED LOGIN SESSION` and `TOO MANY LOGIN TRIES` end a row of
  them. AIX's `ssh: failed login attempt` repeats sshd's.
- polkit: `Operator of ...` is the verdict. What pkexec then ran, or did not, stands beside it.
- pam: nothing counts, since no module knows what its stack decides. logind: nothing counts, the login is over by then.
- ldap: the RESULT of a BIND is the verdict, 0 a success. RESULT 14 asks for another step; anonymous binds don't count.
- kerberos: an AS_REQ that is issued is a success, one with any other status a failure. NEEDED_PREAUTH asks for the
  password; TGS_REQ is for those who are in.
- radius: `Login OK` is a success, every other verdict a failure. What was asked through a TLS tunnel stands beside the
  request that carried it.
- openvpn: `Peer Connection Initiated` of a client is a success, unless the same peer was refused before it; `Auth
  Username/Password verification failed` and `VERIFY ERROR` are failures. AUTH_FAILED and broken handshakes follow them.
- dovecot: `Login` is a success, `auth failed, N attempts` N failures, a disabled user or an expired password one. What
  `auth` says of a database stands beside them.
- ftp: a login is a success, a failed one a failure (of root too), in vsftpd, ProFTPD and Pure-FTPd. Too many of them,
  or none in time, is none.
- cisco: AAA's verdict on an authentication counts: 113004 and 113012 are successes, 113005 and 113015 failures.
  605004/5, 611101/2, 716038/9, 109005/6 and 113008 tell of the same login. 308001 counts its tries. Of IOS,
  `LOGIN_SUCCESS` and `LOGIN_FAILED` count, of NX-OS `pam_aaa: Authentication failed`; `SSH2_USERAUTH`, `QUIET_MODE_ON`
  and `PRIV_AUTH_*` stand beside them.
- pfsense: `Successful login` is a success, `authentication error` a failure. OPNsense's `for WebGui` lines repeat them.
- proxy: a 407 with a user name is a failure; one without only asks for it. A 401 counts as on the web.
- web: a 401 in an access log is a failure when the request named a user or was a POST; any other 401 only asks for a
  name, as it does before each login of HTTP authentication. No status says that a login succeeded. What the error logs
  of apache and nginx say of a user is the same attempt.
- postfix: `SASL ... authentication failed` is a failure (`aborted` is none, nor is one whose reason is a server that
  could not be asked, or a mechanism that there is not). `client=..., sasl_username=` is a success, the first mail of a
  connection only. Lost connections, `auth=0/3` and rejections stand beside them.
- exim: `... authenticator failed` is a failure. `<= ... A=` is a success, the first mail of a connection only, and
  each where the line has no port.
- postgresql: `connection authorized` is a success; `... authentication failed for user`, no or a rejecting pg_hba.conf
  entry, `role ... does not exist` and `is not permitted to log in` are failures. `connection authenticated` and an
  unknown database are none.
- mysql: `Access denied for user` in the error log is a failure; without a right to a database it is none. The general
  log counts nothing: it names who asks before the verdict, and a refusal is in the error log, too.
- suricata: nothing counts; it watches logins that stand in the servers' own logs.
- zeek: an AS request of kerberos with a verdict (KDC_ERR_PREAUTH_REQUIRED and the like ask for another), ntlm with
  `success`, radius with a `result`, an ldap bind that names somebody and has a final result. ssh is guessed from sizes
  of packets and doesn't count, nor do logins within http, mysql, ftp, ... A server whose own log is sent too is
  counted by both.
- aws: ConsoleLogin, but for roles of IAM Identity Center's portal (AWSReservedSSO_*), whose UserAuthentication counted
  as a success; a failed CredentialVerification is a failure. AssumeRole and CheckMfa are none.
- auditd: nothing counts. Its records of a login, up to six, repeat what sshd, su, sudo and login log themselves.
- shadow, cron, systemd: nothing counts. A password asked before a change lets nobody in.

"message repeated N times" multiplies by N (see `streams.dispatch`). "last message repeated N times", which names no
message, counts nothing; nor does an ECS document that only says of itself that it is an authentication. An event in
MozDef's form counts when it says so and has an outcome (`streams.envelopes.mozdef`), and when its LDAP humanizer tells
the result of a BIND.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from topics.event import Event


class StateStore(Protocol):
    """State that joins lines, kept by whoever runs the parsers: it survives a restart, and lines are parsed again.

    Keys are the caller's, and should begin with stream and host. Values are JSON values, replaced whole; one of
    more than 64 KiB is not kept. A line finds what the lines before it left, also when it is parsed again and later
    ones have written since. So what a line writes must depend on that line alone, or on what it reads here.
    """

    def get(self, key: str) -> Any:
        """The value, or None."""

    def put(self, key: str, value: Any) -> None:
        """Keep `value` until it was not touched for a day."""

    def close(self, key: str) -> None:
        """Say that the value has done its work: later lines find none."""


Parse = Callable[[str, Event, StateStore], bool]
"""`parse(message, event, joins)`: adds columns to `event`, which already holds the header's. `message` has no blanks at
its ends. True when it understood the message; False leaves `event` untouched. Must not raise on any text (what it
raises becomes a pipeline error).

The event owns its `extra`; lists such as `event_category` are shared constants and never changed in place. A stream of
logins sets `ogrewatch_service` on all of its events. It may set `event_dataset`, which is otherwise its name."""


ParseJson = Callable[[dict[str, Any], Event, StateStore], bool]
"""`parse_json(record, event, joins)`: as `Parse`, for a record that is a JSON object. `event["message"]` is its text.

The record is the stream's own to take apart. Its values may be of any JSON type, whatever the source's manual says:
`streams.mapping.json_fields` sets columns of them safely, and keeps the rest."""


def no_text(message: str, event: Event, joins: StateStore) -> bool:
    """The `parse` of a stream that reads JSON records only: understands no text."""
    return False


SHORTEST = 4096
"""Characters of a message that every stream's `parse` is given, so that most messages need no look at its `longest`."""
LONGEST = 16_384
"""Characters of a message that `Stream.parse` is given, unless the stream says otherwise. Twice what a syslog daemon
takes as it is set up (rsyslog 8 KiB), and above what the programs write that put a verdict behind a name the client
chose: their own buffers end a line earlier (sshd 1 KiB, vsftpd 4, Exim 8, auditd 9, OpenVPN 10). So what is cut off
holds no verdict; it is a statement, an argument, a path, and stays in `event.original`."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One log source. Its folder's `parser.py` defines it as `STREAM`."""

    name: str
    """The dataset of its events; usually its folder's name."""
    programs: tuple[str, ...] = ()
    """Syslog tags it is asked about. `postfix` is also asked about `postfix/smtpd`, `%ASA` about `%ASA-6-302013`."""
    parse: Parse = no_text
    longest: int = LONGEST
    """Characters of a message that `parse` is given; of a longer one the beginning. At least `SHORTEST`."""
    sniff: Callable[[str], bool] | None = None
    """For lines without a syslog header: says by their first bytes whether they are of this stream."""
    parse_json: ParseJson | None = None
    sniff_json: Callable[[dict[str, Any]], bool] | None = None
    """Says by a few keys of a JSON record whether `parse_json` is asked about it. Must not raise on any object."""


_GENERATION = 50_000
"""Values in a generation of `MemoryState`."""


class MemoryState:
    """StateStore that live as long as the process: at least the last 50,000 values written, at most twice as many."""

    def __init__(self) -> None:
        self._new: dict[str, Any] = {}
        self._old: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        value = self._new.get(key)
        return self._old.get(key) if value is None else value

    def put(self, key: str, value: Any) -> None:
        if len(self._new) >= _GENERATION:
            self._old, self._new = self._new, {}
        self._new[key] = value

    def close(self, key: str) -> None:
        self._new.pop(key, None)
        self._old.pop(key, None)

    def at(self, offset: int, timestamp: int) -> None:
        """Nothing: these are for lines that are parsed once."""
