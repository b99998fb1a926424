"""Parses what sudo logs: who ran what as whom, and who was refused."""
