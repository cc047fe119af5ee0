"""Where the requests of an endpoint go: one fleet, or two with a share each while an update shifts traffic."""

from __future__ import annotations

from local_sagemaker.endpoints.errors import InvalidInvocation
from local_sagemaker.endpoints.fleet import Fleet, Variant


class VariantRoute:
    """The event loop chooses here; control threads change it there (`EndpointRegistry.in_loop`), between requests."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.green: Fleet | None = None
        self.share = 0.0
        self._credit = 0.0

    def shift(self, green: Fleet | None, share: float) -> None:
        """Sends this share (0 to 1) of the requests to another fleet from now on."""
        self.green, self.share, self._credit = green, share, 0.0

    def finish(self) -> None:
        """Makes the other fleet the endpoint's."""
        assert self.green is not None
        self.fleet, self.green, self.share = self.green, None, 0.0

    def choose(self, wanted: str | None) -> Variant:
        """The variant for the next request; `wanted` overrides weights. InvalidInvocation when there is none."""
        fleet = self.fleet
        if self.green is not None:
            self._credit += self.share
            if self._credit >= 1 - 1e-9:
                self._credit -= 1
                fleet = self.green
        if wanted is None:
            chosen_variant = fleet.choose()
            if chosen_variant is None:
                raise InvalidInvocation(f"Endpoint {fleet.spec.name} has no variant with a weight above 0.")
            return chosen_variant
        for candidate in (fleet, self.fleet, self.green):
            if candidate is not None and wanted in candidate.variants:
                variant = candidate.variants[wanted]
                if not variant.spec.shadow:
                    return variant
        raise InvalidInvocation(f"Variant {wanted} not found for Request")
