"""Writes what sshd, PAM and logind log of connections to sshd.

The messages of OpenSSH: https://github.com/openssh/openssh-portable (auth.c, packet.c, sshd-session.c)
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from stack.demo.scene import AUTH_ERROR, AUTH_INFO, AUTHPRIV_INFO, AUTHPRIV_NOTICE, Attempt, Host, Line, LogWriter

MAX_TRIES = 6
"""Failures after which sshd closes a connection: the default of MaxAuthTries."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login that succeeds, perhaps after `mistakes` wrong passwords or keys, and its session of `lasts` seconds."""

    at: float
    host: Host
    user: str
    uid: int
    address: str
    method: str
    mistakes: int = 0
    lasts: float = 600.0

    def lines(self, random: Random) -> Iterator[Line]:
        log = LogWriter(random, self.at, self.host.sshd, self.host.pid(random), AUTH_INFO)
        peer = f"{self.address} port {random.randint(32768, 60999)}"
        yield from _connected(log, self.host, peer)
        for number in range(self.mistakes):
            yield from self._mistake(log, peer, first=number == 0)
        yield log.write(
            f"Accepted {self.method} for {self.user} from {peer} ssh2{self._key()}",
            Attempt("sshd", "success", self.user, self.address),
            after=0.2,
        )
        yield from self._session(log, peer)

    def _mistake(self, log: LogWriter, peer: str, first: bool) -> Iterator[Line]:
        if self.method == "publickey":  # one key of several
            yield log.write(f"Failed publickey for {self.user} from {peer} ssh2{self._key('old')}")
            return
        failure = Attempt("sshd", "failure", self.user, self.address)
        if first:
            yield log.write(_pam_failure(self.address, self.user), after=2.0, priority=AUTHPRIV_NOTICE)
        if self.method.startswith("keyboard"):
            text = f"error: PAM: Authentication failure for {self.user} from {self.address}"
            yield log.write(text, after=1.5, priority=AUTH_ERROR)
        yield log.write(f"Failed {self.method} for {self.user} from {peer} ssh2", failure, after=log.random.random())

    def _session(self, log: LogWriter, peer: str) -> Iterator[Line]:
        by = f"{self.user}(uid=0)" if self.host.modern else "(uid=0)"
        account = f"{self.user}(uid={self.uid})" if self.host.modern else self.user
        opened = f"pam_unix(sshd:session): session opened for user {account} by {by}"
        yield log.write(opened, priority=AUTHPRIV_INFO)
        session = self.host.session()
        logind = LogWriter(log.random, log.at, "systemd-logind", 612, AUTH_INFO)
        yield logind.write(f"New session {session} of user {self.user}.")
        yield from self._leave(log, peer, session)

    def _leave(self, log: LogWriter, peer: str, session: int) -> Iterator[Line]:
        child = LogWriter(log.random, log.at + self.lasts, self.host.sshd, self.host.pid(log.random), AUTH_INFO)
        yield child.write(f"Received disconnect from {peer}:11: disconnected by user")
        yield child.write(f"Disconnected from user {self.user} {peer}")
        log.at = child.at
        yield log.write(f"pam_unix(sshd:session): session closed for user {self.user}", priority=AUTHPRIV_INFO)
        logind = LogWriter(log.random, log.at, "systemd-logind", 612, AUTH_INFO)
        yield logind.write(f"Session {session} logged out. Waiting for processes to exit.")
        yield logind.write(f"Removed session {session}.")

    def _key(self, which: str = "current") -> str:
        if self.method != "publickey":
            return ""
        kind = "RSA" if len(self.user) % 3 == 0 else "ED25519"
        return f": {kind} SHA256:{fingerprint(f'{self.user} {which}')}"


