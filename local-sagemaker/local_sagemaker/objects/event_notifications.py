"""What has been written and deleted in buckets that send events, for who subscribes (EventBridge)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local_sagemaker.objects.buckets import Buckets
from local_sagemaker.objects.stored_object import StoredObject

NOTIFICATIONS = "BucketNotificationConfiguration"
"""The setting of a bucket that says whether its changes are events."""


@dataclass(frozen=True)
class ObjectChange:
    """A version that was made or deleted. `reason` is the operation; `deletion` how it was deleted, else empty."""

    item: StoredObject
    region: str
    reason: str
    deletion: str = ""


Listener = Callable[[ObjectChange], None]


class ObjectChanges:
    """The listeners. They are called before the change is acknowledged, in its thread, and must not raise."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener; the returned function removes it."""
        self._listeners = [*self._listeners, listener]

        def unsubscribe() -> None:
            self._listeners = [one for one in self._listeners if one != listener]

        return unsubscribe

    def publish(self, item: StoredObject, reason: str, deletion: str = "") -> None:
        """Notifies the listeners, if the bucket sends events to EventBridge."""
        setting = self._buckets.setting(item.bucket, NOTIFICATIONS) or {}
        bucket = self._buckets.find(item.bucket)
        if "EventBridgeConfiguration" not in setting or bucket is None:
            return
        for listener in self._listeners:
            listener(ObjectChange(item, bucket.region, reason, deletion))
