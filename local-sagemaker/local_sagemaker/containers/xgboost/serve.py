"""The container's ``serve``: predictions of the model in /opt/ml/model over HTTP (contracts: containers 4).

With SAGEMAKER_PROGRAM, or code in the model archive, the user's functions serve instead.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xgboost as xgb
from scipy import sparse

from local_sagemaker.containers import multi_model_server
from local_sagemaker.containers.failure import AlgorithmError
from local_sagemaker.containers.http_connection import INTERNAL_ERROR, Request, Response
from local_sagemaker.containers.model_server import ModelApplication, run
from local_sagemaker.containers.paths import ml
from local_sagemaker.containers.program_log import configure
from local_sagemaker.containers.xgboost import compat, encode, inplace_predict, model_file, script_serving
from local_sagemaker.containers.xgboost.channels import LIBSVM, parse_header
from local_sagemaker.containers.xgboost.decode import Undecodable, decode
from local_sagemaker.containers.xgboost.image_tags import Behaviour
from local_sagemaker.xgboost_names import TAG

if TYPE_CHECKING:
    from local_sagemaker.containers.xgboost.decode import Features
    from local_sagemaker.containers.xgboost.encode import Predictions

MAX_BODY = 6 * 1024**2
log = logging.getLogger(__name__)


def main(_arguments: list[str] | None = None) -> int:
    """Serves the model of this process's /opt/ml/model until SIGTERM."""
    configure()
    if os.environ.get("SAGEMAKER_PROGRAM"):
        return script_serving.run()
    if os.environ.get("SAGEMAKER_MULTI_MODEL") == "true":
        return multi_model_server.serve(_load)
    return run(lambda: XGBoostServer.load(ml() / "model", os.environ).application())


def _load(folder: Path) -> Callable[[Request], Response]:
    return XGBoostServer.load(folder, os.environ).invoke_one_of_many


@dataclass(frozen=True)
class LoadedModel:
    """One loaded model. `width` is its number of features; `pickled` models are strict about it."""

    booster: xgb.Booster
    pickled: bool
    width: int
    dense: bool  # whether predictions can be made in place, without a DMatrix
    trees: int = 0  # the best rounds' trees, 0 for all: early stopping of old versions left the others in the model


