"""Puts rules into force for all workers, and silences them for a while: records of the compacted topic `rules`."""

import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from agents.settings import Settings
from alerts.correlation.judge import AnyRule
from alerts.rules.errors import RuleError
from alerts.rules.in_force import InForce, read, rules_of
from alerts.rules.load import LARGEST, RuleSet
from operations.rules.check import Problem, problems
from operations.rules.explain import find
from topics.catalogue import RULES
from topics.kafka.publish import publish
from topics.kafka.reader import Reader
from topics.records.rules import KEY, RuleFiles, Silence, encode

MOST_REASON = 1000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What changed, as (what, name) in order; `wrong` has what must be mended first, and then nothing was applied."""

    version: str
    number: int
    changes: list[tuple[str, str]]
    wrong: list[Problem]


def in_force(settings: Settings) -> InForce:
    """What the topic says now. Raises `KafkaException`."""
    with Reader(settings.kafka) as reader:
        return read(reader, settings.prefix)


def files_of(folder: Path | None) -> dict[str, str]:
    """The rule files below a folder. Raises `RuleError` for one that is too large or no UTF-8."""
    found: dict[str, str] = {}
    if folder is None:
        return found
    for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        name = path.relative_to(folder).as_posix()
        try:
            raw = path.read_bytes()
            found[name] = raw.decode()
        except (OSError, UnicodeDecodeError) as error:
            raise RuleError(f"cannot be read: {error}", name) from None
        if len(raw) > LARGEST:
            raise RuleError(f"larger than {LARGEST} bytes", name)
    return found


def apply(settings: Settings, folder: Path | None, pack: bool, by: str, dry_run: bool = False) -> Applied:
    """Put the rules of a folder into force, with the packaged ones if `pack`. Blocks.

    Raises `RuleError`, `KafkaException`, `KafkaUnavailable`, `InvalidRules`.
    """
    files = RuleFiles(files_of(folder), pack, by, time.time_ns() // 1_000_000)
    after = rules_of(files)
    wrong = problems(after)
    if not wrong and not len(after):
        wrong = [Problem(str(folder or ""), "there is no rule; nobody would be told of anything")]
    before = in_force(settings).files
    changes = changes_of(rules_of(before, settings.rules), after)
    if not wrong and not dry_run and (before is None or before.version != files.version):
        publish(settings.kafka, settings.prefix + RULES.name, KEY, encode(files))
    return Applied(files.version, len(after), changes, wrong)


def changes_of(before: RuleSet, after: RuleSet) -> list[tuple[str, str]]:
    """What differs between two sets of rules, by name."""
    old, new = _all(before), _all(after)
    found = [("removed", rule.name) for name, rule in old.items() if name not in new]
    for name, rule in new.items():
        if name not in old:
            found.append(("added", rule.name))
        elif old[name].revision != rule.revision:
            found.append(("changed", rule.name))
        elif old[name] != rule:
            found.append(("reworded", rule.name))
    return sorted(found)


def silence(settings: Settings, called: str, group: dict[str, str], seconds: float, reason: str, by: str) -> Silence:
    """Say that alerts of a rule are expected. Raises `RuleError`, `KafkaException`, `KafkaUnavailable`."""
    if len(reason) > MOST_REASON:
        raise RuleError(f"a reason has at most {MOST_REASON} characters")
    rule, now = find(rules_of(in_force(settings).files, settings.rules), called), time.time_ns() // 1_000_000
    made = Silence(uuid.uuid4().hex[:12], rule.id, now + int(seconds * 1000), group, by, reason, now)
    publish(settings.kafka, settings.prefix + RULES.name, made.key, encode(made))
    return made


def end_silence(settings: Settings, identity: str) -> None:
    """End a silence. Raises `RuleError` when there is none of this id, and as `silence` does."""
    for one in in_force(settings).silences.values():
        if one.id == identity:
            publish(settings.kafka, settings.prefix + RULES.name, one.key, None)
            return
    raise RuleError(f"no silence has the id {identity!r}")


def _all(rules: RuleSet) -> dict[str, AnyRule]:
    return {**rules.rules, **rules.correlations}
