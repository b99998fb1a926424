"""Judges encoded events by many rules at once, decoding few of them."""
