"""Parses what polkit logs: who was authorized for what, and what pkexec ran."""
