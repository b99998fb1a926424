"""Plans faults from a seed, and does those of workers and those of servers in lanes at the same time.

The seed decides on kinds, targets, order and durations; which faults overlap depends on the machine.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from random import Random

from operations.soak.faults import Faults
from operations.soak.fleet import ROLES

Tell = Callable[[str], None]

WORKERS = ("kill", "zombie", "restart", "pause", "join", "crash")
SERVERS = (
    *("kill_broker", "block_indices", "kill_elasticsearch", "exhaust_elasticsearch", "pause_broker"),
    *("pause_elasticsearch", "roll_over", "skew_clock"),
)
_OF_ALL = ("crash",)  # faults of all roles
_REST = (1.0, 4.0)  # the least and most seconds between two faults


class Lane(threading.Thread):
    """Does one fault after the other until `stop` is set; then the present one is cut short and undone.

    `name` tells its random numbers from those of other lanes; `roles` are those of the workers that it does faults to.
    """

    def __init__(
        self, name: str, kinds: tuple[str, ...], roles: tuple[str, ...], faults: Callable[[Random], Faults], seed: int,
        stop: threading.Event, tell: Tell,
    ) -> None:  # fmt: skip
        super().__init__(name=name, daemon=True)
        self._random = Random(f"{seed} {name}")
        self._over, self._tell = stop, tell
        self.lacks = set(kinds)
        """Kinds of faults that were not done yet."""
        self._faults, self._plan = faults(self._random), plan(kinds, self._random, roles)
        self.done: Counter[str] = Counter()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do faults until `stop` is set."""
        try:
            while not self._over.wait(self._random.uniform(*_REST)):
                self._do(*next(self._plan))
        except BaseException as error:
            self.error = error

    def _do(self, kind: str, role: str) -> None:
        what = f"{kind.replace('_', ' ')} {role}".rstrip()
        self._tell(what)
        begin = time.monotonic()
        getattr(self._faults, kind)(*([role] if role else []))
        self.done[what] += 1
        self.lacks.discard(kind)
        self._tell(f"{what}: over after {time.monotonic() - begin:.0f} s")


def plan(kinds: tuple[str, ...], random: Random, roles: tuple[str, ...] = ROLES) -> Iterator[tuple[str, str]]:
    """Yield kinds and roles: each round has every kind in a new order, three rounds each kind with every role.

    The role is "" for faults of servers.
    """
    turns = {kind: cycle(random.sample(roles, len(roles))) for kind in kinds if kind in WORKERS and kind not in _OF_ALL}
    while True:
        for kind in random.sample(kinds, len(kinds)):
            yield kind, next(turns[kind]) if kind in turns else ""
