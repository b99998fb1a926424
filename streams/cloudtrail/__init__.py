"""Parses the records of AWS CloudTrail: what was done in an account, and by whom."""
