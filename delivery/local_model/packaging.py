"""From a model's file, however it was saved, to the archive that the built-in XGBoost container loads.

Accepted are pickles (joblib's too, compressed or not) of a Booster or of a scikit-learn wrapper, JSON, UBJSON, and the
binary files of XGBoost 1.x. What it is, its first bytes tell, not its name. The container gets a Booster of its own
kind: pickles of another version, and a wrapper's JSON, are what breaks there.
"""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from delivery.errors import DeliveryError, NotFoundError

if TYPE_CHECKING:
    from xgboost import Booster

MEMBER = "xgboost-model"  # the container's own name for its model
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


@dataclass(frozen=True)
class PackagedModel:
    """An archive, what it was made of, and what was changed on the way."""

    archive: Path
    format: str
    changes: tuple[str, ...]


def package(model: Path, archive: Path, rows: Path | None = None) -> PackagedModel:
    """Packs the model, and checks that the packed one predicts the same.

    :param rows: CSV without a header, to check with; by default zeros.
    :raises DeliveryError: if the file is no XGBoost model, or the packed one predicts otherwise.
    """
    booster, kind = load(model)
    before = _predict(booster, rows)
    changes = to_probabilities(booster)
    body = bytes(booster.save_raw("ubj"))
    _compare(model, before, _predict(_booster(body), rows))
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(archive_of(body))
    return PackagedModel(archive, kind, changes)


def load(model: Path) -> tuple[Booster, str]:
    """The model as a Booster, and the format that it was in.

    :raises DeliveryError: if the file is no XGBoost model.
    """
    try:
        body = model.read_bytes()
    except OSError as error:
        raise NotFoundError(f"{model}: {error.strerror}") from error
    kind = _format(body)
    if kind == "pickle":
        return _from_pickle(model), kind
    from xgboost.core import XGBoostError

    try:
        return _booster(body), kind
    except XGBoostError as error:
        raise DeliveryError(f"{model} is no XGBoost model: {str(error).strip().splitlines()[-1]}") from error


def _format(body: bytes) -> str:
    if body.startswith((b"\x80", *COMPRESSED)):
        return "pickle"
    if body.lstrip()[:2] in (b'{"', b"{\n", b"{ ", b"{\r"):
        return "JSON"
    return "UBJSON" if body.startswith(b"{") else "binary"


def _from_pickle(model: Path) -> Booster:
    import joblib
    from xgboost import Booster

    try:
        booster: Any = joblib.load(model)
    except Exception as error:  # whatever a foreign pickle raises
        raise DeliveryError(f"{model} cannot be unpickled here: {type(error).__name__}: {error}") from error
    if hasattr(booster, "get_booster"):
        booster = booster.get_booster()
    if not isinstance(booster, Booster):
        raise DeliveryError(f"{model} holds a {type(booster).__name__}, and not an XGBoost model")
    return booster


def to_probabilities(booster: Booster) -> tuple[str, ...]:
    """Makes a classifier return the probabilities of all classes instead of the class.

    The trees stay as they are: multi:softmax and multi:softprob differ only in what they return.
    """
    import json

    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    if objective != "multi:softmax":
        return ()
    booster.set_param({"objective": "multi:softprob"})
    return ("objective multi:softmax became multi:softprob, which returns probabilities",)


def _booster(body: bytes) -> Booster:
    from xgboost import Booster

    return Booster(model_file=bytearray(body))


def _predict(booster: Booster, rows: Path | None) -> Any:
    import numpy
    from xgboost import DMatrix

    if rows is None:
        table = numpy.zeros((1, booster.num_features()))
    else:
        table = numpy.atleast_2d(numpy.loadtxt(rows, delimiter=","))
    # Names that training left in the model are not those of a table without a header.
    return booster.predict(DMatrix(table), validate_features=False)


def _compare(model: Path, before: Any, after: Any) -> None:
    import numpy

    classes = after.argmax(axis=1) if after.ndim == 2 and before.ndim == 1 else after
    if not numpy.array_equal(before, classes):
        raise DeliveryError(f"{model} predicts otherwise once it is packed, and was not packed")


def archive_of(body: bytes) -> bytes:
    """A .tar.gz that is the same for the same model: neither time nor user are in it."""
    import gzip

    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        member = tarfile.TarInfo(MEMBER)
        member.size, member.mode = len(body), 0o644
        tar.addfile(member, io.BytesIO(body))
    return gzip.compress(plain.getvalue(), mtime=0)
