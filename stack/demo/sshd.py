"""Writes what sshd, PAM and logind log of connections to sshd.

The messages of OpenSSH: https://github.com/openssh/openssh-portable (auth.c, packet.c, sshd-session.c)
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from stack.demo.scene import AUTH_ERROR, AUTH_INFO, AUTHPRIV_INFO, AUTHPRIV_NOTICE, Attempt, Host, Line, Voice

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

    def tell(self, random: Random) -> Iterator[Line]:
        voice = Voice(random, self.at, self.host.sshd, self.host.pid(random), AUTH_INFO)
        peer = f"{self.address} port {random.randint(32768, 60999)}"
        yield from _hello(voice, self.host, peer)
        for number in range(self.mistakes):
            yield from self._mistake(voice, peer, first=number == 0)
        yield voice.say(
            f"Accepted {self.method} for {self.user} from {peer} ssh2{self._key()}",
            Attempt("sshd", "success", self.user, self.address),
            after=0.2,
        )
        yield from self._session(voice, peer)

    def _mistake(self, voice: Voice, peer: str, first: bool) -> Iterator[Line]:
        if self.method == "publickey":  # one key of several
            yield voice.say(f"Failed publickey for {self.user} from {peer} ssh2{self._key('old')}")
            return
        failure = Attempt("sshd", "failure", self.user, self.address)
        if first:
            yield voice.say(_pam_failure(self.address, self.user), after=2.0, priority=AUTHPRIV_NOTICE)
        if self.method.startswith("keyboard"):
            text = f"error: PAM: Authentication failure for {self.user} from {self.address}"
            yield voice.say(text, after=1.5, priority=AUTH_ERROR)
        yield voice.say(f"Failed {self.method} for {self.user} from {peer} ssh2", failure, after=voice.random.random())

    def _session(self, voice: Voice, peer: str) -> Iterator[Line]:
        by = f"{self.user}(uid=0)" if self.host.modern else "(uid=0)"
        account = f"{self.user}(uid={self.uid})" if self.host.modern else self.user
        opened = f"pam_unix(sshd:session): session opened for user {account} by {by}"
        yield voice.say(opened, priority=AUTHPRIV_INFO)
        session = self.host.session()
        logind = Voice(voice.random, voice.at, "systemd-logind", 612, AUTH_INFO)
        yield logind.say(f"New session {session} of user {self.user}.")
        yield from self._leave(voice, peer, session)

    def _leave(self, voice: Voice, peer: str, session: int) -> Iterator[Line]:
        child = Voice(voice.random, voice.at + self.lasts, self.host.sshd, self.host.pid(voice.random), AUTH_INFO)
        yield child.say(f"Received disconnect from {peer}:11: disconnected by user")
        yield child.say(f"Disconnected from user {self.user} {peer}")
        voice.at = child.at
        yield voice.say(f"pam_unix(sshd:session): session closed for user {self.user}", priority=AUTHPRIV_INFO)
        logind = Voice(voice.random, voice.at, "systemd-logind", 612, AUTH_INFO)
        yield logind.say(f"Session {session} logged out. Waiting for processes to exit.")
        yield logind.say(f"Removed session {session}.")

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

    def tell(self, random: Random) -> Iterator[Line]:
        voice = Voice(random, self.at, self.host.sshd, self.host.pid(random), AUTH_INFO)
        peer = f"{self.address} port {random.randint(1024, 65535)}"
        yield from _hello(voice, self.host, peer)
        if not self.known:
            yield voice.say(f"Invalid user {self.user} from {peer}")
        yield from self._failures(voice, f"Failed password for {self._whom()} from {peer} ssh2")
        yield from self._hang_up(voice, peer) if self.tries >= MAX_TRIES else self._give_up(voice, peer)

    def _whom(self) -> str:
        return self.user if self.known else f"invalid user {self.user}"

    def _failures(self, voice: Voice, text: str) -> Iterator[Line]:
        folded = self.known and self.host.folds and self.tries > 1
        for number in range(1 if folded else self.tries):
            if not self.known:
                yield voice.say("pam_unix(sshd:auth): check pass; user unknown", priority=AUTHPRIV_NOTICE)
            if number == 0:
                pam = _pam_failure(self.address, self.user if self.known else None)
                yield voice.say(pam, priority=AUTHPRIV_NOTICE)
            yield voice.say(text, self._failed(), after=voice.random.uniform(0.3, 1.2))
        if folded:
            more = self.tries - 1
            yield voice.say(f"message repeated {more} times: [ {text}]", self._failed(more), after=0.7 * more)

    def _failed(self, count: int = 1) -> Attempt:
        return Attempt("sshd", "failure", self.user, self.address, count)

    def _hang_up(self, voice: Voice, peer: str) -> Iterator[Line]:
        role = "authenticating" if self.known else "invalid"
        text = f"error: maximum authentication attempts exceeded for {self._whom()} from {peer} ssh2 [preauth]"
        yield voice.say(text, priority=AUTH_ERROR)
        yield voice.say(f"Disconnecting {role} user {self.user} {peer}: Too many authentication failures [preauth]")
        detail = _pam_failure(self.address, self.user if self.known else None).partition("; ")[2]
        yield voice.say(f"PAM {self.tries - 1} more authentication failures; {detail}", priority=AUTHPRIV_NOTICE)
        yield voice.say(f"PAM service(sshd) ignoring max retries; {self.tries} > 3", priority=AUTHPRIV_NOTICE)

    def _give_up(self, voice: Voice, peer: str) -> Iterator[Line]:
        role = "authenticating" if self.known else "invalid"
        if voice.random.random() < 0.5:
            yield voice.say(f"Connection closed by {role} user {self.user} {peer} [preauth]", after=0.2)
        else:
            yield voice.say(f"Received disconnect from {peer}:11: Bye Bye [preauth]", after=0.1)
            yield voice.say(f"Disconnected from {role} user {self.user} {peer} [preauth]")


@dataclass(frozen=True, slots=True)
class Probe:
    """A scanner that connects and leaves without trying a password: no attempt."""

    at: float
    host: Host
    address: str

    def tell(self, random: Random) -> Iterator[Line]:
        voice = Voice(random, self.at, self.host.sshd, self.host.pid(random), AUTH_INFO)
        peer = f"{self.address} port {random.randint(1024, 65535)}"
        yield from _hello(voice, self.host, peer)
        yield from (voice.say(text) for text in random.choice(_probes(peer)))


def fingerprint(name: str) -> str:
    """A made-up fingerprint for a name, in the format of OpenSSH: 43 characters of base64."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    digest = hashlib.sha512(name.encode()).digest()
    return "".join(alphabet[byte % 64] for byte in digest[:43])


def _hello(voice: Voice, host: Host, peer: str) -> Iterator[Line]:
    if host.verbose:
        yield voice.say(f'Connection from {peer} on {host.address} port 22 rdomain ""')


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
