"""Finds variables `OGREWATCH_...` that are no settings, because a misspelt setting has no effect."""

import difflib
from collections.abc import Iterator, Mapping

from topics.environment import PREFIX, is_service_link, variables_of

_OTHERS = ("OGREWATCH_CACHE", "OGREWATCH_CONFIG")  # of `stack/cache.py` and `topics/config_file.py`
_TESTS = "OGREWATCH_TEST_"


def warnings(environment: Mapping[str, str]) -> Iterator[str]:
    """Return a sentence for each variable that has no effect. Values are not in it: they may be secret."""
    ours = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    known = _known(ours)
    links = sorted(name for name, value in ours.items() if is_service_link(name, value))
    for name in filter(known.__contains__, links):
        yield f"{name} is a Service link of Kubernetes, not a setting, and is ignored (enableServiceLinks: false)."
    for name in sorted(ours.keys() - known - set(links)):
        if not name.startswith(_TESTS):
            near = difflib.get_close_matches(name, known, 1, 0.8)
            yield f"{name} is no setting of Ogrewatch's, and is ignored{f'; is {near[0]} meant?' if near else '.'}"


def _known(ours: Mapping[str, str]) -> set[str]:
    """The names of all settings. Those of Elasticsearch take long to load, and are loaded only when one is used."""
    from pydantic_settings import BaseSettings

    from agents.settings import Settings
    from ingest.amqp.settings import AmqpSettings
    from ingest.settings import IngestSettings
    from topics.kafka.client import KafkaSecurity
    from topics.plaintext import PlaintextSettings

    kinds: list[type[BaseSettings]] = [Settings, IngestSettings, AmqpSettings, KafkaSecurity, PlaintextSettings]
    known = {*_OTHERS, *(name for kind in kinds for name in variables_of(kind))}
    if any(name.startswith(("OGREWATCH_ELASTICSEARCH_", "OGREWATCH_RETENTION_")) for name in ours):
        from sinks.elasticsearch.connection import ElasticsearchSecurity
        from sinks.elasticsearch.retention import RetentionSettings

        known.update(variables_of(ElasticsearchSecurity), variables_of(RetentionSettings))
    return known