@dataclass(frozen=True, slots=True)
class Guess:
    """A connection with `tries` guessed passwords for one user, all wrong.

    After the sixth, sshd closes it with "maximum authentication attempts exceeded", which is no attempt itself.
    """

    at: float
    host: Host
    user: str
    known: bool
    address: str
    tries: int = 1

    def lines(self, random: Random) -> Iterator[Line]:
        log = LogWriter(random, self.at, self.host.sshd, self.host.pid(random), AUTH_INFO)
        peer = f"{self.address} port {random.randint(1024, 65535)}"
        yield from _connected(log, self.host, peer)
        if not self.known:
            yield log.write(f"Invalid user {self.user} from {peer}")
        yield from self._failures(log, f"Failed password for {self._whom()} from {peer} ssh2")
        yield from self._hang_up(log, peer) if self.tries >= MAX_TRIES else self._give_up(log, peer)

    def _whom(self) -> str:
        return self.user if self.known else f"invalid user {self.user}"

    def _failures(self, log: LogWriter, text: str) -> Iterator[Line]:
        folded = self.known and self.host.folds and self.tries > 1
        for number in range(1 if folded else self.tries):
            if not self.known:
                yield log.write("pam_unix(sshd:auth): check pass; user unknown", priority=AUTHPRIV_NOTICE)
            if number == 0:
                pam = _pam_failure(self.address, self.user if self.known else None)
                yield log.write(pam, priority=AUTHPRIV_NOTICE)
            yield log.write(text, self._failed(), after=log.random.uniform(0.3, 1.2))
        if folded:
            more = self.tries - 1
            yield log.write(f"message repeated {more} times: [ {text}]", self._failed(more), after=0.7 * more)

    def _failed(self, count: int = 1) -> Attempt:
        return Attempt("sshd", "failure", self.user, self.address, count)

    def _hang_up(self, log: LogWriter, peer: str) -> Iterator[Line]:
        role = "authenticating" if self.known else "invalid"
        text = f"error: maximum authentication attempts exceeded for {self._whom()} from {peer} ssh2 [preauth]"
        yield log.write(text, priority=AUTH_ERROR)
        yield log.write(f"Disconnecting {role} user {self.user} {peer}: Too many authentication failures [preauth]")
        detail = _pam_failure(self.address, self.user if self.known else None).partition("; ")[2]
        yield log.write(f"PAM {self.tries - 1} more authentication failures; {detail}", priority=AUTHPRIV_NOTICE)
        yield log.write(f"PAM service(sshd) ignoring max retries; {self.tries} > 3", priority=AUTHPRIV_NOTICE)

    def _give_up(self, log: LogWriter, peer: str) -> Iterator[Line]:
        role = "authenticating" if self.known else "invalid"
        if log.random.random() < 0.5:
            yield log.write(f"Connection closed by {role} user {self.user} {peer} [preauth]", after=0.2)
        else:
            yield log.write(f"Received disconnect from {peer}:11: Bye Bye [preauth]", after=0.1)
            yield log.write(f"Disconnected from {role} user {self.user} {peer} [preauth]")


@dataclass(frozen=True, slots=True)
class Probe:
    """A scanner that connects and leaves without trying a password: no attempt."""

    at: float
    host: Host
    address: str

    def lines(self, random: Random) -> Iterator[Line]:
        log = LogWriter(random, self.at, self.host.sshd, self.host.pid(random), AUTH_INFO)
        peer = f"{self.address} port {random.randint(1024, 65535)}"
        yield from _connected(log, self.host, peer)
        yield from (log.write(text) for text in random.choice(_probes(peer)))


def fingerprint(name: str) -> str:
    """A made-up fingerprint for a name, in the format of OpenSSH: 43 characters of base64."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    digest = hashlib.sha512(name.encode()).digest()
    return "".join(alphabet[byte % 64] for byte in digest[:43])


def _connected(log: LogWriter, host: Host, peer: str) -> Iterator[Line]:
    if host.verbose:
        yield log.write(f'Connection from {peer} on {host.address} port 22 rdomain ""')


def _pam_failure(address: str, user: str | None) -> str:
    known = "" if user is None else f" user={user}"
    detail = f"logname= uid=0 euid=0 tty=ssh ruser= rhost={address} {known}"
    return f"pam_unix(sshd:auth): authentication failure; {detail}"


def _probes(peer: str) -> tuple[tuple[str, ...], ...]:
    return (
        (f"Connection closed by {peer} [preauth]",),
        (f"Connection reset by {peer} [preauth]",),
        (
            "error: kex_exchange_identification: Connection closed by remote host",
            f"Connection closed by {peer}",
        ),
        (f"banner exchange: Connection from {peer}: invalid format",),
        (f"Invalid user support from {peer}", f"Connection closed by invalid user support {peer} [preauth]"),
        (
            f"Unable to negotiate with {peer}: no matching key exchange method found. "
            "Their offer: diffie-hellman-group14-sha1,diffie-hellman-group1-sha1 [preauth]",
        ),
    )
