"""The demonstration corpus: equal for equal seeds, in time order, in every dialect, and true to its word."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from ipaddress import ip_address, ip_network

import pytest

from stack.demo.corpus import Truth, generate, truth
from stack.demo.world import BRUTE, INTRUDER, LDAP_SPRAYER, SPRAYER, WEB_BRUTE

# Just after the new year, so that the hour crosses it, with a fraction, in no round minute.
END = datetime(2027, 1, 1, 0, 20, 33, 250_000, tzinfo=UTC)
SEED = 11

RFC3164 = re.compile(
    rb"<(\d{1,3})>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) ([\w.-]+) ([\w/-]+)(?:\[(\d+)\])?: (.*)", re.S
)
ISO = re.compile(
    rb"(?:<(\d{1,3})>)?(\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d) ([\w.-]+) ([\w/-]+)(?:\[(\d+)\])?: (.*)", re.S
)
RFC5424 = re.compile(rb"<(\d{1,3})>1 (\S+) ([\w.-]+) ([\w/-]+) (-|\d+) - (?:-|\[meta sequenceId=\"\d+\"\]) (.*)", re.S)

NETWORKS = """10.0.0.0/8 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 2.125.160.216/29 67.43.156.0/24
81.2.69.0/24 89.160.20.0/24 111.235.160.0/22 175.16.199.0/24 202.196.224.0/20 216.160.83.56/29 0.0.0.0/32"""
# A browser's version that reads like an address.
BROWSERS = {"131.0.0.0"}

Corpus = list[tuple[float, bytes, bytes]]


@cache
def corpus(seed: int = SEED) -> Corpus:
    return list(generate(seed, END))


@cache
def expected() -> Truth:
    return truth(SEED, END)


def parts(line: bytes) -> tuple[bytes, bytes, bytes, str]:
    """Stamp, host, program and message, by whichever header format fits."""
    for pattern in (RFC5424, RFC3164, ISO):
        if found := pattern.fullmatch(line):
            return found[2], found[3], found[4], found[6].decode()
    raise AssertionError(line)


def test_equal_arguments_give_equal_bytes_and_another_seed_another_hour() -> None:
    assert list(generate(SEED, END)) == corpus()
    assert [line for _, _, line in corpus(12)] != [line for _, _, line in corpus()]


def test_it_is_an_hour_of_a_believable_size_in_time_order() -> None:
    moments = [at for at, _, _ in corpus()]
    assert moments == sorted(moments)
    assert moments[0] >= 0
    assert 3590 < moments[-1] < 3600
    assert 60_000 < len(corpus()) < 100_000
    assert len({host for _, host, _ in corpus()}) == 50


def test_every_line_has_one_header_format_per_host_and_no_newline() -> None:
    dialects: defaultdict[bytes, set[str]] = defaultdict(set)
    for _, host, line in corpus():
        assert b"\n" not in line
        assert parts(line)[1] == host
        kind = next(name for name, p in (("5424", RFC5424), ("3164", RFC3164), ("iso", ISO)) if p.fullmatch(line))
        dialects[host].add(f"{kind}{' without priority' if line[:1] != b'<' else ''}")
    assert {len(kinds) for kinds in dialects.values()} == {1}
    assert {kind for kinds in dialects.values() for kind in kinds} == {"5424", "3164", "iso", "iso without priority"}


def test_stamps_are_right_for_the_end() -> None:
    start = END - timedelta(hours=1)
    for at, _, line in corpus():
        stamp = parts(line)[0].decode()
        truly = start + timedelta(seconds=at)
        if stamp[0].isdigit():
            assert abs(datetime.fromisoformat(stamp) - truly) < timedelta(milliseconds=1)
        else:
            year = truly.year
            read = datetime.strptime(f"{year} {stamp}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
            assert read == truly.replace(microsecond=0)


def test_web_stamps_carry_the_hosts_offset() -> None:
    zones = set()
    for at, _, line in corpus():
        if found := re.search(rb"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]", line):
            time = datetime.strptime(found[1].decode(), "%d/%b/%Y:%H:%M:%S %z")
            assert abs((time - END).total_seconds() + 3600 - at) < 1.1
            zones.add(time.tzinfo)
    assert zones == {UTC, timezone(timedelta(hours=1)), timezone(timedelta(hours=-5))}


class Recount:
    """Counts attempts from the raw lines alone, by the rules in the corpus' description."""

    def __init__(self) -> None:
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.sources: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.peers: dict[tuple[bytes, str], str] = {}
        self.names: dict[tuple[bytes, str, str], str] = {}

    def add(self, service: str, outcome: str, source: str | None, count: int = 1) -> None:
        self.attempts[service, outcome] += count
        if source is not None:
            self.sources[source][outcome] += count

    def line(self, line: bytes) -> None:
        _, host, program, text = parts(line)
        if program in (b"sshd", b"sshd-session"):
            self.sshd(text)
        elif program == b"sudo":
            self.sudo(text)
        elif program == b"nginx":
            if found := re.match(r'(\S+) - \S+ \[[^]]+\] "POST [^"]*" 401 ', text):
                self.add("web", "failure", found[1])
        elif program == b"slapd":
            self.slapd(host, text)

    def sshd(self, text: str) -> None:
        times = 1
        if repeated := re.fullmatch(r"message repeated (\d+) times: \[ (.*)\]", text):
            times, text = int(repeated[1]), repeated[2]
        if found := re.fullmatch(
            r"(Failed(?! publickey)|Accepted) \S+ for .* from (\S+) port \d+ ssh2(: \w+ SHA256:\S{43})?", text
        ):
            self.add("sshd", "failure" if found[1] == "Failed" else "success", found[2], times)

    def sudo(self, text: str) -> None:
        if found := re.search(r" : (\d+) incorrect password attempts? ; ", text):
            self.add("sudo", "failure", None, int(found[1]))
        elif " : user NOT in sudoers ; " in text:
            self.add("sudo", "failure", None)
        elif "COMMAND=" in text:
            self.add("sudo", "success", None)

    def slapd(self, host: bytes, text: str) -> None:
        connection = text.split()[0]
        if found := re.search(r"ACCEPT from (?:IP=\[?(.*?)\]?:\d+|PATH=\S+) \(", text):
            assert (host, connection) not in self.peers, "connection numbers are used once"
            self.peers[host, connection] = found[1]
        elif found := re.search(r' op=(\d+) BIND dn="([^"]*)"', text):
            self.names[host, connection, found[1]] = found[2]
        elif found := re.search(r" op=(\d+) RESULT tag=97 err=(\d+) ", text):
            name = self.names[host, connection, found[1]]
            if name and found[2] != "14":
                self.add("ldap", "success" if found[2] == "0" else "failure", self.peers[host, connection])


