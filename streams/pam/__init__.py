"""PAM: what its modules say, under any program."""
