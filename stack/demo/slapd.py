"""Writes what OpenLDAP's slapd logs of a connection at log level "stats"; its lines belong together by `conn=`.

https://www.openldap.org/doc/admin26/slapdconfig.html#loglevel%20%3Clevel%3E
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from stack.demo.scene import LOCAL4_DEBUG, Attempt, Host, Line, LogWriter

SUCCESS, SASL_BIND_IN_PROGRESS, INVALID_CREDENTIALS = 0, 14, 49
PEER = "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"


@dataclass(frozen=True, slots=True)
class Bind:
    """One bind of a connection. An empty `dn` is anonymous, which is no attempt to log in."""

    dn: str
    error: int = SUCCESS
    mechanism: str = "SIMPLE"


@dataclass(slots=True)
class _ConnectionLog:
    """Writes lines of one connection, each with the number of the connection and of the operation or socket."""

    writer: LogWriter
    connection: int
    socket: int
    timed: bool
    operation: int = -1

    def fd(self, text: str) -> Line:
        return self.writer.write(f"conn={self.connection} fd={self.socket} {text}")

    def begin(self, text: str, after: float = 0.0) -> Line:
        """Write the first line of the next operation."""
        self.operation += 1
        return self.op(text, after=after)

    def op(self, text: str, attempt: Attempt | None = None, after: float = 0.0) -> Line:
        return self.writer.write(f"conn={self.connection} op={self.operation} {text}", attempt, after)

    def times(self) -> str:
        """The durations in a result, which OpenLDAP writes since 2.5."""
        if not self.timed:
            return ""
        random = self.writer.random
        return f" qtime={random.uniform(0.000005, 0.00004):.6f} etime={random.uniform(0.00008, 0.004):.6f}"


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection from `address`, None for the local socket: it binds, searches for `names`, and ends."""

    at: float
    host: Host
    address: str | None
    binds: tuple[Bind, ...]
    names: tuple[str, ...] = ()
    tls: bool = False
    lost: bool = False

    def lines(self, random: Random) -> Iterator[Line]:
        # One slapd process runs from boot on, so its pid never changes.
        writer = LogWriter(random, self.at, "slapd", 700 + self.host.number, LOCAL4_DEBUG)
        log = _ConnectionLog(writer, self.host.connection(), random.randint(12, 60), self.host.modern)
        yield log.fd(f"ACCEPT from {self._peer(random)}")
        if self.tls:
            yield from _start_tls(log)
        for bind in self.binds:
            yield from self._bind(log, bind)
        for name in self.names:
            yield from _search(log, name)
        if not self.lost:
            yield log.begin("UNBIND", after=random.uniform(0, 0.4))
        yield log.fd("closed (connection lost)" if self.lost else "closed")

    def _peer(self, random: Random) -> str:
        if self.address is None:
            return "PATH=/run/slapd/ldapi (PATH=/run/slapd/ldapi)"
        return f"IP={self.address}:{random.randint(32768, 60999)} (IP=0.0.0.0:389)"

    def _bind(self, log: _ConnectionLog, bind: Bind) -> Iterator[Line]:
        if bind.mechanism == "SIMPLE":
            yield log.begin(f'BIND dn="{bind.dn}" method=128')
        else:
            yield from _sasl(log, bind)
        if bind.dn and bind.error == SUCCESS:
            strength = "bind_ssf=0 ssf=0" if log.timed else "ssf=0"
            yield log.op(f'BIND dn="{bind.dn}" mech={bind.mechanism} {strength}')
        yield log.op(f"RESULT tag=97 err={bind.error}{log.times()} text=", self._attempt(bind))

    def _attempt(self, bind: Bind) -> Attempt | None:
        if not bind.dn:
            return None
        return Attempt("ldap", "failure" if bind.error else "success", bind.dn, self.address)


def _start_tls(log: _ConnectionLog) -> Iterator[Line]:
    yield log.begin("EXT oid=1.3.6.1.4.1.1466.20037")
    yield log.op("STARTTLS")
    yield log.op(f"RESULT oid= err=0{log.times()} text=")
    yield log.fd("TLS established tls_ssf=256 ssf=256 tls_proto=TLSv1.3 tls_cipher=TLS_AES_256_GCM_SHA384")


def _sasl(log: _ConnectionLog, bind: Bind) -> Iterator[Line]:
    """The lines before the outcome of a SASL bind. GSSAPI has two rounds "in progress", which are no outcomes."""
    for _ in range(2 if bind.mechanism == "GSSAPI" else 0):
        yield log.begin('BIND dn="" method=163')
        yield log.op(f"RESULT tag=97 err={SASL_BIND_IN_PROGRESS}{log.times()} text=SASL(0): successful result: ")
    yield log.begin('BIND dn="" method=163')
    name = bind.dn if bind.mechanism == "EXTERNAL" else bind.dn.partition(",")[0].partition("=")[2]
    yield log.op(f'BIND authcid="{name}" authzid="{name}"')


def _search(log: _ConnectionLog, name: str) -> Iterator[Line]:
    yield log.begin(f'SRCH base="ou=People,dc=example,dc=net" scope=2 deref=0 filter="(uid={name})"')
    if log.timed:
        yield log.op("SRCH attr=uid cn mail uidNumber gidNumber")
    found = int(log.writer.random.random() < 0.93)
    yield log.op(f"SEARCH RESULT tag=101 err=0{log.times()} nentries={found} text=")
