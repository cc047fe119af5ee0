"""What an endpoint is to run, as plain data: variants with their containers, capture, asynchronous inference.

Made by the services from endpoint configuration and models, and kept with the endpoint, which continues when both are
deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

HEALTH_SECONDS = 240.0  # contracts: containers 5.1


@dataclass(frozen=True)
class VariantSpec:
    """One variant. `serverless` is its ServerlessConfig; `shadow` ones get copies of the traffic."""

    name: str
    model: str
    containers: tuple[Mapping[str, Any], ...]
    instances: int = 1
    weight: float = 1.0
    direct: bool = False
    serverless: Mapping[str, Any] | None = None
    health_seconds: float = HEALTH_SECONDS
    shadow: bool = False

    @property
    def multi_model(self) -> bool:
        """Whether requests name one of many models."""
        return self.containers[0].get("Mode") == "MultiModel"

    @classmethod
    def of(cls, variant: Mapping[str, Any], model: Mapping[str, Any], *, shadow: bool = False) -> VariantSpec:
        """From a ProductionVariant and DescribeModel's response."""
        containers = model.get("Containers") or [model["PrimaryContainer"]]
        return cls(
            name=variant["VariantName"],
            model=model["ModelName"],
            containers=tuple(containers),
            instances=variant.get("InitialInstanceCount", 1),
            weight=variant.get("InitialVariantWeight", 1.0),
            direct=model.get("InferenceExecutionConfig", {}).get("Mode") == "Direct",
            serverless=variant.get("ServerlessConfig"),
            health_seconds=variant.get("ContainerStartupHealthCheckTimeoutInSeconds", HEALTH_SECONDS),
            shadow=shadow,
        )


@dataclass(frozen=True)
class EndpointSpec:
    """One generation of an endpoint."""

    name: str
    arn: str
    config: str
    variants: tuple[VariantSpec, ...]
    capture: Mapping[str, Any] | None = None
    asynchronous: Mapping[str, Any] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def variant(self, name: str) -> VariantSpec | None:
        """The variant of this name."""
        return next((variant for variant in self.variants if variant.name == name), None)

    def with_changes(self, changes: Mapping[str, Mapping[str, Any]]) -> EndpointSpec:
        """The same with other members (`weight`, `instances`, `serverless`) of variants, by their names."""
        variants = tuple(replace(variant, **changes.get(variant.name, {})) for variant in self.variants)
        return replace(self, variants=variants)

    def as_record(self) -> dict[str, Any]:
        """As JSON can hold it."""
        variants = [{**vars(variant), "containers": list(variant.containers)} for variant in self.variants]
        return {**vars(self), "variants": variants, "environment": dict(self.environment)}

    @classmethod
    def from_record(cls, body: Mapping[str, Any]) -> EndpointSpec:
        """What `as_record` made."""
        variants = tuple(VariantSpec(**{**v, "containers": tuple(v["containers"])}) for v in body["variants"])
        return cls(**{**body, "variants": variants})
