"""Judges events by rules: the state of a partition, its checkpoints, and the rules in force."""
