"""Parses the messages of cron, anacron and at: which job ran as whom, and who changed which table."""
