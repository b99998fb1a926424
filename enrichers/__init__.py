"""Adds to events what can be looked up about them: places and networks of addresses."""
