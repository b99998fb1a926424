"""Declares the error that ends a measurement."""


class BenchError(Exception):
    """A measurement could not be finished, and why."""
