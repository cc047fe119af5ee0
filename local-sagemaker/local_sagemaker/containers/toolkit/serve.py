"""``serve`` in script mode: the user's ``model_fn``, ``input_fn``, ``predict_fn``, ``output_fn`` or ``transform_fn``.

The script is the module that SAGEMAKER_PROGRAM names (``inference.py`` by default) in the code folder of the model
archive or in SAGEMAKER_SUBMIT_DIRECTORY (contracts: containers 7).
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from local_sagemaker import fresh_interpreter, image_programs
from local_sagemaker.containers import multi_model_server
from local_sagemaker.containers.http_connection import INTERNAL_ERROR, Request, Response
from local_sagemaker.containers.model_server import ModelApplication, run
from local_sagemaker.containers.paths import ml
from local_sagemaker.containers.program_log import configure
from local_sagemaker.containers.toolkit import source
from local_sagemaker.containers.toolkit.content import (
    JSON,
    TEXT_TYPES,
    Codec,
    ManyModelsNumpyCodec,
    NumpyCodec,
)

DEFAULT_SCRIPT = "inference.py"
CONFLICT = "Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn"
_SCRIPT = "LOCAL_SAGEMAKER_SERVE_SCRIPT"
log = logging.getLogger("sagemaker-inference-toolkit")


def sklearn(_arguments: list[str] | None = None) -> int:
    """The scikit-learn image's ``serve``."""
    configure()
    return run_script(_codec(), f"{__name__}:resume")


def resume(_arguments: list[str] | None = None) -> int:
    """Continues in an interpreter of its own (`run_script`)."""
    configure()
    return resume_script(_codec())


def _codec() -> Codec:
    return ManyModelsNumpyCodec() if _has_many() else NumpyCodec()


def _has_many() -> bool:
    return os.environ.get("SAGEMAKER_MULTI_MODEL") == "true"


def run_script(codec: Codec, resumption: str) -> int:
    """Serves by the user's functions; what they lack is the codec's.

    Where something is installed that replaces what was loaded, an interpreter of its own continues with `resumption`,
    "package.module:function".
    """
    script = _fetch_shared_script() if _has_many() else _script()
    if script and (source.install(script.parent) or fresh_interpreter.script_requires_it(script, script.parent)):
        os.environ[_SCRIPT] = str(script)
        sys.stdout.flush()
        command = image_programs.run_anew(resumption, [], image_programs.serving_folders)
        os.execv(command[0], command)
    return _serve_with(codec, script)


def resume_script(codec: Codec) -> int:
    """The rest of `run_script` in the interpreter that it has started."""
    return _serve_with(codec, Path(os.environ[_SCRIPT]))


def _serve_with(codec: Codec, script: Path | None) -> int:
    if _has_many():
        return multi_model_server.serve(lambda folder: _one_of_many(folder, codec, script))
    assert script
    return run(lambda: Functions(_module(script), codec).application())


def _fetch_shared_script() -> Path | None:
    """The script of all models of a container of many, where it has one: it is fetched as the container starts."""
    submitted = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    return _script() if submitted and submitted != "/opt/ml/model/code" else None


def _one_of_many(folder: Path, codec: Codec, shared: Path | None) -> Callable[[Request], Response]:
    """One of the models of a container of many: it may bring a script of its own in its folder ``code``."""
    own = folder / "code" / (os.environ.get("SAGEMAKER_PROGRAM") or DEFAULT_SCRIPT)
    module = _module(own if own.is_file() else shared or _script(), f"{folder.parent.name}_")
    return Functions(module, codec, folder).invoke_one_of_many


def _script() -> Path:
    """The user's script, after its code was fetched."""
    name = os.environ.get("SAGEMAKER_PROGRAM") or DEFAULT_SCRIPT
    submitted = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    inside = ml() / "model" / "code"
    if submitted.startswith("/opt/ml/"):
        submitted = str(ml() / Path(submitted).relative_to("/opt/ml"))
    if submitted and Path(submitted) != inside:
        folder = ml() / "code"
        source.fetch(submitted, folder)
    else:
        folder = inside
    for path in (folder / name, inside / name, ml() / "model" / name):
        if path.is_file():
            return path
    raise FileNotFoundError(f"No script {name} in {folder}: SAGEMAKER_PROGRAM names the script that serves.")


