"""The API of the page over a whole installation on real servers: search, stored counts, lineage, the event stream."""

import csv
import io
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from installation_kit import Place, place, until

from operations.process import command_line
from stack.ports import HOST, free_port
from topics.avro.codec import encode
from topics.documents.ecs import iso

BEGIN = int(time.time()) // 60 * 60 - 900
"""A quarter of an hour ago: its minutes close as soon as they are counted."""
LOUD, OGRE, CLERK = "81.2.69.142", "89.160.20.112", "2001:db8::7"
EVIL = "<img src=x onerror=alert(1)>"
CROWD = 10_000
VIEWERS = 50
_SLOW = 240  # seconds that anything may take on a busy machine


def line(second: int, text: str, program: str = "sshd[77]", host: str = "web1", begin: int = BEGIN) -> bytes:
    return f"<38>{iso((begin + second) * 1_000_000)[:19]}Z {host} {program}: {text}".encode()


def failed(second: int, address: str, user: str, host: str = "web1", begin: int = BEGIN) -> bytes:
    return line(
        second, f"Failed password for invalid user {user} from {address} port 50022 ssh2", host=host, begin=begin
    )


def got_in(second: int, address: str, user: str, host: str = "web1", begin: int = BEGIN) -> bytes:
    return line(second, f"Accepted password for {user} from {address} port 50022 ssh2", host=host, begin=begin)


LINES = [
    *(failed(second, LOUD, "admin") for second in range(20)),
    *(failed(60 + second, OGRE, "alice", "web2") for second in range(6)),
    got_in(70, OGRE, "alice", "web2"),
    line(75, f"alice : TTY=pts/0 ; PWD=/home/{EVIL} ; USER=root ; COMMAND=/usr/bin/id", "sudo", "web2"),
    failed(120, CLERK, "bob"),
    got_in(121, CLERK, "bob"),
    got_in(122, CLERK, "bob"),
    line(130, f"a line {EVIL} that nobody understands \u2028 \U0001f479", "strange"),
]


@dataclass(frozen=True, slots=True)
class Site:
    """A running installation, where its web role answers, and the process of that."""

    at: Place
    url: str
    web: "subprocess.Popen[bytes]"

    def run(self, *arguments: str, status: int = 0) -> str:
        """What a command prints; it must end with this status."""
        command = command_line(*arguments)
        done = subprocess.run(command, env=self.at.environment, capture_output=True, text=True, timeout=_SLOW)
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """The answer to a request; errors have to have this status."""
        asked = f"?{urlencode(query)}" if query else ""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}{asked}", timeout=30) as answer:
                body, found = answer.read(), answer.status
        except urllib.error.HTTPError as error:
            with error:
                body, found = error.read(), error.code
        assert found == status, body
        return json.loads(body)

    def post(self, path: str, body: bytes, kind: str) -> Any:
        """The answer to a POST."""
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", body, {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    @contextmanager
    def stream(self, ids: list[str] | None = None, **query: Any) -> Iterator[Iterator[tuple[str, Any]]]:
        """The events of a stream: names and data. Their ids are appended to `ids`."""
        with urllib.request.urlopen(f"{self.url}/api/v1/live?{urlencode(query)}", timeout=_SLOW) as answer:
            yield _events(answer, [] if ids is None else ids)


def _events(answer: Any, ids: list[str]) -> Iterator[tuple[str, Any]]:
    name, end = "", time.monotonic() + _SLOW
    for row in answer:
        assert time.monotonic() < end  # something comes every two seconds
        text = row.decode().rstrip("\n")
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: "):
            yield name, json.loads(text.removeprefix("data: "))
        elif text.startswith("id: "):
            ids.append(text.removeprefix("id: "))


