"""Postfix: who connected, who logged in, which mail was taken, refused and delivered."""
