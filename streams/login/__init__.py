"""login: who sat down at a terminal, and who mistyped."""
