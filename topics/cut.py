"""Marks a value of which only the beginning is at hand, because the whole of it would be too much for memory."""


class Cut(bytes):
    """The first bytes of a value. `size` is how many the whole value has, in bytes; None where nobody knows."""

    size: int | None

    def __new__(cls, beginning: bytes, size: int | None) -> "Cut":
        """Wrap the beginning of a value."""
        found = super().__new__(cls, beginning)
        found.size = size
        return found
