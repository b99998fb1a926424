"""Lists dead letters, sends them again and records what was decided."""
