"""Defines the error that the stack raises."""


class StackError(Exception):
    """The embedded stack cannot start or continue. The message says in one sentence what is wrong and what to do."""
