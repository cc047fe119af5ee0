"""SNS for the service itself: publishes what an asynchronous endpoint's NotificationConfig asks for."""

from __future__ import annotations

import logging

from local_sagemaker.services.moto_services.query_calls import Ask, query

_VERSION = "2010-03-31"
log = logging.getLogger(__name__)


class Topics:
    """Publishes to topics of any region. `ask` is `Neighbours.answer`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def publish(self, topic: str, message: str) -> None:
        """Publish. A topic that does not exist is in the service's log only, since nobody waits for the answer."""
        region = topic.split(":")[3]
        response = query(self._ask, "sns", _VERSION, region, "Publish", {"TopicArn": topic, "Message": message})
        if response.status >= 300:
            log.warning("a notification to %s was refused: %s", topic, response.body[:500])
