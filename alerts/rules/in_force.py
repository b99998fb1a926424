"""Reads the rules in force, and silences, from the compacted topic `rules`."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from alerts.rules.load import LARGEST, PACK, RuleSet, add_file, load_folder
from topics.catalogue import RULES
from topics.kafka.reader import Reader
from topics.records.rules import KEY, SILENCE, InvalidRules, RuleFiles, Silence, decode_files, decode_silence


class InForce(NamedTuple):
    """What the topic says: `files` is None when no rules have been applied; `silences` by key, also past ones."""

    files: RuleFiles | None
    silences: dict[str, Silence]


def read(reader: Reader, prefix: str) -> InForce:
    """Read the topic. Records that are none of ours are passed over, as detect does. Raises `KafkaException`."""
    topic, files, silences = prefix + RULES.name, None, dict[str, Silence]()
    for message in reader.read(topic, reader.bounds(topic)):
        with suppress(InvalidRules):
            files = read_record(message.key() or b"", message.value(), silences) or files
    return InForce(files, silences)


def read_record(key: bytes, value: bytes | None, silences: dict[str, Silence]) -> RuleFiles | None:
    """The rules that a record puts into force, None if it is about something else; a silence is noted in `silences`.

    Raises `InvalidRules`.
    """
    if key == KEY and value is not None:
        return decode_files(value)
    if key.startswith(SILENCE):
        silences.pop(name := key.decode("utf-8", "replace"), None)
        if value:
            silences[name] = decode_silence(value)
    return None


def rules_of(files: RuleFiles | None, folder: Path | None = None) -> RuleSet:
    """The rules of files that were applied; else those of a folder, else the packaged ones."""
    if files is None:
        return load_folder(folder or PACK)
    found = load_folder(PACK) if files.pack else RuleSet()
    for name, text in sorted(files.files.items()):
        raw = text.encode("utf-8", "replace")
        add_file(found, raw if len(raw) <= LARGEST else b"[too large]", name)
    return found
