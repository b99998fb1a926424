"""Writes the lines of sudo, su, useradd, cron, systemd and the kernel.

sudo's line: https://www.sudo.ws/docs/man/sudoers.man/#EVENT_LOGGING
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from stack.demo.scene import (
    AUTHPRIV_ALERT,
    AUTHPRIV_INFO,
    AUTHPRIV_NOTICE,
    CRON_INFO,
    DAEMON_INFO,
    KERN_WARNING,
    Attempt,
    Host,
    Line,
    LogWriter,
    Outcome,
)


@dataclass(frozen=True, slots=True)
class Sudo:
    """A command with sudo after `wrong` wrong passwords. It is refused after the third, or when not `allowed`.

    One or two wrong passwords leave only a PAM line, which is no attempt.
    """

    at: float
    host: Host
    user: str
    uid: int
    command: str
    target: str = "root"
    wrong: int = 0
    allowed: bool = True

    def lines(self, random: Random) -> Iterator[Line]:
        terminal = f"pts/{random.randrange(6)}"
        log = LogWriter(random, self.at, "sudo", self.host.pid(random), AUTHPRIV_NOTICE)
        what = f"TTY={terminal} ; PWD=/home/{self.user} ; USER={self.target} ; COMMAND={self.command}"
        if self.wrong:
            yield log.write(_pam_failure("sudo", self.user, self.uid, terminal), after=2.5)
        if not self.allowed:
            yield self._log(log, f"user NOT in sudoers ; {what}", "failure", 1)
        elif self.wrong >= 3:
            yield self._log(log, f"{self.wrong} incorrect password attempts ; {what}", "failure", self.wrong)
        else:
            yield self._log(log, what, "success", 1)
            yield from self._run(log)

    def _log(self, log: LogWriter, text: str, outcome: Outcome, count: int) -> Line:
        attempt = Attempt("sudo", outcome, self.user, None, count)
        priority = AUTHPRIV_NOTICE if outcome == "success" else AUTHPRIV_ALERT
        return log.write(f"{self.user:>8} : {text}", attempt, after=2.0 * (count - 1), priority=priority)

    def _run(self, log: LogWriter) -> Iterator[Line]:
        yield from _pam_session(log, "sudo", self.host, self.target, f"{self.user}(uid={self.uid})", 1.0)


@dataclass(frozen=True, slots=True)
class Su:
    """A user who becomes root with su, or is refused. This service is not counted in the truth."""

    at: float
    host: Host
    user: str
    uid: int
    granted: bool

    def lines(self, random: Random) -> Iterator[Line]:
        terminal = f"pts/{random.randrange(6)}"
        log = LogWriter(random, self.at, "su", self.host.pid(random), AUTHPRIV_NOTICE)
        if self.granted:
            yield log.write(f"(to root) {self.user} on {terminal}")
            yield from _pam_session(log, "su", self.host, "root", f"{self.user}(uid={self.uid})", 120.0)
        else:
            yield log.write(_pam_failure("su", self.user, self.uid, terminal))
            yield log.write(f"FAILED SU (to root) {self.user} on {terminal}", after=1.8)


@dataclass(frozen=True, slots=True)
class Remark:
    """A single message of a daemon; `{n}` in it becomes a random number."""

    at: float
    host: Host
    program: str
    priority: int
    text: str

    def lines(self, random: Random) -> Iterator[Line]:
        log = LogWriter(random, self.at, self.program, self._pid(random), self.priority)
        yield log.write(self.text.replace("{n}", str(random.randint(2, 4000))))

    def _pid(self, random: Random) -> int | None:
        """Daemons keep one pid from boot on; useradd has a new one each time."""
        if self.program == "useradd":
            return self.host.pid(random)
        return {"kernel": None, "systemd": 1}.get(self.program, 400 + 11 * len(self.program))


@dataclass(frozen=True, slots=True)
class CronJob:
    """One run of a job."""

    at: float
    host: Host
    user: str
    command: str

    def lines(self, random: Random) -> Iterator[Line]:
        red_hat = self.host.number % 4 == 1
        log = LogWriter(random, self.at, "CROND" if red_hat else "CRON", self.host.pid(random), CRON_INFO)
        session = _pam_session(log, "cron", self.host, self.user, "(uid=0)", random.uniform(0.1, 3.0))
        if not red_hat:
            yield next(session)
        yield log.write(f"({self.user}) CMD ({self.command})")
        if not red_hat:
            yield from session


@dataclass(frozen=True, slots=True)
class Unit:
    """A systemd unit that runs once."""

    at: float
    host: Host
    unit: str
    description: str

    def lines(self, random: Random) -> Iterator[Line]:
        log = LogWriter(random, self.at, "systemd", 1, DAEMON_INFO)
        yield log.write(f"Starting {self.unit} - {self.description}...")
        yield log.write(f"{self.unit}: Deactivated successfully.", after=random.uniform(0.1, 4.0))
        yield log.write(f"Finished {self.unit} - {self.description}.")


@dataclass(frozen=True, slots=True)
class Blocked:
    """A packet that the host's firewall dropped."""

    at: float
    host: Host
    address: str

    def lines(self, random: Random) -> Iterator[Line]:
        log = LogWriter(random, self.at, "kernel", None, KERN_WARNING)
        ports = f"SPT={random.randint(1024, 65535)} DPT={random.choice((23, 445, 2323, 3389, 5432, 6379, 8080, 8443))}"
        yield log.write(
            f"[{1_209_600 + self.at:.6f}] [UFW BLOCK] IN=eth0 OUT= MAC=02:00:00:00:{self.host.number:02x}:01:"
            f"02:00:00:00:00:fe:08:00 SRC={self.address} DST={self.host.address} LEN=44 TOS=0x00 PREC=0x00 "
            f"TTL={random.randint(38, 245)} ID={random.randrange(65536)} PROTO=TCP {ports} WINDOW=1024 RES=0x00 "
            "SYN URGP=0"
        )


def _pam_failure(service: str, user: str, uid: int, terminal: str) -> str:
    detail = f"logname={user} uid={uid} euid=0 tty=/dev/{terminal} ruser={user} rhost=  user={user}"
    return f"pam_unix({service}:auth): authentication failure; {detail}"


def _pam_session(log: LogWriter, service: str, host: Host, user: str, by: str, lasts: float) -> Iterator[Line]:
    account = f"{user}(uid=0)" if host.modern and user == "root" else user
    opened = f"pam_unix({service}:session): session opened for user {account} by {by}"
    yield log.write(opened, priority=AUTHPRIV_INFO)
    closed = f"pam_unix({service}:session): session closed for user {user}"
    yield log.write(closed, after=lasts, priority=AUTHPRIV_INFO)
