"""The regions of the service: those with records from its start on, others from their first request on."""

from __future__ import annotations

import asyncio
import threading

from local_sagemaker.arns import is_region
from local_sagemaker.errors import ValidationError
from local_sagemaker.region import Region, Shared
from local_sagemaker.services.apigateway import Address, ExecuteApi
from local_sagemaker.services.codecommit.git_http import GitAddress, GitEndpoint


class Regions:
    """All regions, by name."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        names = {shared.settings.region, *shared.records.regions()}
        self._regions = {name: Region(name, shared) for name in sorted(names)}

    def of(self, name: str) -> Region:
        """A region; "" is the default one. Raises ValidationError for what is no region's name: it names folders."""
        name = name or self._shared.settings.region
        region = self._regions.get(name)
        if region is None:
            if not is_region(name):
                raise ValidationError(f"'{name[:100]}' is no region.")
            with self._lock:
                region = self._regions.get(name) or self._add(name)
        return region

    def all(self) -> list[Region]:
        """The regions that are in use by now."""
        with self._lock:
            return list(self._regions.values())

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Says in which event loop invocations run, also those of regions to come."""
        with self._lock:
            self._loop = loop
            for region in self._regions.values():
                region.attach(loop)

    def serving(self, address: Address) -> ExecuteApi:
        """The door of the region that a REST API's address names, or that has the API."""
        if address.region:
            return self.of(address.region).apis
        having = [region for region in self.all() if region.apis.has(address.api)]
        return (having[0] if having else self.of("")).apis

    def git_door(self, address: GitAddress) -> GitEndpoint | None:
        """The repository that git's clients reach at an address: the default region's, else that of any other."""
        default = self.of("")
        for region in (default, *(region for region in self.all() if region is not default)):
            if door := region.git.door(address):
                return door
        return None

    def _add(self, name: str) -> Region:
        region = Region(name, self._shared)
        if self._loop is not None:
            region.attach(self._loop)
        region.resume()
        self._regions[name] = region
        return region