class XGBoostServer:
    """The loaded models and the responses of one container."""

    def __init__(self, members: list[LoadedModel], environment: Mapping[str, str]) -> None:
        self.members = members
        properties = compat.read_properties(members[0].booster)
        self.objective, self.classes = properties.objective, properties.classes
        self.behaviour = Behaviour.of(environment.get(TAG, ""))
        self.batch = bool(environment.get("SAGEMAKER_BATCH"))
        wanted = environment.get("SAGEMAKER_INFERENCE_OUTPUT")
        self.selected = [] if wanted is None else wanted.replace(" ", "").lower().split(",")
        self.default_accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or encode.CSV
        self.max_body = int(environment.get("MAX_CONTENT_LENGTH") or MAX_BODY)

    @classmethod
    def load(cls, folder: Path, environment: Mapping[str, str]) -> XGBoostServer:
        """The models at the root of a folder. AlgorithmError when there is none or one cannot be read."""
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        if not files:
            raise AlgorithmError(f"No model file in {folder}")
        if environment.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") != "true":
            files = files[:1]
        return cls([_member(file) for file in files], environment)

    def application(self) -> ModelApplication:
        """The HTTP side."""
        return ModelApplication(self.invoke, self.parameters, self.max_body)

    def parameters(self) -> dict[str, object]:
        """What batch transform receives."""
        megabytes = self.max_body // 1024**2
        return {"MaxConcurrentTransforms": os.cpu_count(), "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": megabytes}

    def invoke(self, request: Request) -> Response:
        """Decode, predict, encode, with the container's status for what fails first."""
        if not request.body or _is_form(request.content_type):
            return Response(204)
        try:
            features, content = self._decode(request)
        except Undecodable as error:
            return Response(415, str(error).encode())
        try:
            predictions = self.predict(features, content)
        except (xgb.core.XGBoostError, ValueError) as error:
            text = str(error).split("\nStack trace", 1)[0]
            return Response(400, f"Unable to evaluate payload provided: {text}".encode())
        if self.behaviour.comma_joined and not self.batch and not self.selected:
            return Response(200, encode.comma_joined(predictions), _with_charset(encode.CSV))
        accept, _ = parse_header(request.accept or "")
        accept = self.default_accept if accept in ("", "*/*") else accept
        if accept.lower() not in encode.ACCEPTED:
            text = f"Accept type {accept} is not supported. Please use supported accept types: {encode.ACCEPTED}."
            return Response(406, text.encode())
        return self._encode(predictions, accept.lower())

    def invoke_one_of_many(self, request: Request) -> Response:
        """Like `invoke`, with the responses and errors of a container of many models (contracts: containers 4.5)."""
        accept = (request.accept or "").split(";")[0].strip().lower()
        accept = encode.JSON if accept in ("", "*/*") else accept
        try:
            features, content = self._decode(request)
            if accept not in (encode.CSV, encode.JSON):
                raise Undecodable(f"Accept type {accept} is not supported. Please use: text/csv, application/json.")
        except Undecodable as error:
            return multi_model_server.refusal(415, "UnsupportedMediaTypeException", str(error))
        try:
            predictions = self.predict(features, content)
        except (xgb.core.XGBoostError, ValueError) as error:
            text = str(error).split("\nStack trace", 1)[0]
            return multi_model_server.refusal(
                400, "BadRequestException", f"Unable to evaluate payload provided: {text}"
            )
        if accept == encode.CSV:
            return Response(200, encode.comma_joined(predictions), encode.CSV)
        return Response(200, json.dumps(predictions.tolist()).encode(), encode.JSON)

    def _decode(self, request: Request) -> tuple[Features, str]:
        return decode(request.body, request.content_type, shifts_libsvm=self.behaviour.shifts_libsvm)

    def predict(self, features: Features, content: str) -> Predictions:
        """Predictions of the model; of several, their mean or, for classes, the majority."""
        every = [_predict(member, features, content) for member in self.members]
        if len(every) == 1:
            return every[0]
        if self.objective in ("multi:softmax", "binary:hinge"):
            values = np.stack(every).astype(int)
            return np.array([np.bincount(column).argmax() for column in values.T], dtype=np.float32)
        return np.mean(every, axis=0)

    def _encode(self, predictions: Predictions, accept: str) -> Response:
        try:
            if self.selected:
                rows = encode.select(predictions, self.selected, self.objective, self.classes)
                body = encode.selection(rows, self.selected, accept, batch=self.batch)
            elif self.batch:
                body = encode.batch_lines(predictions)
            else:
                body = encode.plain(predictions, accept)
        except encode.UnsupportedAccept:
            log.exception("Exception on /invocations [POST]")
            return INTERNAL_ERROR
        except ValueError as error:
            return Response(500, str(error).encode())
        return Response(200, body, _with_charset(accept))


def _member(file: Path) -> LoadedModel:
    loaded = model_file.load(file)
    booster = loaded.booster
    properties = compat.read_properties(booster)
    if loaded.trees and compat.HAS_CALLBACKS:
        booster = compat.first_rounds(booster, loaded.trees)
    booster.feature_names = None  # requests have no names
    booster.feature_types = None
    dense = properties.kind == "gbtree" and compat.PREDICTS_IN_PLACE
    return LoadedModel(booster, loaded.pickled, properties.width, dense, loaded.trees)


def _predict(member: LoadedModel, features: Features, content: str) -> Predictions:
    width = features.shape[1]
    if member.pickled:
        _check_width(width, member.width, content)
    if member.dense and width == member.width and not sparse.issparse(features):
        return inplace_predict.predict(member.booster, features)
    matrix = xgb.DMatrix(features, nthread=1)
    return np.asarray(compat.predict(member.booster, matrix, member.trees))


def _check_width(width: int, trained: int, content: str) -> None:
    """The number of features that the container takes for a pickled model. ValueError for another one."""
    if content == LIBSVM and width > trained + 1:
        raise ValueError(
            f"Feature size of libsvm inference data {width} is larger than feature size of trained model {trained}."
        )
    if content != LIBSVM and width not in (trained, trained - 1):
        raise ValueError(
            f"Feature size of {content} inference data {width} is not consistent with feature size of trained model "
            f"{trained}."
        )


def _is_form(content_type: str | None) -> bool:
    """Flask takes the body of a form as its fields, so that for the container there is none."""
    return parse_header(content_type or "")[0].lower() in ("application/x-www-form-urlencoded", "multipart/form-data")


def _with_charset(content_type: str) -> str:
    return f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type
