"""Says in a sentence why a rule cannot be used, and where it stands."""


class RuleError(Exception):
    """A rule that is refused. `where` names its file and title, as far as they are known; the message says why."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason, self.where = reason, where
