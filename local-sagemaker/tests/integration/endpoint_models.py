"""Models for tests of endpoints: archives in a bucket, and what predicts the same without an endpoint."""

from __future__ import annotations

import io
import tarfile
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost as xgb

from tests.support import ROLE, XGBOOST, Service

BUCKET = "endpoint-models"
ROWS = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)


def archive(**files: bytes) -> bytes:
    """A model.tar.gz; in names two underscores are a slash and one a dash."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name.replace("__", "/").replace("_", "-").replace(",", "."))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def script(code: str) -> bytes:
    """An archive with the script that serves."""
    return archive(**{"code__inference,py": code.encode()})


def booster(seed: int = 0, rounds: int = 20) -> xgb.Booster:
    """A regression model; different seeds give different predictions for every row."""
    target = ROWS[:, seed % 8] * 3 - ROWS[:, (seed + 1) % 8] + 10 * seed
    return xgb.train(
        {"objective": "reg:squarederror", "max_depth": 4, "nthread": 1}, xgb.DMatrix(ROWS, target, nthread=1), rounds
    )


def text(rows: Any) -> bytes:
    """Rows as CSV with all digits."""
    return "\n".join(",".join(map(repr, row)) for row in rows.tolist()).encode()


def floats(body: bytes) -> list[float]:
    """The predictions in a CSV answer."""
    return [float(value) for value in body.decode().replace(",", "\n").split()]


@dataclass
class Made:
    """What tests make on a service, under names of their own."""

    service: Service

    def __post_init__(self) -> None:
        self.sagemaker = self.service.client("sagemaker")
        self.runtime = self.service.client("sagemaker-runtime")
        self.s3 = self.service.client("s3")

    def upload(self, key: str, data: bytes) -> str:
        """An object in the bucket of models; its URI."""
        if BUCKET not in [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]:
            self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        return f"s3://{BUCKET}/{key}"

    def model(self, data: bytes | xgb.Booster, image: str = XGBOOST, **environment: str) -> str:
        """A model of an archive (or booster); its name."""
        name = f"m-{uuid.uuid4().hex[:12]}"
        if isinstance(data, xgb.Booster):
            data = archive(xgboost_model=bytes(data.save_raw()))
        container = {"Image": image, "ModelDataUrl": self.upload(f"{name}.tar.gz", data), "Environment": environment}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        return name

    def config(self, *models: str, weights: tuple[float, ...] = (), count: int = 1, **members: Any) -> str:
        """An endpoint configuration with a variant per model (``AllTraffic``, else ``V1``, ``V2``); its name."""
        name = f"c-{uuid.uuid4().hex[:12]}"
        variants = [
            {"VariantName": "AllTraffic" if len(models) == 1 else f"V{number}", "ModelName": model,
             "InstanceType": "ml.m5.large", "InitialInstanceCount": count,
             "InitialVariantWeight": weights[number - 1] if weights else 1.0}
            for number, model in enumerate(models, 1)
        ]  # fmt: skip
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **members)
        return name

    def endpoint(self, config: str, wait: bool = True, **members: Any) -> str:
        """An endpoint of a configuration, in service unless told not to wait; its name."""
        name = f"e-{uuid.uuid4().hex[:12]}"
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **members)
        if wait:
            self.settled(name)
        return name

    def settled(self, name: str, status: str = "InService") -> dict[str, Any]:
        """Waits until the endpoint is not being changed; it must be in this status then."""
        from tests.support import until

        changing = ("Creating", "Updating", "RollingBack", "Deleting")

        def ended() -> Any:
            found = self.sagemaker.describe_endpoint(EndpointName=name)
            return None if found["EndpointStatus"] in changing else found

        found = dict(until(ended, f"{name} is settled", 90))
        assert found["EndpointStatus"] == status, found
        return found

    def invoke(self, name: str, rows: Any = ROWS[:1], **members: Any) -> Any:
        """InvokeEndpoint with rows as CSV."""
        return self.runtime.invoke_endpoint(EndpointName=name, Body=text(rows), ContentType="text/csv", **members)

    def delete(self, name: str) -> None:
        """Deletes an endpoint and waits until it is gone."""
        self.sagemaker.delete_endpoint(EndpointName=name)
        waiter = self.sagemaker.get_waiter("endpoint_deleted")
        waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
