"""Splits a stream of concatenated JSON objects, which arrives in pieces, into the bytes of whole objects.

It looks only at strings and braces; whether an object is valid JSON is left to the parser. It looks at every byte once,
in however many pieces they arrive. https://www.rfc-editor.org/rfc/rfc8259
"""

import re

from ingest.http.responses import HttpError, Position

_SPACE = re.compile(rb"[ \t\r\n]*+")
_MARK = re.compile(rb'[{}"]')
_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class ObjectSplitter:
    """Splits the stream. An object has at most `longest` bytes, a piece at most `most` objects: this bounds memory."""

    def __init__(self, longest: int, most: int) -> None:
        self._longest, self._most = longest, most
        self.fault: HttpError | None = None
        """The error that ended the stream early: 400 for anything but an object, 413 for one too large."""
        self._buffer = bytearray()
        self._at = 0  # bytes of the buffer that were looked at
        self._depth = 0
        self._quoted = False
        self._offset = 0  # of the buffer in the stream
        self._lines = 1
        self._column = 1

    def feed(self, data: bytes) -> list[bytes]:
        """Return the objects that end in this piece, up to an error. After an error no piece may follow."""
        self._buffer += data
        found: list[bytes] = []
        while (end := self._end()) is not None:
            if len(found) >= self._most:
                self.fault = HttpError(413, f"more than {self._most} records in one request", position=self.position)
                break
            found.append(bytes(self._buffer[:end]))
            self._drop(end)
        if len(self._buffer) > self._longest and self.fault is None:
            self.fault = HttpError(413, f"an object is larger than {self._longest} bytes", position=self.position)
        return found

    def finish(self) -> None:
        """Raises `HttpError`: the earlier error, or 400 when the stream ended within an object."""
        if self.fault is not None:
            raise self.fault
        if self._buffer:
            raise HttpError(400, "the last object has no end", position=self.position)

    @property
    def position(self) -> Position:
        """Where the object begins that is not complete yet."""
        return Position(self._lines, self._column, self._offset)

    def _end(self) -> int | None:
        if not self._depth and not self._begin():
            return None
        while self._depth:
            if self._quoted and not self._unquote():
                return None
            mark = _MARK.search(self._buffer, self._at)
            if mark is None:
                self._at = len(self._buffer)
                return None
            self._at = mark.end()
            match mark[0]:
                case b'"':
                    self._quoted = True
                case b"{":
                    self._depth += 1
                case _:
                    self._depth -= 1
        return self._at

    def _begin(self) -> bool:
        """Skip white space up to the next object's brace."""
        space = _SPACE.match(self._buffer)
        self._drop(space.end() if space else 0)
        if not self._buffer:
            return False
        if self._buffer[0] != ord("{"):
            self.fault = HttpError(400, "no JSON object", position=self.position)
            return False
        self._at = self._depth = 1
        return True

    def _unquote(self) -> bool:
        """Skip the rest of a string; return False when its end has not arrived yet."""
        text = _TEXT.match(self._buffer, self._at)
        self._at = text.end() if text else self._at
        if self._at == len(self._buffer) or self._buffer[self._at] != ord('"'):
            return False  # the piece ends in the string, or behind a backslash
        self._at += 1
        self._quoted = False
        return True

    def _drop(self, number: int) -> None:
        newlines = self._buffer.count(b"\n", 0, number)
        if newlines:
            self._lines += newlines
            self._column = number - self._buffer.rfind(b"\n", 0, number)
        else:
            self._column += number
        self._offset += number
        self._at = max(0, self._at - number)
        del self._buffer[:number]
