"""cron, anacron, at: which job ran as whom, and who changed which table."""