def test_the_truth_is_what_an_independent_count_of_the_lines_gives() -> None:
    recount = Recount()
    for _, _, line in corpus():
        recount.line(line)
    assert expected().lines == len(corpus())
    assert dict(expected().attempts) == dict(recount.attempts)
    told = {address: (source.failures, source.successes) for address, source in expected().sources.items()}
    read = {str(address): (c["failure"], c["success"]) for address, c in recount.sources.items()}
    assert told == read


def test_every_service_fails_and_all_but_the_web_succeed() -> None:
    pairs = {(service, outcome) for service in ("sshd", "ldap", "sudo", "web") for outcome in ("failure", "success")}
    assert set(expected().attempts) == pairs - {("web", "success")}


@pytest.mark.parametrize(
    ("address", "failures", "successes", "users", "hosts"),
    [(SPRAYER, 90, 0, 90, 6), (BRUTE, 2400, 0, 2, 1), (INTRUDER, 180, 1, 1, 1), (LDAP_SPRAYER, 236, 0, 118, 1)],
)
def test_the_attacks_leave_what_they_say(address: str, failures: int, successes: int, users: int, hosts: int) -> None:
    source = expected().sources[address]
    assert abs(source.failures - failures) <= 2
    assert source.successes == successes
    assert abs(len(source.users) - users) <= 2
    assert len(source.hosts) == hosts


def test_the_form_is_tried_twelve_hundred_times() -> None:
    assert expected().sources[WEB_BRUTE].failures == 1200


def test_the_intruder_becomes_root_after_getting_in() -> None:
    texts = [parts(line)[3] for _, host, line in corpus() if host == b"app-01"]
    entry = next(i for i, text in enumerate(texts) if text.startswith("Accepted") and INTRUDER in text)
    assert any("deploy : " in text and "COMMAND=/usr/bin/cat /etc/shadow" in text for text in texts[entry:])
    assert any("new user: name=sysupd" in text for text in texts[entry:])


def test_the_traps_are_there() -> None:
    text = b"\n".join(line for _, _, line in corpus())
    for trap in (
        rb"message repeated 5 times: \[ Failed password for root ",
        rb"maximum authentication attempts exceeded for invalid user admin ",
        rb"Failed password for invalid user root from 192\.0\.2\.1 port 22 ssh2 from \S+ port \d+ ssh2",
        rb"Invalid user  from ",
        rb"sshd-session\[\d+\]: Accepted",
        rb"err=14 ",
        rb"ACCEPT from PATH=",
        rb'BIND dn="" method=128',
        rb" 401 179 ",
        rb'"\\x16\\x03',
    ):
        assert re.search(trap, text), trap


def addresses() -> Iterator[str]:
    yield from expected().sources
    for _, _, line in corpus():
        yield from (found.decode() for found in re.findall(rb"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", line))


def test_every_address_is_private_a_documentation_or_a_maxmind_test_address() -> None:
    allowed = [ip_network(network) for network in NETWORKS.split()]
    for address in set(addresses()) - BROWSERS:
        assert any(ip_address(address) in network for network in allowed), address


def test_a_bigger_fleet_does_more() -> None:
    small, big = truth(SEED, END, 20), truth(SEED, END, 80)
    assert big.lines > 2 * small.lines


@pytest.mark.parametrize(("end", "hosts"), [(datetime(2027, 1, 1), 50), (END, 9)])
def test_an_hour_without_a_zone_or_too_few_hosts_is_refused(end: datetime, hosts: int) -> None:
    with pytest.raises(ValueError, match="the corpus needs"):
        truth(SEED, end, hosts)
