"""Answers with the rules in force, those that were refused, and silences."""

import asyncio
import time
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from confluent_kafka import KafkaException

from agents.settings import Settings
from topics.errors import AccessRefused
from topics.kafka.reader import Reader
from web import parameters
from web.replies import Refused, reply


@dataclass(frozen=True, slots=True)
class RuleEndpoints:
    """The handlers."""

    settings: Settings

    def routes(self) -> list[web.RouteDef]:
        """Return the paths with their handlers."""
        return [web.get("/api/v1/rules", self.list)]

    async def list(self, request: web.Request) -> web.Response:
        """Answer with the rules, the most severe first."""
        parameters.require_known(request)
        return reply(await asyncio.to_thread(self._rules))

    def _rules(self) -> dict[str, Any]:
        from alerts.rules.in_force import read, rules_of  # parsing rules takes a third of a second to import
        from alerts.rules.listing import described

        try:
            with Reader(self.settings.kafka) as reader:
                found = read(reader, self.settings.prefix)
        except (KafkaException, AccessRefused) as error:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"the rules cannot be read: {error}", wait=2) from None
        rules, now = rules_of(found.files, self.settings.rules), time.time_ns() // 1_000_000
        files = found.files
        return {
            "version": files.version if files is not None else "packaged" if self.settings.rules is None else "folder",
            "applied_by": files.by if files is not None else "",
            "rules": described(rules),
            "refused": [{"where": error.where, "reason": error.reason} for error in rules.refused],
            "silences": [asdict(one) for one in found.silences.values() if one.until > now],
        }
