"""Translates terms of the search language to a query of Elasticsearch.

https://www.elastic.co/docs/reference/query-languages/query-dsl/query-dsl-bool-query
"""

from collections.abc import Iterable
from typing import Any

from web.search.language import Term

Query = dict[str, Any]

_NAMES = ("user.name", "host.hostname", "process.name", "event.action", "rule.name")
"""Fields in which a word without a field is looked for, besides the message."""
_ADDRESSES = ("source.ip", "destination.ip", "related.ip")
_RANGES = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def query(terms: Iterable[Term], since: float | None = None, until: float | None = None) -> Query:
    """The query of all terms, within a time from `since` to before `until` (epoch seconds, None for any)."""
    terms = list(terms)
    filters = [_clause(term) for term in terms if not term.negated]
    without = [_clause(term) for term in terms if term.negated]
    if since is not None or until is not None:
        span = {"gte": since, "lt": until}
        within = {name: round(value * 1000) for name, value in span.items() if value is not None}
        filters.append({"range": {"@timestamp": {**within, "format": "epoch_millis"}}})
    return {"bool": {"filter": filters, "must_not": without}}


def _clause(term: Term) -> Query:
    if not term.field:
        return _anywhere(term)
    field, value = term.field, term.value
    if term.op == "exists":
        return {"exists": {"field": field}}
    if term.op in _RANGES:
        return {"range": {field: {_RANGES[term.op]: value}}}
    if term.kind == "text":
        return {"match_phrase_prefix" if term.op == "begins" else "match_phrase": {field: value}}
    if term.op == "begins":
        return {"prefix": {field: {"value": value}}}
    return {"term": {field: {"value": value}}}


def _anywhere(term: Term) -> Query:
    value = term.value
    if term.op == "network":
        parts: list[Query] = [{"term": {field: {"value": value}}} for field in _ADDRESSES]
        if "/" not in str(value):
            parts.append({"match_phrase": {"message": value}})
    elif term.op == "phrase":
        return {"match_phrase": {"message": value}}
    elif term.op == "begins":
        parts = [{"match_phrase_prefix": {"message": value}}, *({"prefix": {f: {"value": value}}} for f in _NAMES)]
    else:
        parts = [{"match_phrase": {"message": value}}, *({"term": {f: {"value": value}}} for f in _NAMES)]
    return {"bool": {"should": parts, "minimum_should_match": 1}}
