"""Settings in, what Faust's aiokafka clients show and demand out.

https://aiokafka.readthedocs.io/en/stable/api.html
"""

from faust import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from topics.kafka.client import KafkaSecurity, settings_of


def credentials() -> CredentialsT | None:
    """What the settings say, None for connections without security. Raises `Refused`."""
    security = settings_of(KafkaSecurity)
    context = security.context() if security.encrypted else None
    if security.asked:
        return SASLCredentials(
            username=security.user, password=security.secret(), mechanism=security.mechanism, ssl_context=context
        )
    return SSLCredentials(context) if context is not None else None