def _module(script: Path, prefix: str = "") -> ModuleType:
    image_programs.leave_the_image()
    sys.path.insert(0, str(script.parent))
    os.environ.setdefault("SM_MODEL_DIR", str(ml() / "model"))
    name = prefix + script.stem.replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Functions:
    """The user's functions, the defaults for those that are missing, and the loaded model."""

    def __init__(self, module: ModuleType, codec: Codec, folder: Path | None = None) -> None:
        """`folder` is the model's, /opt/ml/model unless the container has many models."""
        functions = {n: getattr(module, n) for n in ("input_fn", "predict_fn", "output_fn") if hasattr(module, n)}
        self.transform: Callable[..., Any] | None = getattr(module, "transform_fn", None)
        if self.transform and functions:
            raise ValueError(CONFLICT)
        if not hasattr(module, "model_fn"):
            raise NotImplementedError(
                "Please provide a model_fn implementation. See documentation for model_fn at "
                "https://github.com/aws/sagemaker-python-sdk"
            )
        self.decode = functions.get("input_fn", codec.decode)
        self.predict = functions.get("predict_fn", codec.predict)
        self.encode: Callable[..., Any] | None = functions.get("output_fn")
        self._codec = codec
        self.parameters = getattr(module, "execution_parameters_fn", None)
        self.default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON
        self.model = module.model_fn(str(folder or ml() / "model"))

    def application(self) -> ModelApplication:
        """The HTTP side. User code may be slow, so it runs beside /ping."""
        return ModelApplication(self.invoke, self._parameters, threaded=True)

    def invoke(self, request: Request) -> Response:
        """One invocation. Of any error, the client sees Flask's page; its traceback is in the log."""
        content_type = request.content_type or JSON
        accept = request.accept or ""
        accept = self.default_accept if accept in ("", "*/*") else accept
        try:
            data = request.body.decode("utf-8") if content_type in TEXT_TYPES else request.body
            return _response(self._respond(data, content_type, accept))
        except Exception:
            log.exception("Exception on /invocations [POST]")
            return INTERNAL_ERROR

    def invoke_one_of_many(self, request: Request) -> Response:
        """One invocation of a model among many: its error and traceback are the response's body."""
        content_type = request.content_type or ""
        accept = request.accept or ""
        accept = self.default_accept if accept in ("", "*/*") else accept
        try:
            data = request.body.decode("utf-8") if content_type in TEXT_TYPES else request.body
            response = self._respond(data, content_type, accept)
            body, accept = response if isinstance(response, tuple) else (response, accept)
            return Response(200, _encoded(body), accept)
        except Exception as error:
            log.exception("Exception in the model")
            return Response(500, f"{error}\n{traceback.format_exc()}".encode())

    def _respond(self, data: bytes | str, content_type: str, accept: str) -> Any:
        """What the functions make of a request. An encoded default response comes with its type."""
        if self.transform:
            return self.transform(self.model, data, content_type, accept)
        prediction = self.predict(self.decode(data, content_type), self.model)
        if self.encode is None:
            return self._codec.encode(prediction, accept), accept
        return self.encode(prediction, accept)

    def _parameters(self) -> Mapping[str, Any] | None:
        return self.parameters() if self.parameters else None


def _response(response: Any) -> Response:
    """The response as Flask makes a response of it: a body alone is a page, a pair names its own type."""
    if hasattr(response, "status_code") and not inspect.isclass(response):
        body = response.get_data() if hasattr(response, "get_data") else response.body
        return Response(response.status_code, bytes(body), getattr(response, "mimetype", None) or JSON)
    if isinstance(response, tuple):
        body, kind = response[0], response[1]
        return Response(200, _encoded(body), f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    if isinstance(response, dict):
        return Response(200, json.dumps(response).encode(), JSON)
    return Response(200, _encoded(response))


def _encoded(body: Any) -> bytes:
    """Bytes of a body. TypeError for what can be none, such as a list of numbers."""
    if not isinstance(body, (str, bytes, bytearray)):
        raise TypeError(f"The function did not return a valid response, but a {type(body).__name__}.")
    return body.encode() if isinstance(body, str) else bytes(body)
