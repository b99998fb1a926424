"""Shows addresses of the settings without credentials, and finds out which servers may run on this machine."""

import re

from agents.settings import Settings
from stack.installation import Installation
from topics.kafka.client import KafkaSecurity, settings_of

_CREDENTIALS = re.compile(r"//[^@/,]*@")


def shown(address: str) -> str:
    """Return the address without user name and password."""
    return _CREDENTIALS.sub("//", address)


def installation(settings: Settings) -> Installation:
    """The installation of this machine. Its embedded servers have no security: a secured one is not of them."""
    kafka = settings.kafka if settings_of(KafkaSecurity).protocol == "PLAINTEXT" else ""
    elasticsearch = "" if settings.elasticsearch.startswith("https:") else settings.elasticsearch
    return Installation.of(settings.data_dir, kafka, elasticsearch)
