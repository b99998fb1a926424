"""Decides whether the answers of a bulk request refuse documents for good, or only for now.

Few answers speak about a document for sure. Any other refusal may be caused by the server: a limit of shards, a closed
index, a missing privilege, a template or pipeline that does not exist. Such documents wait. If the server refuses a
document three times with status 400, and each time takes another document for the same target in the same request, the
document is at fault.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from sinks.base import Document, Outcome, Rejected

REFUSED, PRESENT = 300, 409
PROOFS = 3
"""Refusals of a document, each in a request where another document was taken, after which it is rejected."""

_END = b"}}\n"  # of an action line
_BAD = 400
_ABOUT_DOCUMENTS = frozenset({"document_parsing_exception", "strict_dynamic_mapping_exception"})
_IMMENSE = "max_bytes_length_exceeded_exception"  # the end of the name: its prefix differs between versions of Lucene
_CONFLICT = "version_conflict_engine_exception"
_KEPT_ASIDE = "Elasticsearch has put it into the data stream's failure store, where no search for events looks"


class Entry(NamedTuple):
    """The two lines of a document in a bulk request, the first without its end, and its position in the batch.

    The position is -1 for a control: a document that the server has, sent again to see whether it takes anything.
    """

    position: int
    document: Document
    action: bytes

    @property
    def key(self) -> tuple[str, str]:
        """Target and id."""
        return self.document[:2]

    @property
    def size(self) -> int:
        """The bytes of both lines."""
        return len(self.action) + len(_END) + len(self.document.source) + 1


class Cause(NamedTuple):
    """Why documents wait. Documents that wait for the same have equal causes, whatever the server says of each."""

    status: int | None
    type: str
    target: str = ""


_NONE = Cause(None, "")


@dataclass(slots=True)
class Verdict:
    """What to do after a request: send `again` once more. `cause` and `why` are those of its last entry."""

    again: list[Entry] = field(default_factory=list)
    cause: Cause = _NONE
    why: str = ""
    suspects: bool = False
    """Whether some of `again` may be rejected once another document for their target is taken in the same request."""


@dataclass(slots=True)
class Judge:
    """Judges the answers to the documents of one request, however often they are sent."""

    outcome: Outcome
    accepted: dict[str, Document]
    """A document that the server has, for each target. All requests of a sink share it."""
    _proofs: dict[int, int] = field(default_factory=dict)

    def judge(self, entries: Sequence[Entry], items: Sequence[dict[str, Any]]) -> Verdict:
        """Add what is decided to `outcome`, and return the rest. Without items, all documents were stored."""
        if not items:
            self.outcome.stored += sum(entry.position >= 0 for entry in entries)
            return Verdict()
        taken = {entry.document.target for entry, item in zip(entries, items, strict=True) if is_taken(item)}
        verdict = Verdict()
        for entry, item in zip(entries, items, strict=True):
            if not self._is_decided(entry, item, taken) and entry.position >= 0:
                _postpone(verdict, entry, item)
        return verdict

    def prove(self, entry: Entry, reason: str, text: str) -> bool:
        """Note that a document was refused while another was taken. After `PROOFS` times it is rejected, and this
        returns True.
        """
        self._proofs[entry.position] = proofs = self._proofs.get(entry.position, 0) + 1
        if proofs >= PROOFS:
            self.outcome.rejected.append(Rejected(entry.position, reason, text))
        return proofs >= PROOFS

    def _is_decided(self, entry: Entry, item: dict[str, Any], taken: set[str]) -> bool:
        status, error = item["status"], item.get("error", {})
        if item.get("failure_store") == "used":
            return self._reject(entry, "failure_store", _KEPT_ASIDE)
        if is_taken(item):
            self.accepted[entry.document.target] = entry.document
            if entry.position >= 0:
                self.outcome.stored += status < REFUSED
                self.outcome.present += status == PRESENT
            return True
        reason, text = error.get("type", str(status)), text_of(error)
        if _speaks_of_the_document(error):
            return self._reject(entry, reason, text)
        return status == _BAD and entry.document.target in taken and self.prove(entry, reason, text)

    def _reject(self, entry: Entry, reason: str, text: str) -> bool:
        if entry.position >= 0:
            self.outcome.rejected.append(Rejected(entry.position, reason, text))
        return True


def is_taken(item: dict[str, Any]) -> bool:
    """Whether the server has the document, stored now or before."""
    if item["status"] == PRESENT:
        return bool(item.get("error", {}).get("type", _CONFLICT) == _CONFLICT)
    return bool(item["status"] < REFUSED and item.get("failure_store") != "used")


def passing(status: int) -> bool:
    """Whether a status says that the server is overloaded or broken, which passes without a change of the request."""
    return status in (408, 429) or status >= 500


def body_of(entries: Iterable[Entry]) -> bytes:
    """The body of a bulk request."""
    return b"".join([part for _, one, action in entries for part in (action, _END, one.source, b"\n")])


def action_of(target: str) -> bytes:
    """The beginning of an action line, up to the id of the document."""
    return b'{"create":{"_index":%b,"_id":' % orjson.dumps(target)


def text_of(error: dict[str, Any]) -> str:
    """The reasons of an error and of its causes, outermost first."""
    return ": ".join(cause.get("reason") or cause.get("type", "") for cause in _causes(error))


def _causes(error: dict[str, Any]) -> Iterable[dict[str, Any]]:
    cause: dict[str, Any] | None = error
    while cause:
        yield cause
        cause = cause.get("caused_by")


def _speaks_of_the_document(error: dict[str, Any]) -> bool:
    return error.get("type") in _ABOUT_DOCUMENTS or any(
        cause.get("type", "").endswith(_IMMENSE) for cause in _causes(error)
    )


def _postpone(verdict: Verdict, entry: Entry, item: dict[str, Any]) -> None:
    error, status = item.get("error", {}), item["status"]
    verdict.again.append(entry)
    verdict.cause = Cause(status, error.get("type", ""), entry.document.target)
    verdict.why = text_of(error)
    verdict.suspects = verdict.suspects or status == _BAD
