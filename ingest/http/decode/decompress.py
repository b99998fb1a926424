"""Decompresses bodies (gzip, deflate, zstd) without ever making more than `limit` bytes.

https://www.rfc-editor.org/rfc/rfc9110#section-8.4
"""

import zlib

import cramjam

from ingest.http.responses import HttpError

ENCODINGS = "gzip, deflate, zstd"
_MEMBERS = 10_000  # of one body; a file of 16 MiB compressed in blocks of 64 KiB has some hundreds
_PIECE = 4096  # bytes that a member is given first
_RAW, _ZLIB, _GZIP = -15, 15, 31  # window bits, by which zlib tells the formats


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Decompress a body. Blocks. Raises `HttpError`: 413 when it exceeds `limit`, 415, or 400."""
    match encoding:
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _inflate(body, _GZIP, limit)
        case "deflate":
            return _inflate(body, _ZLIB if _has_zlib_header(body) else _RAW, limit)
        case "zstd":
            return _zstd(body, limit)
    raise HttpError(415, f"cannot unpack {encoding[:50]!r}", headers={"Accept-Encoding": ENCODINGS})


def too_large(limit: int) -> HttpError:
    """Return the error for a body that decompresses to more than `limit` bytes."""
    return HttpError(413, f"the unpacked body is larger than {limit} bytes")


def _inflate(body: bytes, bits: int, limit: int) -> bytes:
    parts: list[bytes] = []
    at, left, members = 0, limit, 0
    try:
        while at < len(body):
            if (members := members + 1) > _MEMBERS:
                raise HttpError(413, f"more than {_MEMBERS} compressed members in one body")
            at, left = _member(body, at, bits, left, parts)
            if left < 0:
                raise too_large(limit)
    except zlib.error as error:
        raise HttpError(400, f"the body cannot be unpacked: {error}") from None
    return b"".join(parts)


def _member(body: bytes, at: int, bits: int, left: int, parts: list[bytes]) -> tuple[int, int]:
    """Decompress the member that begins at `at` into `parts`; return where it ends, and how many bytes may follow.

    The second is -1 when it exceeds the limit. Input is given in pieces, each twice the size of the last, because zlib
    copies input beyond the end of the member.
    """
    member, size, view = zlib.decompressobj(bits), _PIECE, memoryview(body)
    while not member.eof:
        if at >= len(body):
            raise HttpError(400, "the compressed body ends too early")
        piece = view[at : at + size]
        parts.append(member.decompress(piece, left + 1))
        left -= len(parts[-1])
        if left < 0:
            return at, -1
        at += len(piece)
        size *= 2
    return at - len(member.unused_data), left


def _has_zlib_header(body: bytes) -> bool:
    """RFC 1950 2.2. Some clients send the stream without a header as "deflate" (RFC 9110 8.4.1.2)."""
    return len(body) >= 2 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _zstd(body: bytes, limit: int) -> bytes:
    if not body:
        return b""
    size = min(limit, 16 * len(body) + 4096)
    while True:
        buffer = bytearray(size)
        try:
            return bytes(memoryview(buffer)[: cramjam.zstd.decompress_into(body, buffer)])
        except cramjam.DecompressionError as error:
            if "whole buffer" not in str(error):
                raise HttpError(400, f"the body cannot be unpacked: {error}") from None
        if size == limit:
            raise too_large(limit)
        size = min(limit, 4 * size)
