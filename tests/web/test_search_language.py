"""The search language: what it understands, where it says a mistake is, and what it means for an event in memory."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.avro.codec import decode, encode
from web.search.elastic import query
from web.search.language import LONGEST, MOST, BadSearch, parse
from web.search.matching import matcher, needles

EVENT: dict[str, Any] = {
    "timestamp": 1_764_072_000_000_000,
    "event_dataset": "sshd",
    "event_outcome": "failure",
    "event_category": ["authentication"],
    "ogrewatch_service": "sshd",
    "source_ip": "81.2.69.142",
    "source_port": 50022,
    "source_geo_country_iso_code": "GB",
    "user_name": "admin",
    "host_hostname": "web1",
    "process_name": "sshd",
    "process_pid": 77,
    "message": 'Failed password for Invalid user admin from 81.2.69.142 port 50022 "quoted"',
    "extra": {"sshd.method": "password", "log.level": "info"},
}


@pytest.mark.parametrize(
    ("text", "op", "field", "value"),
    [
        ("failed", "is", "", "failed"),
        ("fail*", "begins", "", "fail"),
        ('"invalid user"', "phrase", "", "invalid user"),
        (r'"a \"b\" \\ c"', "phrase", "", r'a "b" \ c'),
        ("user:root", "is", "user.name", "root"),
        ('user:"two words"', "is", "user.name", "two words"),
        ("user:adm*", "begins", "user.name", "adm"),
        ("user:*", "exists", "user.name", ""),
        ('user:"*"', "is", "user.name", "*"),
        ("user.name:root", "is", "user.name", "root"),
        ("country:gb", "is", "source.geo.country_iso_code", "GB"),
        ("outcome:Failure", "is", "event.outcome", "failure"),
        ("ip:81.2.69.142", "network", "source.ip", "81.2.69.142"),
        ("ip:81.2.69.0/24", "network", "source.ip", "81.2.69.0/24"),
        ("ip:81.2.*", "network", "source.ip", "81.2.0.0/16"),
        ("ip:2001:DB8::1", "network", "source.ip", "2001:db8::1"),
        ("2001:db8::/32", "network", "", "2001:db8::/32"),
        ("fe80::1", "network", "", "fe80::1"),
        ("81.2.69.0/24", "network", "", "81.2.69.0/24"),
        ("port:>1024", ">", "source.port", 1024),
        ("port:<=22", "<=", "source.port", 22),
        ("as:AS64500", "is", "source.as.number", 64500),
        ("@timestamp:>=2026-05-01", ">=", "@timestamp", "2026-05-01T00:00:00+00:00"),
        ("message:failed", "phrase", "message", "failed"),
        ("sshd.method:password", "is", "sshd.method", "password"),
    ],
)
def test_a_term_is_understood(text: str, op: str, field: str, value: Any) -> None:
    (term,) = parse(f"  {text} ")
    assert (term.op, term.field, term.value, term.negated, term.text) == (op, field, value, False, text)
    (without,) = parse(f"-{text}")
    assert (without.value, without.negated) == (value, True)


@pytest.mark.parametrize(
    ("text", "column", "length", "why"),
    [
        ("usr:root", 1, 3, "there is no field 'usr'; user was meant?"),
        ("a -usr:root", 4, 3, "there is no field 'usr'"),
        ("http://evil", 1, 4, "there is no field 'http'"),
        ('a "b', 3, 2, "this quote has no end"),
        ('a ""', 3, 2, "nothing is between these quotes"),
        ('"a"b', 4, 1, "a blank is missing after the quote"),
        ('a"b"', 2, 1, "a quote within a word"),
        ("user:", 6, 1, "a word is missing here"),
        ("a -", 4, 1, "a word is missing here"),
        ("*", 1, 1, "at least one letter has to be before the *"),
        ("ip:1.2.3", 4, 5, "ip: '1.2.3' is no address, and no network such as 192.0.2.0/24"),
        ("ip:81.2.69.0/33", 4, 12, "ip: '81.2.69.0/33' is no address"),
        ("port:x", 6, 1, "port: 'x' is no number"),
        ("port:>99999999999999999999", 6, 21, "port: '99999999999999999999' is no number"),
        ("user:>5", 6, 2, "user: only numbers and times can be compared"),
        ("@timestamp:2026-05-01", 12, 10, "@timestamp: times are compared"),
        ("@timestamp:>x", 12, 2, "@timestamp: 'x' is no time"),
        ("source.geo.location:x", 21, 1, "source.geo.location: places cannot be searched"),
        ("event.original:x", 1, 14, "event.original cannot be searched; message can"),
        ("a " * MOST + "b", 2 * MOST + 1, 1, f"a search has at most {MOST} terms"),
        ("a" * (LONGEST + 1), LONGEST + 1, 1, f"a search has at most {LONGEST} characters"),
    ],
)
def test_a_mistake_is_shown_where_it_is(text: str, column: int, length: int, why: str) -> None:
    with pytest.raises(BadSearch) as caught:
        parse(text)
    assert (caught.value.column, caught.value.length) == (column, length)
    assert str(caught.value).startswith(why)


@given(st.text(max_size=60) | st.text('ab:"\\*-<>=/. 0123', max_size=40))
def test_any_text_is_a_search_or_a_mistake_within_it(text: str) -> None:
    try:
        terms = parse(text)
    except BadSearch as error:
        within = 1 <= error.column <= len(text) + 1
    else:
        within = isinstance(matcher(terms)(EVENT), bool) and "bool" in query(terms)
    assert within


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ('service:sshd outcome:failure ip:81.2.69.0/24 -user:root "invalid user"', True),
        ("failed", True),
        ("admin", True),
        ("adm*", True),
        ("root", False),
        ("-root", True),
        ("81.2.69.142", True),
        ("81.2.70.0/24", False),
        ("port:>50000 port:<60000 pid:77", True),
        ("port:<50000", False),
        ("category:authentication", True),
        ("sshd.method:password log.level:*", True),
        ("url:*", False),
        ("user:adm*", True),
        ("-user:adm*", False),
        ("@timestamp:>2025-11-25T11:00:00Z @timestamp:<2025-11-25T13:00:00+00:00", True),
        ("message:failed country:gb", True),
    ],
)
def test_an_event_satisfies_it_or_does_not(text: str, holds: bool) -> None:
    terms, value = parse(text), encode("authentication", EVENT)
    assert matcher(terms)(decode(value)[1]) is holds
    assert not holds or all(needle in value for needle in needles(terms))


def test_words_never_become_a_query_of_lucene() -> None:
    assert query(parse('user:"a* OR b" x/y -z'), 1, 2.5) == {
        "bool": {
            "filter": [
                {"term": {"user.name": {"value": "a* OR b"}}},
                query(parse("x/y"))["bool"]["filter"][0],
                {"range": {"@timestamp": {"gte": 1000, "lt": 2500, "format": "epoch_millis"}}},
            ],
            "must_not": [query(parse("z"))["bool"]["filter"][0]],
        }
    }
