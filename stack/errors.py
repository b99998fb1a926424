"""What the stack raises: one sentence that says what is wrong and what to do about it."""


class StackError(Exception):
    """The embedded stack cannot go on; the message is one sentence for the person at the terminal."""
