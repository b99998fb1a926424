"""Lines that go to a real Kafka with `ogrewatch produce`, and what is said when they cannot."""

import gzip
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import typer
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from typer.testing import CliRunner, Result

from cli.produce import command
from ingest.hosts import host_of_line
from operations.produce import LONGEST_LINE
from stack.demo.corpus import generate, truth

PARTITIONS = 3

app = typer.Typer()
app.command()(command)

Record = tuple[int, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class Bench:
    """A topic of its own, and the command pointed at it."""

    servers: str
    prefix: str
    topic: str = "raw.syslog"

    def run(self, *arguments: str, lines: bytes | None = None) -> Result:
        environment = {"OGREWATCH_KAFKA": self.servers, "OGREWATCH_PREFIX": self.prefix}
        return CliRunner().invoke(app, arguments, input=lines, env=environment)

    def records(self) -> list[Record]:
        """Partition, key and value of all records, in order per partition."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": self.prefix, "enable.auto.commit": False})
        name = self.prefix + self.topic
        ends = {p: consumer.get_watermark_offsets(TopicPartition(name, p))[1] for p in range(PARTITIONS)}
        consumer.assign([TopicPartition(name, p, 0) for p in ends])
        found: list[Record] = []
        give_up = time.monotonic() + 30
        while len(found) < sum(ends.values()) and time.monotonic() < give_up:
            for message in consumer.consume(500, timeout=0.3):
                assert message.error() is None
                found.append((message.partition() or 0, message.key(), message.value()))
        consumer.close()
        return found

    def values(self) -> list[bytes | None]:
        return [value for _, _, value in self.records()]


@pytest.fixture
def bench(kafka: str, unique: str) -> Iterator[Bench]:
    bench = Bench(kafka, f"{unique}.")
    admin = AdminClient({"bootstrap.servers": kafka})
    name = bench.prefix + bench.topic
    config = {"max.message.bytes": str(LONGEST_LINE + 65_536)}
    admin.create_topics([NewTopic(name, PARTITIONS, 1, config=config)])[name].result(30)
    yield bench
    admin.delete_topics([name])[name].result(30)


def test_odd_bytes_arrive_as_they_are_and_empty_lines_do_not(bench: Bench, tmp_path: Path) -> None:
    odd = [b"\x00nul\x00", b"\xff\xfe\xc3(", b"ends with a return\r", b" ", "zażółć".encode(), b"no newline at the end"]
    file = tmp_path / "odd.log"
    file.write_bytes(b"\n".join([odd[0], b"", *odd[1:3], b"", b"", *odd[3:]]))
    result = bench.run(str(file), "--json", "--key", "none")
    assert result.exit_code == 0, result.output
    summary = orjson.loads(result.stdout)
    assert summary["topic"] == bench.prefix + "raw.syslog"
    assert (summary["lines"], summary["skipped"], summary["refused"]) == (6, 3, 0)
    assert summary["bytes"] == sum(map(len, odd))
    assert summary["seconds"] > 0
    records = bench.records()
    assert {key for _, key, _ in records} == {None}
    assert sorted(value or b"" for _, _, value in records) == sorted(odd)


def test_a_hosts_lines_share_a_partition_in_order(bench: Bench) -> None:
    sent = [line for _, _, line in generate(3, datetime.now(UTC), 20)][:4000]
    result = bench.run("-", lines=b"\n".join(sent) + b"\n")
    assert result.exit_code == 0, result.output
    assert re.match(r"4,000 lines \([\d.]+ MB\) sent to \S+raw\.syslog in [\d.]+ s: [\d,]+ lines/s\n$", result.stdout)
    records = bench.records()
    assert len({(partition, key) for partition, key, _ in records}) == len({key for _, key, _ in records}) > 10
    for host in {key for _, key, _ in records}:
        assert [value for _, key, value in records if key == host] == [
            line for line in sent if host_of_line(line) == host
        ]


def test_lines_without_a_host_have_no_key_and_spread(bench: Bench) -> None:
    lines = b"".join(b"%d %s\n" % (number, os.urandom(300).hex().encode()) for number in range(6000))
    assert bench.run(lines=lines).exit_code == 0
    records = bench.records()
    assert len(records) == 6000
    assert {key for _, key, _ in records} == {None}


def test_gzip_is_unpacked(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "auth.log.1.gz"
    file.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert bench.run(str(file), "--key", "none").exit_code == 0
    assert sorted(filter(None, bench.values())) == [b"one", b"two"]


def test_a_torn_gzip_file_is_sent_as_far_as_it_goes(bench: Bench, tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b"%d %s\n" % (n, os.urandom(20).hex().encode()) for n in range(20_000)))
    file = tmp_path / "torn.gz"
    file.write_bytes(whole[: len(whole) // 2])
    result = bench.run(str(file))
    assert result.exit_code == 1
    told = re.search(r"no whole gzip file \(.*\); the ([\d,]+) lines read were sent\.", result.stderr)
    assert told is not None
    assert len(bench.records()) == int(told[1].replace(",", "")) > 1000


def test_a_line_over_the_limit_is_refused_by_number_and_the_rest_goes_on(bench: Bench) -> None:
    longest, longer = b"y" * LONGEST_LINE, b"x" * (LONGEST_LINE + 1)
    result = bench.run("--json", lines=b"\n".join([b"one", longer, b"", longest, longer * 2, b"six"]))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [f"Line {n} was not sent: it is longer than 8 MiB." for n in (2, 5)]
    summary = orjson.loads(result.stdout)
    assert (summary["lines"], summary["skipped"], summary["refused"]) == (3, 1, 2)
    assert sorted(filter(None, bench.values())) == [b"one", b"six", longest]


def test_a_line_that_only_the_topic_finds_too_long_is_refused_by_number(kafka: str, unique: str) -> None:
    bench = Bench(kafka, f"{unique}.", "narrow")
    admin, name = AdminClient({"bootstrap.servers": kafka}), f"{unique}.narrow"
    config = {"max.message.bytes": "1048588"}
    admin.create_topics([NewTopic(name, PARTITIONS, 1, config=config)])[name].result(30)
    try:
        noise = os.urandom(2_000_000).replace(b"\n", b" ")
        result = bench.run("--topic", "narrow", lines=b"one\n" + noise + b"\nthree\n")
        assert result.exit_code == 1
        assert "Line 2 was not sent: 2000000 bytes are more than the topic takes." in result.stderr
        assert result.stdout.startswith("2 lines (0.0 MB, 1 refused) sent to ")
        assert sorted(filter(None, bench.values())) == [b"one", b"three"]
    finally:
        admin.delete_topics([name])[name].result(30)


def test_a_rate_is_kept(bench: Bench) -> None:
    begin = time.monotonic()
    result = bench.run("--rate", "200", "--json", lines=b"a line\n" * 301)
    assert time.monotonic() - begin >= 1.5
    assert 150 < orjson.loads(result.stdout)["lines_per_second"] <= 201


def test_the_demonstration_ends_at_the_present_and_is_the_corpus(bench: Bench) -> None:
    result = bench.run("--demo", "--seed", "5", "--rate", "60000", "--json")
    ended = datetime.now(UTC)
    assert result.exit_code == 0, result.output
    values = [value for value in bench.values() if value]
    assert orjson.loads(result.stdout)["lines"] == len(values)
    assert abs(len(values) - truth(5, ended).lines) < 200
    stamps = [found[1] for value in values if (found := re.match(rb"<\d+>1 (\S+)", value))]
    last = max(datetime.fromisoformat(stamp.decode()) for stamp in stamps)
    assert ended - timedelta(seconds=60) < last < ended + timedelta(seconds=5)


def test_an_unknown_topic_is_one_sentence(bench: Bench) -> None:
    result = bench.run("--topic", "raw.nowhere", lines=b"one\n")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"has no topic {bench.prefix}raw.nowhere. `ogrewatch topics create` makes ours." in result.stderr


def test_an_absent_kafka_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.produce.ANSWER_SECONDS", 0.5)
    result = Bench("127.0.0.1:1", "").run(lines=b"one\n")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert re.match(r"Kafka at 127\.0\.0\.1:1 does not answer \(.*\)\. Is it running\?", result.stderr)


def test_an_absent_file_is_one_sentence(bench: Bench, tmp_path: Path) -> None:
    result = bench.run(str(tmp_path / "absent.log"))
    assert result.exit_code == 1
    assert result.stderr == f"{tmp_path / 'absent.log'} cannot be read: No such file or directory.\n"


def test_a_file_and_the_demonstration_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.log").touch()
    result = Bench("127.0.0.1:1", "").run(str(tmp_path / "a.log"), "--demo")
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (b"<38>Aug  4 15:01:25 web-01 sshd[7]: text", b"web-01"),
        (b"Aug 14 15:01:25 web-01.example.net sshd[7]: text", b"web-01.example.net"),
        (b"<38>1 2026-08-04T15:01:25Z db-01 sshd 7 - - text", b"db-01"),
        (b"<38>1 - 2001:db8::7 sshd - - - text", b"2001:db8::7"),
        (b"2026-08-04T15:01:25.5+01:00 192.0.2.7 sshd[7]: text", b"192.0.2.7"),
        (b"<38>2026-08-04T15:01:25.5+01:00 \xff\xfe sshd[7]: text", b"\xff\xfe"),
        (b"<38>1 2026-08-04T15:01:25Z - sshd 7 - - text", None),
        (b"<38>Aug  4 15:01:25 sshd[7]: the host is missing", None),
        (b"<38>Aug  4 15:01:25 nginx: the host is missing", None),
        (b"no header at all", None),
        (b"<38>1 " + b"x" * 10_000, None),
        (b"\x00", None),
    ],
)
def test_the_host_is_seen_in_every_header(line: bytes, host: bytes | None) -> None:
    assert host_of_line(line) == host


def test_the_host_seen_is_the_corpus_own_key() -> None:
    assert all(host_of_line(line) == host for _, host, line in generate(2, datetime.now(UTC), 14))