@pytest.fixture(scope="module")
def site(kafka: str, elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation that has stored and counted LINES, and given up one record."""
    folder: Path = tmp_path_factory.mktemp("page")
    with place(kafka, elasticsearch_url, f"t{uuid.uuid4().hex[:10]}", folder) as at, ExitStack() as running:
        port = free_port()
        count = at.environment["OGREWATCH_COUNT_PORT"]
        at.environment |= {"OGREWATCH_WEB_PORT": str(port), "OGREWATCH_QUERY_URL": f"http://{HOST}:{count}"}
        at.send([(0, text) for text in LINES])
        at.give_up("normalize", "raw.syslog", 3, LINES[3])
        for role in ("normalize", "count", "index"):
            running.enter_context(at.worker(role))
        made = Site(at, f"http://{HOST}:{port}", running.enter_context(at.worker("web")))
        until(lambda: len(at.documents()) == len(LINES), _SLOW)
        until(lambda: _answers(made), _SLOW)
        yield made


def _answers(site: Site) -> bool:
    try:
        return bool(site.get("attackers", window="1h")["total"] == 3)
    except (OSError, AssertionError):
        return False


def test_a_search_finds_events_page_by_page_and_its_figures_agree(site: Site) -> None:
    query = 'service:sshd outcome:failure ip:81.2.69.0/24 -user:root "invalid user"'
    first = site.get("events", q=query, limit=15)
    second = site.get("events", q=query, limit=15, after=json.dumps(first["after"]))
    assert (first["total"], first["total_is"], first["complete"]) == (20, "exact", True)
    assert len({event["id"] for event in first["events"] + second["events"]}) == 20
    assert second["after"] is None
    times = [event["@timestamp"] for event in first["events"] + second["events"]]
    assert times == sorted(times, reverse=True)
    oldest = site.get("events", q=query, limit=1, sort="oldest")["events"][0]
    assert (oldest["id"], oldest["user"]["name"]) == (f"{site.at.prefix}raw.syslog-0-0", "admin")
    facets = site.get("events/facets", q=query, fields="user,host,event.dataset")
    assert facets["fields"]["user.name"] == {"values": [{"value": "admin", "count": 20}], "other": 0, "distinct": 1}
    steps = site.get("events/histogram", q=query, window="1h", buckets=60)
    assert (sum(row["count"] for row in steps["buckets"]), sum(row["failures"] for row in steps["buckets"])) == (20, 20)
    assert len(steps["buckets"]) <= 62


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", len(LINES)), ("-service:sshd", 2), ("alice", 8), ("ali*", 8), (OGRE, 7), ("89.160.20.0/24", 7),
        (f"ip:{CLERK}", 3), ("ip:2001:db8::/32", 3), ("user:*", 31), ("port:>50000", 30), ("port:<50000", 0),
        ("country:se", 7), ("sshd.method:password", 30), ('message:"failed password"', 27), ("understands", 1),
        ("dataset:syslog.unparsed", 1), ("action:*", 31), ("-alice host:web2", 0), ('"onerror=alert"', 2),
    ],
)  # fmt: skip
def test_what_a_search_means_in_elasticsearch(site: Site, query: str, number: int) -> None:
    assert site.get("events", q=query, limit=1)["total"] == number


def test_a_search_that_finds_nothing_says_which_term_to_drop(site: Site) -> None:
    found = site.get("events", q="user:alice host:web1")
    assert found["without"] == [{"term": "user:alice", "total": 24}, {"term": "host:web1", "total": 8}]
    wrong = site.get("events", 400, q="user:alice hst:web1")
    assert (wrong["column"], wrong["length"]) == (12, 3)


def test_events_become_files(site: Site) -> None:
    asked = f"{site.url}/api/v1/events?" + urlencode({"format": "csv", "q": "strange", "columns": "message,host"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.reader(io.StringIO(answer.read().decode(), newline="")))
    assert rows[0] == ["id", "message", "host.hostname"]
    assert rows[1][1:] == [f"a line {EVIL} that nobody understands \u2028 \U0001f479", "web1"]
    with urllib.request.urlopen(f"{site.url}/api/v1/events?format=ndjson&limit=10000", timeout=30) as answer:
        assert len([json.loads(row) for row in answer]) == len(LINES)


def test_long_windows_and_other_groups_are_answered_from_what_is_stored(site: Site) -> None:
    until(lambda: site.get("auth/ratio", window="7d")["rows"], _SLOW)
    until(lambda: site.get("auth/ratio", window="7d")["total"]["attempts"] == 31, _SLOW)
    live, stored = site.get("auth/ratio", window="1h"), site.get("auth/ratio", window="7d")
    assert (live["source"], stored["source"], stored["rows"]) == ("live", "stored", live["rows"])
    hosts = site.get("auth/ratio", by="host", window="1h")
    assert {row["name"]: row["failure"] for row in hosts["rows"]} == {"web1": 21, "web2": 6}
    users = site.get("auth/ratio", by="address", window="1h", user="alice")
    assert [(row["name"], row["success"], row["failure"]) for row in users["rows"]] == [(OGRE, 1, 6)]
    minutes = [site.get("auth/series", window="1h"), site.get("auth/series", window="2d", step="1h", service="sshd")]
    filtered = site.get("auth/series", window="1h", country="GB")
    assert [sum(one["rows"]["sshd"]["failure"]) for one in (*minutes, filtered)] == [27, 27, 20]
    live, stored = site.get("attackers", window="1h"), site.get("attackers", window="7d")
    for name in ("address", "failures", "successes", "services", "broke_in", "user_count", "country", "last_seen"):
        assert [row[name] for row in live["attackers"]] == [row[name] for row in stored["attackers"]], name
    assert (stored["attackers"][0]["address"], stored["broke_in_total"], stored["total"]) == (OGRE, 1, 3)
    assert (
        stored["attackers"][0]["last_success"]
        == live["attackers"][0]["last_success"]
        == iso((BEGIN + 70) * 1_000_000).replace(".000", "")
    )
    assert [row["address"] for row in site.get("attackers", window="7d", sort="address", order="desc")["attackers"]][
        1:
    ] == [LOUD, CLERK]
    for by in ("country", "city"):
        places = [site.get("auth/places", window=window, by=by) for window in ("1h", "7d")]
        for found in places:
            assert [(row["country"], row["failures"], row["broke_in"]) for row in found["places"]] == [
                ("SE", 6, 1),
                ("GB", 20, 0),
            ]
            assert found["unknown"]["failures"] == 1


def test_an_event_leads_back_to_its_line(site: Site) -> None:
    identity = f"{site.at.prefix}raw.syslog-0-26"
    found = site.get(f"events/{identity}")
    assert found["raw"]["text"] == LINES[26].decode()
    assert (found["raw"]["offset"], found["raw"]["key"], found["event"]["user"]["name"]) == (26, "host0", "alice")
    text = found["raw"]["text"]
    spans = {span["field"]: text[span["from"] : span["to"]] for span in found["spans"]}
    assert (spans["user.name"], spans["source.ip"], spans["host.hostname"]) == ("alice", OGRE, "web2")
    steps = {step["step"]: step["says"] for step in found["steps"]}
    assert list(steps) == ["came", "header", "stream", "attempt", "enrich", "index", "rule", "stored"]
    assert steps["attempt"].startswith("counted: 1 success at sshd")
    assert f"logs-ogrewatch.authentication-{site.at.name}" in steps["stored"]
    assert [row["id"][-2:] for row in found["before"]] == ["20", "21", "22", "23", "24", "25"][-len(found["before"]) :]
    assert [row["id"][-2:] for row in found["after"]] == ["27"]


def test_a_dead_letter_has_the_same_view_and_the_list_names_it(site: Site) -> None:
    identity = f"normalize:{site.at.prefix}raw.syslog-0-3"
    found = site.get(f"events/{quote(identity)}")
    assert found["dead_letter"]["command"] == f"ogrewatch deadletter replay '{identity}'"
    assert found["raw"]["text"] == LINES[3].decode()
    listed = site.get("deadletters")
    assert (listed["total"], listed["reasons"]) == (1, [{"component": "normalize", "reason": "encoding", "count": 1}])
    assert listed["deadletters"][0]["id"] == identity


def test_ids_that_lead_nowhere_are_told_apart(site: Site) -> None:
    assert "ends at offset" in site.get(f"events/{site.at.prefix}raw.syslog-0-99999", 404)["error"]
    for other in ("events.authentication-0-0", f"{site.at.prefix}deadletter-0-0"):
        assert "did not come by a raw topic" in site.get(f"events/{other}", 404)["error"]
    assert "an id is" in site.get(f"events/{quote(EVIL, safe='')}", 400)["error"]


def test_a_line_is_explained_without_being_stored(site: Site) -> None:
    found = site.post("explain", json.dumps({"line": LINES[27].decode()}).encode(), "application/json")
    assert found["event"]["process"]["working_directory"] == f"/home/{EVIL}"
    assert found["raw"]["topic"] is None
    plain = site.post("explain", b"\xff\xfe <b>", "text/plain")
    assert plain["steps"][1]["says"] == "no stream understood it; it is stored as it is"


def test_an_address_is_shown_with_what_followed_its_success(site: Site) -> None:
    found = site.get(f"attackers/{OGRE}", window="1h")
    assert [(row["name"], row["failure"], row["success"]) for row in found["by_user"]] == [("alice", 6, 1)]
    assert [row["name"] for row in found["by_host"]] == ["web2"]
    assert len(found["events"]) == 7
    (after,) = found["after_success"]
    assert (after["user"], after["host"], after["service"], after["total"]) == ("alice", "web2", "sshd", 1)
    assert after["events"][0]["process"]["command_line"] == "/usr/bin/id"
    assert (found["network"]["prefix"], found["network"]["attackers"]) == ("89.160.20.", [])
    assert site.get("attackers", window="1h", q="81.2.")["attackers"][0]["address"] == LOUD


def test_the_installation_says_how_it_works(site: Site) -> None:
    def balanced() -> Any:
        found = site.get("ledger", since="1h")
        return found if found["balanced"] and not found["under_way"] else None

    ledger = until(balanced, _SLOW)
    assert (ledger["received"], ledger["stored"]) == (len(LINES), len(LINES))
    assert ledger["verdict"].startswith("Balanced since ")
    roles = until(lambda: _idle(site.get("roles")), _SLOW)
    assert {name: role["members"] for name, role in roles.items()} == dict.fromkeys(roles, 1)
    assert sum(max(0, row["committed"]) for row in roles["normalize"]["partitions"]) == len(LINES)
    coverage = site.get("coverage", window="1h")
    assert (coverage["lines"], coverage["unparsed"], coverage["sampled"]) == (len(LINES), 1, 1)
    assert coverage["shapes"][0]["program"] == "strange"


def _idle(found: Any) -> Any:
    roles = {name: found["roles"][name] for name in ("normalize", "count", "index")}
    rates = all(role["per_second"] is not None for role in roles.values())
    return roles if rates and not sum(role["lag"] for role in roles.values()) else None


def test_commands_show_the_same(site: Site) -> None:
    identity = f"{site.at.prefix}raw.syslog-0-26"
    assert "31 events" in site.run("search", "user:*", "--limit", "3")
    shown = site.run("search", "program:strange")
    assert f"{EVIL} that nobody" in shown
    assert "\u2028" not in shown
    assert site.run("search", "user:alice", "--format", "csv").count("\n") == 9
    assert "             ^^^\n" in site.run("search", "user:alice a hst:web1", status=2)
    told = site.run("explain", "--id", identity)
    assert LINES[26].decode() in told
    assert "stored in" in told
    assert OGRE in site.run("top", "--batch")
    assert "Everything works." in site.run("status")
    assert json.loads(site.run("status", "--json"))["ok"]
    with subprocess.Popen(
        command_line("tap", "--filter", "user:mallory", "--count", "1", "--json"),
        env=site.at.environment, stdout=subprocess.PIPE, text=True,
    ) as tap:  # fmt: skip
        end = time.monotonic() + _SLOW
        while tap.poll() is None:
            assert time.monotonic() < end
            site.at.send([(1, got_in(0, "198.51.100.7", "mallory", begin=int(time.time())))])
            time.sleep(1)
        assert json.loads(tap.stdout.read() if tap.stdout else "")["user"] == "mallory"


def test_an_alert_reaches_all_viewers_and_those_who_come_back(site: Site) -> None:
    producer = Producer({"bootstrap.servers": site.at.kafka})

    def alert(name: str) -> None:
        body = json.dumps({"rule": {"name": name}}).encode()
        producer.produce(f"{site.at.prefix}alerts", body, name.encode(), 0)
        assert producer.flush(30) == 0

    alert("old")
    ids: list[str] = []
    with site.stream(ids, view="alerts") as events:
        next(name for name, _ in events if ids and ids[-1] != "0")  # the ends of the topic are known
        alert("new")
        found = next(data for name, data in events if name == "alert")
        assert (found["id"], found["rule"]["name"]) == ("new", "new")
    alert("missed")
    request = urllib.request.Request(f"{site.url}/api/v1/live?view=alerts", headers={"Last-Event-ID": "0-2"})
    with urllib.request.urlopen(request, timeout=_SLOW) as answer:
        assert next(data["id"] for name, data in _events(answer, []) if name == "alert") == "missed"


def test_fifty_viewers_cost_little_at_five_thousand_events_a_second(site: Site) -> None:
    now = int(time.time())
    event = {
        "timestamp": now * 1_000_000, "event_created": now * 1_000_000, "ogrewatch_raw_topic": "raw.syslog",
        "ogrewatch_raw_partition": 7, "event_dataset": "sshd", "message": "Failed password", "host_hostname": "web1",
        "event_original": "x" * 120, "event_category": ["authentication"],
    }  # fmt: skip
    values = [encode("authentication", event | {"ogrewatch_raw_offset": number}) for number in range(500)]
    producer = Producer({"bootstrap.servers": site.at.kafka, "linger.ms": 20})
    ended, read = threading.Event(), [0] * VIEWERS

    def look(number: int) -> None:
        with site.stream(view="live", window="1h") as events:
            for _ in events:
                read[number] += 1
                if ended.is_set():
                    return

    viewers = [threading.Thread(target=look, args=(number,), daemon=True) for number in range(VIEWERS)]
    for viewer in viewers:
        viewer.start()
    until(lambda: min(read) > 2, _SLOW)
    used, begin = _seconds(site.web.pid), time.monotonic()
    sent = 0
    while (passed := time.monotonic() - begin) < 20:
        if sent < passed * 5_000:
            for value in values:
                producer.produce(f"{site.at.prefix}events.authentication", value, b"web1")
            producer.poll(0)
            sent += len(values)
        else:
            time.sleep(0.02)
    share, rate = (_seconds(site.web.pid) - used) / passed, sent / passed
    ended.set()
    for viewer in viewers:
        viewer.join(60)
    print(f"{VIEWERS} viewers at {rate:,.0f} events a second: {share:.1%} of a core, {min(read)} events each at least")
    assert min(read) > 60
    assert share < 0.3  # a third of it on an idle machine


def _seconds(pid: int) -> float:
    """The CPU time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_planted_breach_among_ten_thousand_louder_addresses_is_seen_within_two_seconds(site: Site) -> None:
    now = int(time.time())
    again = "message repeated 9 times: [ Failed password for root from 10.{}.{}.1 port 22 ssh2]"
    crowd = [line(-60 * (n % 4), again.format(n >> 8, n & 255), begin=now) for n in range(CROWD)]
    took = []
    with site.stream(view="live", window="1h", limit=50) as events:
        assert next(events)[0] == "hello"
        site.at.send([(n % 2, text) for n, text in enumerate(crowd)])
        next(data for name, data in events if name == "attackers" and data["total"] >= CROWD)
        assert next(data for name, data in events if name == "tail" and data["seen"] is not None)
        for number in range(3):
            address, at = f"203.0.113.{50 + number}", int(time.time())
            begin = time.monotonic()
            site.at.send(
                [(0, failed(0, address, "deploy", begin=at)) for _ in range(6)]
                + [(0, got_in(0, address, "deploy", begin=at))]
            )
            for name, data in events:
                rows = data.get("put", data.get("all", [])) if name == "attackers" else []
                if any(row["address"] == address and row["broke_in"] for row in rows):
                    break
            took.append(time.monotonic() - begin)
            assert data["broke_in_total"] == 2 + number
    print(f"a breach among {CROWD:,} louder addresses is seen after {', '.join(f'{one:.2f}' for one in took)} s")
    assert min(took) < 2


def test_a_raw_record_that_kafka_has_deleted_leaves_its_document(site: Site) -> None:
    admin = AdminClient({"bootstrap.servers": site.at.kafka})
    place_of_it = TopicPartition(f"{site.at.prefix}raw.syslog", 0, 5)
    for future in admin.delete_records([place_of_it]).values():
        future.result(30)
    found = site.get(f"events/{site.at.prefix}raw.syslog-0-1")
    assert (found["raw"], found["event"]["user"]["name"]) == (None, "admin")
    assert found["raw_missing"].startswith("Kafka has deleted the raw record: ")
    assert "It was kept until " in found["raw_missing"]
