"""Finds the streams, and says which of them are asked about a line.

A stream is a sub-package of `streams` that has a `parser` module with a `STREAM`.
"""

import pkgutil
import re
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

import streams
from streams.base import Stream

_REMEMBERED = 4096
_CONTAINER = re.compile(r"docker/.*|[0-9a-f]{12}(?:[0-9a-f]{52})?")
"""Tags of Docker's syslog driver, which say nothing about the program within."""


def discover() -> tuple[Stream, ...]:
    """Every stream there is, by folder name."""
    folders = sorted(found.name for found in pkgutil.iter_modules(streams.__path__) if found.ispkg)
    named = [f"streams.{folder}.parser" for folder in folders]
    return tuple(import_module(name).STREAM for name in named if find_spec(name))


class Registry:
    """The streams by program, by beginning, by record. `resolved` remembers names; look there first."""

    def __init__(self, known: Iterable[Stream]) -> None:
        self._programs: dict[str, tuple[Stream, ...]] = {}
        known = tuple(known)
        for stream in known:
            for program in stream.programs:
                self._programs[program] = (*self._programs.get(program, ()), stream)
        self.programs = frozenset(self._programs)
        self.resolved: dict[str, tuple[Stream, ...]] = dict(self._programs)
        self.readers = tuple(stream for stream in known if stream.sniff_json and stream.parse_json)
        self._sniffers = tuple((stream.sniff, stream) for stream in known if stream.sniff)
        self._sniffed: tuple[str, tuple[Stream, ...]] = ("", ())

    def resolve(self, name: str, message: str) -> tuple[Stream, ...]:
        """The streams for a program that is not listed as it stands, for a Cisco tag, or for a line without both.

        A program that nobody knows may write what somebody knows by its beginning: PAM's lines, an access log.
        """
        if message.startswith("%"):
            return self._programs.get(message.partition("-")[0], ())
        if not name or _CONTAINER.fullmatch(name):
            return self.sniffed(message)
        return self.known(name) or self.sniffed(message)

    def known(self, name: str) -> tuple[Stream, ...]:
        """The streams that name a program: as it stands, without its directory, before its first slash or bracket."""
        found = self.resolved.get(name)
        if found is None:
            base, first = name.rpartition("/")[2].lower(), name.partition("/")[0]
            found = self._programs.get(base) or self._programs.get(first) or self._parenthesised(base)
            if name and len(self.resolved) < _REMEMBERED and len(name) < 64 and not _CONTAINER.fullmatch(name):
                self.resolved[name] = found
        return found

    def _parenthesised(self, name: str) -> tuple[Stream, ...]:
        """`auth-worker(9)` is auth-worker. A stream may also name `imap(`, for a program that is only its own so."""
        head, found, _ = name.partition("(")
        return (self._programs.get(head + "(") or self._programs.get(head, ())) if found else ()

    def sniffed(self, text: str) -> tuple[Stream, ...]:
        """The streams that know a line by its beginning. Remembers the last line: headers and streams both ask."""
        if self._sniffed[0] != text:
            self._sniffed = (text, tuple(stream for sniff, stream in self._sniffers if sniff(text)))
        return self._sniffed[1]
