"""Finds free TCP ports on loopback, and tells whether a port is free or open."""

import socket

HOST = "127.0.0.1"
"""Where all embedded servers listen."""


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now. As for servers, connections in TIME_WAIT do not matter."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nothing listens on. Another program may take it before the caller does."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_open(port: int, timeout: float = 0.2) -> bool:
    """Whether something accepts connections on the port. Blocks for `timeout` seconds at most."""
    try:
        with socket.create_connection((HOST, port), timeout=timeout):
            return True
    except OSError:
        return False
