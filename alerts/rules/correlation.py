"""A correlation: a condition over several events of one group within a span of time, and what its fields are in ECS.

https://sigmahq.io/sigma-specification/specification/sigma-correlation-rules-specification.html
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal

from alerts.rules.model import About

Kind = Literal[
    "event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile"
]
KINDS: tuple[Kind, ...] = (
    "event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile",
)  # fmt: skip
DEEPEST = 3
"""Levels of correlations of correlations."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a count or value is compared with: `operator` is lt, lte, gt, gte, eq or neq."""

    operator: str
    limit: float
    percentile: int = 50


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the rules that a correlation is about, with the ECS fields of its events.

    `group` has a field for each name that the correlation groups by, in their order; `value` is the field whose values
    are counted or added, "" for a correlation that counts events.
    """

    rule: str
    group: tuple[str, ...]
    value: str = ""


@dataclass(frozen=True, slots=True)
class Correlation:
    """Events of `stages` that belong to one group, within `span` seconds. Names of rules are their ids.

    `generate`: the rules that it is about raise alerts by themselves, too. A correlation of a correlation has that
    one's id as the rule of a stage.
    """

    id: str
    name: str
    about: About
    kind: Kind
    stages: tuple[Stage, ...]
    group_by: tuple[str, ...]
    span: float
    threshold: Threshold
    generate: bool = False
    silent: bool = False
    suppress: float = 300.0
    revision: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        logic = repr((self.kind, self.stages, self.group_by, self.span, self.threshold, self.generate, self.silent))
        object.__setattr__(self, "revision", blake2b(logic.encode(), digest_size=6).hexdigest())

    @property
    def local(self) -> bool:
        """Whether groups never cross partitions: typed topics are keyed by source address where there is one."""
        return all("source.ip" in stage.group for stage in self.stages)
