"""Makes the TLS context from the settings, and refuses settings with which anybody on the network could write.

https://wiki.mozilla.org/Security/Server_Side_TLS
"""

import ssl

from ingest.base import InvalidSettings
from ingest.settings import IngestSettings
from topics.network import is_loopback


class Unsafe(InvalidSettings):
    """Settings with which the proxy does not start; the message is for the person who starts it."""


def tls_of(settings: IngestSettings) -> ssl.SSLContext | None:
    """Return the TLS context (1.2 and newer), None without a certificate. Raises `Unsafe` for unusable files."""
    if settings.certificate is None:
        if settings.client_ca is not None:
            raise Unsafe("certificates of clients need one of our own: set the certificate too")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.certificate, settings.private_key)
        if settings.client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(settings.client_ca)
    except (OSError, ssl.SSLError) as error:
        raise Unsafe(f"the certificates cannot be used: {error}") from None
    return context


def require_safety(settings: IngestSettings, asks: bool) -> None:
    """Raises `Unsafe` when anyone who reaches the port could write, unless the settings say that this is meant."""
    if asks or settings.insecure or is_loopback(settings.host):
        return
    raise Unsafe(
        f"{settings.host} is reached from other machines, and nobody would be asked who he is. Make a token with"
        " `ogrewatch token create`, or demand certificates with --client-ca, or say --insecure."
    )
