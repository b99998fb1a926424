"""dovecot: who reads mail, from where, and who may not."""
