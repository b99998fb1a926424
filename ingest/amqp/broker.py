"""Derives from the settings how to reach the broker: its URL with the password, its name without, and the TLS context.

https://www.rabbitmq.com/docs/uri-spec
"""

import ssl

from yarl import URL

from ingest.amqp.settings import AmqpSettings
from ingest.base import InvalidSettings
from topics.plaintext import readable_by_others


class BadBroker(InvalidSettings):
    """The settings do not say how to reach a broker; the message is for the person who starts the bridge."""


def url_of(settings: AmqpSettings) -> URL:
    """Return the URL to connect to, with the password. Reads the password's file. Raises `BadBroker`."""
    url = _checked(settings.url.get_secret_value())
    if settings.external:
        if url.scheme != "amqps" or settings.certificate is None:
            raise BadBroker("to log in with a certificate takes an amqps:// URL and a certificate")
        url = url.update_query(auth="external")
    elif (password := _password(settings)) is not None:
        url = url.with_password(password)
    plain = [url.host] if url.scheme == "amqp" and url.password else []
    if said := readable_by_others(plain, "The password of the AMQP user"):
        raise BadBroker(said)
    return url.update_query(heartbeat=settings.heartbeat, name="ogrewatch")


def name_of(settings: AmqpSettings) -> str:
    """Return the broker's name for records and logs: scheme, host, port and virtual host, without user and password."""
    url = _checked(settings.url.get_secret_value())
    port = url.port or (5671 if url.scheme == "amqps" else 5672)
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host
    return f"{url.scheme}://{host}:{port}{url.raw_path}"


def tls_of(settings: AmqpSettings) -> ssl.SSLContext | None:
    """Return the TLS context (1.2 and newer), None for amqp://. Raises `BadBroker` when a file cannot be used."""
    given = settings.ca or settings.certificate or settings.private_key
    if _checked(settings.url.get_secret_value()).scheme != "amqps":
        if given:
            raise BadBroker("certificates are for an amqps:// URL")
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.private_key)
    except (OSError, ssl.SSLError) as error:
        raise BadBroker(f"the certificates cannot be used: {error}") from None
    return context


def _checked(text: str) -> URL:
    try:
        url = URL(text)
        good = url.scheme in ("amqp", "amqps") and bool(url.host) and url.port != 0
    except ValueError:
        good = False
    if not good:
        raise BadBroker("the URL is amqp://user@host:port/vhost, or amqps://")
    return url


def _password(settings: AmqpSettings) -> str | None:
    if settings.password:
        return settings.password.get_secret_value()
    if settings.password_file is None:
        return None
    try:
        return settings.password_file.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadBroker(f"the password's file cannot be read: {error}") from None
