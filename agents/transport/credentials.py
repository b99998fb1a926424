"""Translates the security settings of Kafka connections into Faust's credentials.

https://aiokafka.readthedocs.io/en/stable/api.html
"""

from faust import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from topics.kafka.client import KafkaSecurity, settings_of


def credentials() -> CredentialsT | None:
    """Return the credentials of the settings, None for connections without security. Raises `BadSettings`."""
    security = settings_of(KafkaSecurity)
    context = security.context() if security.encrypted else None
    if security.asked:
        return SASLCredentials(
            username=security.user, password=security.secret(), mechanism=security.mechanism, ssl_context=context
        )
    return SSLCredentials(context) if context is not None else None
