"""Makes up the attacks of the hour; the docstring of each class says what can be found of it in the logs.

`stack.demo.corpus.truth` gives the exact numbers, without the lines that would fall after the end of the hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

from stack.demo.local import Remark, Sudo
from stack.demo.nginx import Request, Visit
from stack.demo.scene import AUTHPRIV_INFO, HOUR, Activity, Scene
from stack.demo.slapd import INVALID_CREDENTIALS, Bind, Connection
from stack.demo.sshd import MAX_TRIES, Guess, Login
from stack.demo.world import BRUTE, INTRUDER, LDAP_SPRAYER, SPRAYER, WEB_BRUTE

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class PasswordSpray:
    """A slow attack: one address tries one password on one user after another, every 40 seconds, on six hosts in turn.

    Truth: about 90 sshd failures of SPRAYER, each with another user, none on a host more often than every 4 minutes;
    no success. Any rule that counts per user, or per host and minute, misses it.
    """

    every: float = 40.0
    hosts: int = 6

    def activities(self, scene: Scene) -> Iterator[Activity]:
        targets = cycle(scene.of("bastion", "mail", "web", "ci")[: self.hosts])
        at = 15.0
        for host, person in zip(targets, scene.people, strict=False):
            known = person.uid % 4 != 0
            yield Guess(at, host, person.name if known else f"{person.name}1", known, SPRAYER)
            at += self.every + scene.random.uniform(-4, 4)


@dataclass(frozen=True, slots=True)
class BruteForce:
    """A fast attack: one address guesses for root and admin on one bastion, 8 times a second, six a connection.

    Truth: about 2,400 sshd failures of BRUTE; those for root mostly inside "message repeated" lines, every connection
    ending in "maximum authentication attempts exceeded"; no success.
    """

    begins: float = 49 * MINUTE
    lasts: float = 5 * MINUTE
    rate: float = 8.0

    def activities(self, scene: Scene) -> Iterator[Activity]:
        target = scene.of("bastion")[0]
        for number in range(int(self.lasts * self.rate / MAX_TRIES)):
            at = self.begins + number * MAX_TRIES / self.rate
            known = number % 3 != 2
            yield Guess(at, target, "root" if known else "admin", known, BRUTE, MAX_TRIES)


@dataclass(frozen=True, slots=True)
class BreakIn:
    """A brute force that succeeds: three minutes of guesses for "deploy", then a login, then root and a new account.

    Truth: about 180 sshd failures and exactly one success of INTRUDER, with a password, for deploy; after it on the
    same host three successful sudo commands of deploy and a `useradd` line.
    """

    begins: float = HOUR - 6 * MINUTE
    guesses: int = 90
    user: str = "deploy"
    uid: int = 1900

    def activities(self, scene: Scene) -> Iterator[Activity]:
        host = scene.of("app")[0]
        for number in range(self.guesses):
            yield Guess(self.begins + 2.0 * number, host, self.user, True, INTRUDER, 2)
        at = self.begins + 2.0 * self.guesses + 4.0
        yield Login(at, host, self.user, self.uid, INTRUDER, "password", lasts=10 * MINUTE)
        yield Sudo(at + 9, host, self.user, self.uid, "/usr/bin/cat /etc/shadow")
        yield Sudo(at + 31, host, self.user, self.uid, "/usr/sbin/useradd -m -G sudo -s /bin/bash sysupd")
        account = "new user: name=sysupd, UID=1901, GID=1901, home=/home/sysupd, shell=/bin/bash, from=/dev/pts/0"
        yield Remark(at + 31.5, host, "useradd", AUTHPRIV_INFO, account)
        yield Sudo(at + 58, host, self.user, self.uid, "/usr/bin/tee -a /root/.ssh/authorized_keys")


@dataclass(frozen=True, slots=True)
class BindSpray:
    """One workstation binds to the directory as one person after another, twice round, every two seconds or so.

    Truth: an ldap failure (error 49) of LDAP_SPRAYER per bind, spread over all persons; no success.
    """

    begins: float = 38 * MINUTE
    every: float = 2.0
    rounds: int = 2

    def activities(self, scene: Scene) -> Iterator[Activity]:
        host = scene.of("ldap")[0]
        for number, person in enumerate(scene.people * self.rounds):
            at = self.begins + number * self.every + scene.random.uniform(0, 0.5)
            yield Connection(at, host, LDAP_SPRAYER, (Bind(person.dn, INVALID_CREDENTIALS),), lost=number % 5 == 0)


@dataclass(frozen=True, slots=True)
class FormBruteForce:
    """One address posts passwords to the login page of one web host, five a second for four minutes.

    Truth: 1,200 web failures (401) of WEB_BRUTE.
    """

    begins: float = 22 * MINUTE
    rate: float = 5.0
    tries: int = 1200

    def activities(self, scene: Scene) -> Iterator[Activity]:
        host = scene.of("web")[0]
        attempt = Request("/login", 401, 181, "POST", after=1 / self.rate)
        for first in range(0, self.tries, 20):
            at = self.begins + first / self.rate
            yield Visit(at, host, WEB_BRUTE, "python-requests/2.32.3", (attempt,) * 20)


ATTACKS = (PasswordSpray(), BruteForce(), BreakIn(), BindSpray(), FormBruteForce())
