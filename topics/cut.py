"""Defines the value of a record that was too large to be read whole: its first bytes, and its size."""


class Cut(bytes):
    """The first bytes of a value. `size` is that of the whole value in bytes, or None if it is unknown."""

    size: int | None

    def __new__(cls, beginning: bytes, size: int | None) -> "Cut":
        """Wrap the first bytes of a value whose whole size is `size`."""
        found = super().__new__(cls, beginning)
        found.size = size
        return found
