"""Enters: addresses of the settings. Leaves: what of them may be shown, and the servers that may run here."""

import re

from agents.settings import Settings
from stack.installation import Installation
from topics.kafka.client import KafkaSecurity, settings_of

_CREDENTIALS = re.compile(r"//[^@/,]*@")


def shown(address: str) -> str:
    """The address without user name and password."""
    return _CREDENTIALS.sub("//", address)


def installation(settings: Settings) -> Installation:
    """What runs or may run here. The embedded servers know no security: one that asks for it is somebody else's."""
    kafka = settings.kafka if settings_of(KafkaSecurity).protocol == "PLAINTEXT" else ""
    elasticsearch = "" if settings.elasticsearch.startswith("https:") else settings.elasticsearch
    return Installation.of(settings.data_dir, kafka, elasticsearch)
