"""Keeps how far one log was judged: a partition of a typed topic, or of the matches that other partitions forward."""

from typing import Any

from agents.counting.stream_time import StreamTime

Row = dict[str, Any]


class Log:
    """One log. `position` is the last offset that was judged. `raw` has the greatest raw offset of a match for each raw
    partition: at or below it, an event was written again. `told` is what its row says, once that was recovered.
    """

    def __init__(self, topic: str, kind: str, partition: int) -> None:
        self.topic, self.kind, self.partition = topic, kind, partition
        self.position = -1
        self.time = StreamTime()
        self.raw: dict[tuple[str, int], int] = {}
        self.ids: dict[str, str] = {}
        self.judged = self.undecodable = 0
        self.heard = 0.0  # monotonic seconds of the last batch
        self.told: Row | None = None

    @property
    def now(self) -> int:
        """The time of the log: the latest credible arrival, microseconds since 1970; 0 before the first."""
        return self.time.now * 1000

    def is_again(self, source: tuple[str, int], offset: int) -> bool:
        """Whether an event with this raw position was judged before; if not, note it."""
        if offset <= self.raw.get(source, -1):
            return True
        self.raw[source] = offset
        return False

    def row(self) -> Row:
        """All of it, for JSON."""
        raw: dict[str, dict[str, int]] = {}
        for (topic, partition), offset in self.raw.items():
            raw.setdefault(topic, {})[str(partition)] = offset
        return {"position": self.position, "newest": self.time.now, "time": self.time.dump(), "raw": raw,
                "ids": self.ids, "judged": self.judged, "undecodable": self.undecodable}  # fmt: skip

    def resume(self) -> None:
        """Go on from what was recovered."""
        if self.told is None:
            return
        row = self.told
        self.position, self.ids = row["position"], row["ids"]
        self.judged, self.undecodable = row["judged"], row["undecodable"]
        self.time = StreamTime.load(row["newest"], row["time"])
        self.raw = {(topic, int(p)): offset for topic, found in row["raw"].items() for p, offset in found.items()}
