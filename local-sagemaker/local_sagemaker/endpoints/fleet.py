"""The instances of one generation of an endpoint, by variant, and the choice among them.

Blue and green of an update are two fleets. Control threads start and stop instances; the event loop chooses and
counts. What the loop reads are tuples that are replaced as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from local_sagemaker.endpoints.endpoint_spec import EndpointSpec, VariantSpec
from local_sagemaker.endpoints.instance import Instance

DRAIN_SECONDS = 65.0
"""Longer than any invocation may take."""
Make = Callable[[VariantSpec], Instance]


class Variant:
    """One running variant. `current` is its share's numerator in smooth weighted round robin."""

    def __init__(self, spec: VariantSpec, make: Make) -> None:
        self.spec = spec
        self.weight = spec.weight
        self.concurrency: int | None = spec.serverless["MaxConcurrency"] if spec.serverless else None
        self.instances: tuple[Instance, ...] = ()
        self.current = 0.0
        self._make = make
        self._starting: list[Instance] = []
        self._turn = 0

    @property
    def outstanding(self) -> int:
        """The requests under way."""
        return sum(instance.outstanding for instance in self.instances)

    def choose(self) -> Instance | None:
        """The healthy instance with the fewest requests, each in turn among equals; an ill one if there is no other."""
        instances = self.instances
        if len(instances) == 1:
            return instances[0]
        healthy = [instance for instance in instances if instance.healthy] or list(instances)
        if not healthy:
            return None
        self._turn = (self._turn + 1) % len(healthy)
        return min(healthy[self._turn :] + healthy[: self._turn], key=lambda instance: instance.outstanding)

    def start(self, count: int) -> list[Instance]:
        """Starts instances, side by side; they take no requests before `add`. Nothing is left after an error."""
        made = self._starting = [self._make(self.spec) for _ in range(count)]
        with ThreadPoolExecutor(max(1, min(count, 8))) as pool:
            futures = [pool.submit(instance.start) for instance in made]
        self._starting = []
        errors = [error for future in futures if (error := future.exception())]
        if errors:
            stop_all(made)
            raise errors[0]
        return made

    def abandon(self) -> None:
        """Gives up the instances that are being started; `start` raises then."""
        stop_all(self._starting)

    def add(self, instances: Sequence[Instance]) -> None:
        """Lets instances take requests."""
        self.instances = (*self.instances, *instances)

    def take(self, count: int) -> list[Instance]:
        """Removes this many instances from the choice; they still finish what they have."""
        kept = len(self.instances) - count
        taken, self.instances = list(self.instances[kept:]), self.instances[:kept]
        return taken


class Fleet:
    """All variants of a generation."""

    def __init__(self, spec: EndpointSpec, make: Make) -> None:
        self.spec = spec
        self.variants = {variant.name: Variant(variant, make) for variant in spec.variants}
        self.shadows = tuple(variant for variant in self.variants.values() if variant.spec.shadow)
        self.production = tuple(variant for variant in self.variants.values() if not variant.spec.shadow)

    def start(self) -> None:
        """Starts every instance. Raises the first error, with nothing left running."""
        try:
            with ThreadPoolExecutor(len(self.variants)) as pool:
                started = [
                    (variant, pool.submit(variant.start, variant.spec.instances)) for variant in self.variants.values()
                ]
            for variant, future in started:
                if not future.exception():
                    variant.add(future.result())
            for _, future in started:
                future.result()
        except BaseException:
            self.stop(seconds=0)
            raise

    def abandon(self) -> None:
        """Gives up the instances that are being started."""
        for variant in self.variants.values():
            variant.abandon()

    def choose(self) -> Variant | None:
        """The variant whose turn it is by the weights: in any run of requests each has its share (smooth weighted
        round robin, where AWS draws lots)."""
        variants = self.production
        if len(variants) == 1:
            return variants[0] if variants[0].weight > 0 else None
        total, best = 0.0, None
        for variant in variants:
            if variant.weight > 0:
                total += variant.weight
                variant.current += variant.weight
                if best is None or variant.current > best.current:
                    best = variant
        if best is not None:
            best.current -= total
        return best

    def stop(self, seconds: float = DRAIN_SECONDS) -> None:
        """Ends all instances when their requests are served, or after so many seconds."""
        instances = [instance for variant in self.variants.values() for instance in variant.instances]
        for variant in self.variants.values():
            variant.instances = ()
        drain(instances, seconds)
        stop_all(instances)


def drain(instances: Sequence[Instance], seconds: float = DRAIN_SECONDS) -> None:
    """Waits until no request is under way; requests must not be sent there any more."""
    deadline = time.monotonic() + seconds
    while any(instance.outstanding for instance in instances) and time.monotonic() < deadline:
        time.sleep(0.005)


def stop_all(instances: Sequence[Instance]) -> None:
    """Stops instances side by side."""
    if instances:
        with ThreadPoolExecutor(min(len(instances), 16)) as pool:
            list(pool.map(Instance.stop, instances))
