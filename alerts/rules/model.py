"""A rule that can be judged: a condition over one event, where it applies, and what is said of it in alerts."""

from dataclasses import dataclass, field
from hashlib import blake2b

from alerts.rules.condition import Node
from alerts.rules.sources import LogSource


@dataclass(frozen=True, slots=True)
class About:
    """What people are told of a rule. `author`, `license` and `references` go into every alert, as DRL 1.1 demands."""

    title: str
    level: str = "medium"
    description: str = ""
    author: str = ""
    license: str = ""
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule over single events. `silent`: it only feeds correlations, and raises no alert by itself.

    `group_by` and `suppress` (seconds) say how its matches are gathered into one alert.
    """

    id: str
    name: str
    about: About
    source: LogSource
    condition: Node
    silent: bool = False
    allow_slow: bool = False
    group_by: tuple[str, ...] = ()
    suppress: float = 300.0
    revision: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        logic = repr((self.source, self.condition, self.silent, self.group_by))
        object.__setattr__(self, "revision", blake2b(logic.encode(), digest_size=6).hexdigest())
