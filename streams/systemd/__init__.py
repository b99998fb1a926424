"""systemd: which units started, stopped and failed."""
