"""Imports rules of a release of SigmaHQ that the user has fetched. None of them is packaged.

They are under the Detection Rule License 1.1: whoever shares them keeps author, link and licence, and messages about
matches name the author. So each imported rule says its licence and where it comes from; both are in every alert.
https://github.com/SigmaHQ/Detection-Rule-License
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from alerts.engine.engines import always_decoded, staged_engines
from alerts.rules.load import LARGEST, RuleSet, add_file, without_slow

LICENSE = "DRL-1.1"
_LINK = "https://github.com/SigmaHQ/sigma/blob/{release}/{path}"
_ALIEN = "no stream of ours is log source "


@dataclass(slots=True)
class Imported:
    """What became of a release: files by name, rules that were `refused` with the reason, and how many rules are about
    log sources that no stream is, by log source.
    """

    files: dict[str, str] = field(default_factory=dict)
    rules: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def imported(folder: Path, release: str) -> Imported:
    """Read all rules below a folder; `release` is a tag or commit, for links."""
    found, seen = Imported(), RuleSet()
    for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        name = path.relative_to(folder).as_posix()
        text = _licensed(path, _LINK.format(release=release, path=name))
        if text is None:
            found.refused.append((name, f"cannot be read, is larger than {LARGEST} bytes, or is no YAML"))
        else:
            _take(found, seen, name, text)
    return found


def _take(found: Imported, seen: RuleSet, name: str, text: str) -> None:
    """Keep a file if all of its rules can be used, and none is there already."""
    rules = RuleSet()
    add_file(rules, text.encode(), name)
    without_slow(rules, always_decoded(staged_engines(rules.rules.values())))
    if twice := (rules.rules.keys() & seen.rules.keys()) | (rules.correlations.keys() & seen.correlations.keys()):
        found.refused.append((name, f"id {min(twice)} is there already"))
    elif rules.refused:
        for error in rules.refused:
            if error.reason.startswith(_ALIEN):
                found.others[error.reason.removeprefix(_ALIEN)] += 1
            else:
                found.refused.append((name, error.reason))
    elif len(rules):
        seen.rules |= rules.rules
        seen.correlations |= rules.correlations
        found.rules += len(rules)
        found.files[name] = text


def _licensed(path: Path, link: str) -> str | None:
    """The text of a file whose rules say licence and link; None when it cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        documents = [one for one in yaml.load_all(path.read_bytes(), yaml.CSafeLoader) if one is not None]
        return yaml.dump_all(
            [_with_source(one, link) for one in documents], Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True
        )
    except (OSError, yaml.YAMLError, RecursionError, ValueError):
        return None


def _with_source(document: Any, link: str) -> Any:
    if not isinstance(document, dict) or not {"detection", "correlation"} & document.keys():
        return document
    references = document.get("references")
    listed = [*references] if isinstance(references, list) else [] if references is None else [references]
    return {**document, "license": document.get("license") or LICENSE, "references": [link, *listed]}
