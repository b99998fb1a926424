"""systemd-logind: sessions, seats, and who pressed the power key."""
