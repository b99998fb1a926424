"""Parses the messages of doas: who ran what as whom, and who was refused."""
