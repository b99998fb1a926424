"""Holds the logic of the commands, which is testable without a terminal and imports no typer."""
