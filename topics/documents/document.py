"""Turns an encoded event into its identity and its document as JSON, without decoding it to a dictionary.

The plain method (`decode`, `render`, then JSON) makes every value three times. This one reads the Avro body once: a
string is the same in Avro and in JSON but for its quotes, and an absent one is a zero byte. What repeats (the times of
a second, a source with its location, a classification) is rendered by the plain method and cached; see
`topics.documents.json_cache`. `topics.documents.transcoder` generates the function that does this for a type of event.

Events whose `extra` has fields that are derived, such as `related.ip`, are rendered by the plain method.
"""

from functools import cache

import orjson

from topics.avro.codec import PREFIX, CodecError, current, decode
from topics.documents.ecs import render
from topics.documents.transcoder import Transcoder, transcoder
from topics.event import id_of

_transcoder = cache(transcoder)


def document_of(value: bytes) -> tuple[str, str, bytes]:
    """The type, the identity and the document of an encoded event. The document is JSON on one line.

    Raises `CodecError`, and `UnknownSchema` when a registry has to be asked first.
    """
    kind, value = current(value)
    transcode: Transcoder = _transcoder(kind)
    try:
        found = transcode(value, PREFIX)
    except (IndexError, ValueError, EOFError) as error:
        raise CodecError(f"torn event: {error}") from error
    if found is None:
        _, event = decode(value)
        return kind, id_of(event), orjson.dumps(render(event))
    return kind, found[0].decode(), found[1]
