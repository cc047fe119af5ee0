"""The built-in algorithm's server: decoding errors, answers of each tag, selectable inference; over a real socket."""

from __future__ import annotations

import http.client
import json
import os
import pickle
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from local_sagemaker.containers.failure import AlgorithmError
from local_sagemaker.containers.http_connection import Request
from local_sagemaker.containers.xgboost import encode, recordio
from local_sagemaker.containers.xgboost.decode import Undecodable, decode
from local_sagemaker.containers.xgboost.serve import XGBoostServer
from local_sagemaker.images.image import ImageUri
from local_sagemaker.images.xgboost import XGBoost
from local_sagemaker.xgboost_names import TAG

ROWS = np.round(np.random.default_rng(0).normal(size=(200, 4)), 4).astype(np.float32)
Train = Callable[..., xgb.Booster]


def booster(objective: str, **parameters: Any) -> xgb.Booster:
    labels = {"reg": ROWS[:, 0] * 3, "binary": ROWS[:, 0] > 0, "count": np.abs(ROWS[:, 0])}
    label = labels.get(objective.split(":")[0], np.digitize(ROWS[:, 0], [-0.5, 0.5]))
    label = np.abs(label) if objective == "reg:tweedie" else label
    settings = {"objective": objective, "max_depth": 3, "nthread": 1, **parameters}
    return xgb.train(settings, xgb.DMatrix(ROWS, label, nthread=1), 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with a regression model."""
    folder = tmp_path_factory.mktemp("model")
    booster("reg:squarederror").save_model(folder / "model.ubj")
    (folder / "model.ubj").rename(folder / "xgboost-model")
    return folder


def csv_body(rows: np.ndarray[Any, Any]) -> bytes:
    return "\n".join(",".join(map(repr, row)) for row in rows.tolist()).encode()


def ask(server: XGBoostServer, body: bytes, content_type: str | None = "text/csv", accept: str | None = None) -> Any:
    headers = {"content-type": content_type, "accept": accept}
    return server.invoke(Request(body, {name: value for name, value in headers.items() if value}))


@contextmanager
def running(run: Any, environment: Mapping[str, str]) -> Iterator[http.client.HTTPConnection]:
    """A server process with a socket of its own, as hosting starts it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        program = XGBoost().serve(ImageUri("", "sagemaker-xgboost", "3.0-5"), {})
        fd = {"LOCAL_SAGEMAKER_LISTEN_FD": listener.fileno()}
        process = run.start(program, environment=environment, listen=fd)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield connection
    finally:
        connection.close()
        process.signal(signal.SIGTERM)
        assert process.wait(30) == 0


def exchange(connection: http.client.HTTPConnection, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response.status, response.getheader("Content-Type"), response.read()


def test_over_the_socket(program_run: Any, folder: Path) -> None:
    program_run.write("model/xgboost-model", (folder / "xgboost-model").read_bytes())
    with running(program_run, {}) as connection:
        assert exchange(connection, "GET", "/ping")[::2] == (200, b"")
        status, content_type, body = exchange(connection, "GET", "/execution-parameters")
        assert (status, content_type) == (200, "application/json")
        expected = {"MaxConcurrentTransforms": os.cpu_count(), "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
        assert json.loads(body) == expected
        direct = booster("reg:squarederror").predict(xgb.DMatrix(ROWS))
        text = "".join(f"{value!r}\n" for value in direct.tolist()).encode()
        found = exchange(connection, "POST", "/invocations", csv_body(ROWS), Content_Type="text/csv")
        assert found == (200, "text/csv; charset=utf-8", text)
        page = "text/html; charset=utf-8"
        assert exchange(connection, "POST", "/invocations", Content_Type="text/csv") == (204, page, b"")
        for body, content_type, accept, status, start in ERRORS:
            headers = {"Content_Type": content_type} if content_type else {}
            found = exchange(
                connection, "POST", "/invocations", body, **headers, **({"Accept": accept} if accept else {})
            )
            assert found[:2] == (status, page), (body[:50], found)
            assert found[2].decode().startswith(start), found
        assert exchange(connection, "POST", "/invocations", b"1" * (6 * 1024**2 + 1), Content_Type="text/csv")[0] == 413
        assert exchange(connection, "GET", "/ping")[0] == 200
        assert exchange(connection, "GET", "/elsewhere")[0] == 404


_CSV_ERROR = "Loading csv data failed with Exception, please ensure data is in csv format:\n <class 'ValueError'>\n "
_LIBSVM_ERROR = (
    "Loading libsvm data failed with Exception, please ensure data is in libsvm format:\n <class 'ValueError'>"
)
_LIST = "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, application/x-parquet, "
ERRORS = [
    (b"a,b,c,d", "text/csv", None, 415, _CSV_ERROR + "could not convert string to float: 'a'"),
    (b"1,2,3,4\n1,2,3", "text/csv", None, 415, _CSV_ERROR),
    (b"y,a\n" + b"1,2\n" * 3000, "text/csv", None, 415, _CSV_ERROR + "could not convert string to float: 'y'"),
    (b'"1",2,3,4', "text/csv", None, 415, _CSV_ERROR),
    (b"1,2,3,inf", "text/csv", None, 415, _CSV_ERROR.replace("ValueError", "xgboost.core.XGBoostError")),
    (b"1,2,3,4", None, None, 415, _LIBSVM_ERROR),
    (b"1,2,3,4", "text/libsvm", None, 415, _LIBSVM_ERROR),
    (b"1 2 3", "text/x-libsvm", None, 415, _LIBSVM_ERROR),
    (b"0:1\t1:2", "text/libsvm", None, 415, _LIBSVM_ERROR),
    (b" \n", "text/csv", None, 415, "Loading csv data failed with Exception"),
    (b"1,2,3,4", "application/x-parquet", None, 415, "Content-type application/x-parquet is not supported."),
    (b"1,2,3,4", "text/csv, text/plain", None, 415, "text/csv, text/plain is not an accepted ContentType: "),
    (b"\xff,2,3,4", "text/csv", None, 415, _CSV_ERROR.replace("ValueError", "UnicodeDecodeError")),
    (b"1,2", "text/csv; label_size=2", None, 415, "text/csv; label_size=2 is not an accepted csv ContentType."),
    (b"{}", "application/json", None, 415, f"application/json is not an accepted ContentType: {_LIST}"),
    (b"1:x", "text/libsvm", None, 415, "Loading libsvm data failed with Exception, please ensure data is in libsvm"),
    (b"zzzzzzzz", "application/x-recordio-protobuf", None, 415, "Loading recordio-protobuf data failed with Exception"),
    (b"1,2,3,4,5", "text/csv", None, 400, "Unable to evaluate payload provided: "),
    (b"1,2,3,4", "text/csv", "image/png", 406,
     "Accept type image/png is not supported. Please use supported accept types: ['application/json', "
     "'application/jsonlines', 'application/x-recordio-protobuf', 'text/csv']."),
]  # fmt: skip


def test_a_server_without_a_model_ends(program_run: Any) -> None:
    (program_run.ml / "model").mkdir()
    program = XGBoost().serve(ImageUri("", "sagemaker-xgboost", "3.0-5"), {})
    assert program_run.run(program, environment={"SAGEMAKER_BIND_TO_PORT": "0"}) == 4
    assert "No model file in /opt/ml/model" in program_run.log


@pytest.mark.parametrize(
    ("body", "content_type", "features"),
    [
        (b"1,2\n3,4", "text/csv", [[1, 2], [3, 4]]),
        (b"1,2\r\n3,4\r\n", "text/csv", [[1, 2], [3, 4]]),
        (b"1,,3", "text/csv", [[1, np.nan, 3]]),
        (b"1;2\n3;4\n", "text/csv", [[1, 2], [3, 4]]),
        (b"5.0", "text/csv", [[5]]),
        (b"0.1,1e-3", "csv; charset=utf-8", [[0.1, 0.001]]),
        (b"1 1:5 2:6\n0 2:7", "text/libsvm", [[5, 6], [0, 7]]),
        (b"0:5 1:6", None, [[5, 6]]),
        (b"\n".join([b"0.1,,2"] * 2000), "text/csv", [[0.1, np.nan, 2]] * 2000),
        (b"\r\n".join([b"0.1,-3,2e5"] * 2000), "text/csv", [[0.1, -3, 2e5]] * 2000),
    ],
)
def test_features(body: bytes, content_type: str | None, features: list[list[float]]) -> None:
    found, _ = decode(body, content_type)
    dense = found if isinstance(found, np.ndarray) else found.toarray()
    assert np.array_equal(dense, np.array(features, dtype=np.float32), equal_nan=True)


def test_libsvm_indices_are_counted_as_the_tag_does(folder: Path) -> None:
    """Tags up to 3.0-5 take indices as they are: of four features, a fifth index is one too many."""
    body = b"1:1 2:2 3:3 4:4"
    old, new = (XGBoostServer.load(folder, {TAG: tag}).invoke(Request(body, {})) for tag in ("3.0-5", "3.2-0"))
    assert old.status == 400
    assert new.body == ask(XGBoostServer.load(folder, {}), b"1,2,3,4").body


def test_forms_have_no_body(folder: Path) -> None:
    server = XGBoostServer.load(folder, {})
    assert server.invoke(Request(b"1,2,3,4", {"content-type": "application/x-www-form-urlencoded"})).status == 204


def test_large_and_small_bodies_are_read_alike() -> None:
    table = np.random.default_rng(1).normal(size=(3000, 6)) * 10.0 ** np.random.default_rng(2).integers(
        -30, 30, (3000, 6)
    )
    body = csv_body(table)
    found, _ = decode(body, "text/csv")
    lines = [decode(line, "text/csv")[0] for line in body.split(b"\n")]
    assert np.array_equal(found, np.concatenate(lines))
    assert np.array_equal(found, table.astype(np.float32))


def test_large_ragged_body_is_refused() -> None:
    with pytest.raises(Undecodable, match="csv format"):
        decode(b"1,2\n" * 3000 + b"1,2,3\n", "text/csv")


def test_recordio_request() -> None:
    tensor = bytes([1 << 3 | 2, 8]) + np.array([1.5, 2.5], dtype="<f4").tobytes()
    value = bytes([2 << 3 | 2, len(tensor)]) + tensor
    entry = bytes([1 << 3 | 2, 6]) + b"values" + bytes([2 << 3 | 2, len(value)]) + value
    record = bytes([1 << 3 | 2, len(entry)]) + entry
    found, _ = decode(recordio.frames([record, record]), "application/x-recordio-protobuf")
    assert np.array_equal(found, np.array([[1.5, 2.5]] * 2, dtype=np.float32))


SOFT = {"num_class": 3}
PREDICTIONS = {
    "0.90-1": lambda p: ",".join(map(str, p)),
    "1.2-1": lambda p: ",".join(map(str, p)),
    "1.2-2": lambda p: "".join(f"{x}\n" for x in p),
    "1.7-1": lambda p: "".join(f"{x}\n" for x in p),
    "3.0-5": lambda p: "".join(f"{x}\n" for x in p),
}


@pytest.mark.parametrize("tag", PREDICTIONS)
@pytest.mark.parametrize("accept", [None, "text/csv", "application/json"])
def test_csv_answer_of_each_tag(folder: Path, tag: str, accept: str | None) -> None:
    answer = ask(XGBoostServer.load(folder, {TAG: tag}), csv_body(ROWS[:3]), accept=accept)
    scores = booster("reg:squarederror").predict(xgb.DMatrix(ROWS[:3])).tolist()
    if accept == "application/json" and "\n" in PREDICTIONS[tag]([1.0]):
        assert json.loads(answer.body) == {"predictions": [{"score": score} for score in scores]}
        assert answer.content_type == "application/json"
    else:
        assert answer.body.decode() == PREDICTIONS[tag](scores)
        assert answer.content_type == "text/csv; charset=utf-8"


def test_answers_with_several_classes(tmp_path: Path) -> None:
    model = booster("multi:softprob", **SOFT)
    model.save_model(tmp_path / "m.json")
    scores = model.predict(xgb.DMatrix(ROWS[:2])).tolist()
    body = csv_body(ROWS[:2])
    new, old = XGBoostServer.load(tmp_path, {}), XGBoostServer.load(tmp_path, {TAG: "1.0-1"})
    assert ask(new, body).body.decode() == "".join(",".join(map(repr, row)) + "\n" for row in scores)
    assert json.loads(ask(new, body, accept="application/json").body)["predictions"][0] == {"score": scores[0]}
    assert ask(old, body).body.decode() == ",".join(map(str, scores))
    batch = XGBoostServer.load(tmp_path, {"SAGEMAKER_BATCH": "true"})
    assert ask(batch, body, accept="application/json").body.decode() == "".join(f"{row}\n" for row in scores)


@pytest.mark.parametrize("accept", ["application/jsonlines", "application/x-recordio-protobuf"])
def test_types_without_an_encoder(folder: Path, accept: str) -> None:
    assert ask(XGBoostServer.load(folder, {}), b"1,2,3,4", accept=accept).status == 500


def test_default_accept_of_the_environment(folder: Path) -> None:
    server = XGBoostServer.load(folder, {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json"})
    assert ask(server, b"1,2,3,4", accept="*/*").content_type == "application/json"


def test_feature_counts(tmp_path: Path, folder: Path) -> None:
    assert ask(XGBoostServer.load(folder, {}), b"1,2").status == 200  # missing columns are missing values
    too_many = ask(XGBoostServer.load(folder, {}), b"1,2,3,4,5")
    assert too_many.status == 400
    assert b"Number of columns does not match number of features in booster." in too_many.body
    (tmp_path / "xgboost-model").write_bytes(pickle.dumps(booster("reg:squarederror")))
    pickled = XGBoostServer.load(tmp_path, {})
    assert ask(pickled, b"1,2,3,4").status == 200
    assert ask(pickled, b"1,2,3").status == 200
    assert ask(pickled, b"1,2,3,4,5").status == 400
    assert b"is larger than feature size of trained model 4." in pickled.invoke(Request(b"6:1", {})).body
    assert ask(pickled, b"1,2").body.decode() == (
        "Unable to evaluate payload provided: Feature size of csv inference data 2 is not consistent with feature "
        "size of trained model 4."
    )


def test_ensembles(tmp_path: Path) -> None:
    models = [booster("reg:squarederror", seed=n, subsample=0.5) for n in range(3)]
    for number, model in enumerate(models):
        model.save_model(tmp_path / f"xgboost-model-{number}.ubj")
    (tmp_path / "folder").mkdir()
    (tmp_path / ".hidden").write_text("no model")
    every = np.stack([model.predict(xgb.DMatrix(ROWS[:4])) for model in models])
    mean = [float(line) for line in ask(XGBoostServer.load(tmp_path, {}), csv_body(ROWS[:4])).body.split()]
    assert np.allclose(mean, every.mean(axis=0))
    single = XGBoostServer.load(tmp_path, {"SAGEMAKER_INFERENCE_ENSEMBLE": "false"})
    assert [float(line) for line in ask(single, csv_body(ROWS[:4])).body.split()] == every[0].tolist()


def test_ensemble_of_classes_votes(tmp_path: Path) -> None:
    models = [booster("multi:softmax", seed=n, subsample=0.3, num_class=3) for n in range(3)]
    for number, model in enumerate(models):
        model.save_model(tmp_path / f"m{number}.ubj")
    every = np.stack([model.predict(xgb.DMatrix(ROWS)) for model in models]).astype(int)
    votes = [float(np.bincount(column).argmax()) for column in every.T]
    assert [float(x) for x in ask(XGBoostServer.load(tmp_path, {}), csv_body(ROWS)).body.split()] == votes


def _selected(tmp_path: Path, objective: str, keys: str, accept: str = "application/json", **more: Any) -> Any:
    model = booster(objective, **more)
    model.save_model(tmp_path / "m.ubj")
    server = XGBoostServer.load(tmp_path, {"SAGEMAKER_INFERENCE_OUTPUT": keys})
    return model.predict(xgb.DMatrix(ROWS[:1])), ask(server, csv_body(ROWS[:1]), accept=accept)


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("binary:logistic", lambda p: {
            "predicted_label": int(p > 0.5), "labels": [0, 1], "probability": p, "probabilities": [1 - p, p],
            "raw_score": p, "raw_scores": [1 - p, p]}),
        ("binary:logitraw", lambda p: {
            "predicted_label": int(p > 0), "labels": [0, 1], "raw_score": p, "raw_scores": [1 - p, p]}),
        ("binary:hinge", lambda p: {
            "predicted_label": p, "labels": [0, 1], "raw_score": p, "raw_scores": [1 - p, p]}),
        ("reg:squarederror", lambda p: {"predicted_score": p}),
        ("reg:tweedie", lambda p: {"predicted_score": p}),
    ],
)  # fmt: skip
def test_selectable_inference(tmp_path: Path, objective: str, expected: Callable[[float], dict[str, Any]]) -> None:
    keys = ", ".join(encode.VALID_KEYS[objective]).upper()
    raw, answer = _selected(tmp_path, objective, keys)
    assert answer.status == 200
    assert json.loads(answer.body) == {"predictions": [expected(raw.tolist()[0])]}


def test_selectable_inference_with_classes(tmp_path: Path) -> None:
    raw, answer = _selected(tmp_path, "multi:softprob", "predicted_label,probability,probabilities,labels", **SOFT)
    row = raw.tolist()[0]
    expected = {
        "predicted_label": int(np.argmax(row)), "probability": max(row), "probabilities": row, "labels": [0, 1, 2],
    }  # fmt: skip
    assert json.loads(answer.body) == {"predictions": [expected]}


def test_selectable_inference_formats(tmp_path: Path) -> None:
    raw, answer = _selected(tmp_path, "binary:logistic", "probabilities,predicted_label", "text/csv")
    p = raw.tolist()[0]
    assert answer.body.decode() == f'"[{1 - p}, {p}]",{int(p > 0.5)}'
    _, answer = _selected(tmp_path, "binary:logistic", "predicted_label", "application/jsonlines")
    assert answer.body.decode() == f'{{"predicted_label": {int(p > 0.5)}}}\n'
    _, answer = _selected(tmp_path, "binary:logistic", "probability", "application/x-recordio-protobuf")
    assert answer.body[:4] == b"\x0a\x23\xd7\xce"
    assert np.float32(p).tobytes() in answer.body


def test_selectable_inference_mismatches(tmp_path: Path) -> None:
    _, answer = _selected(tmp_path, "reg:squarederror", "predicted_score,probability", "text/csv")
    assert answer.body.decode().endswith(",nan")
    _, answer = _selected(tmp_path, "reg:squarederror", "probability")
    assert answer.body == b'{"predictions": [{"probability": NaN}]}'
    _, answer = _selected(tmp_path, "count:poisson", "predicted_score")
    assert answer.status == 500
    assert b"unsupported for selectable inference predictions" in answer.body


def test_keys_come_in_the_order_of_the_container(tmp_path: Path) -> None:
    raw, answer = _selected(tmp_path, "binary:logistic", "probability,predicted_score,labels,predicted_label")
    found = json.loads(answer.body)["predictions"][0]
    assert list(found) == ["predicted_label", "labels", "probability", "predicted_score"]
    _, answer = _selected(tmp_path, "binary:logistic", "probability,predicted_label", "text/csv")
    assert answer.body.decode() == f"{raw.tolist()[0]},{int(raw[0] > 0.5)}"


def old_pickle(model: xgb.Booster, **state: Any) -> bytes:
    """A pickle as XGBoost before 1.0 wrote it: the raw model is in the state of the Booster."""
    raw = model.save_raw(raw_format="deprecated")
    members = pickle.dumps({"handle": raw, "feature_names": None, "feature_types": None, **state}, protocol=3)
    return b"\x80\x03cxgboost.core\nBooster\n)\x81" + members[2:-1] + b"b."


def test_pickles_of_old_versions_are_served(tmp_path: Path) -> None:
    model = booster("reg:squarederror")
    (tmp_path / "xgboost-model").write_bytes(old_pickle(model))
    answer = ask(XGBoostServer.load(tmp_path, {TAG: "0.90-1"}), csv_body(ROWS[:3]))
    assert answer.body.decode() == ",".join(map(str, model.predict(xgb.DMatrix(ROWS[:3])).tolist()))
    (tmp_path / "xgboost-model").write_bytes(old_pickle(model, best_ntree_limit=2))
    answer = ask(XGBoostServer.load(tmp_path, {TAG: "0.90-1"}), csv_body(ROWS[:3]))
    best = model.predict(xgb.DMatrix(ROWS[:3]), iteration_range=(0, 2)).tolist()
    assert answer.body.decode() == ",".join(map(str, best))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (pickle.dumps(xgb.XGBClassifier()), "'XGBClassifier' object has no attribute 'set_param'"),
        (pickle.dumps({"a": 1}), "'dict' object has no attribute 'set_param'"),
        (b"no model", "cannot be loaded:\nPickle load error="),
        (b"", "cannot be loaded:\nPickle load error=Ran out of input\nXGB load model error="),
    ],
)
def test_what_is_no_model(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "xgboost-model").write_bytes(content)
    with pytest.raises((AlgorithmError, AttributeError)) as error:
        XGBoostServer.load(tmp_path, {})
    assert text in str(error.value)


def test_models_of_every_format_answer_alike(tmp_path: Path) -> None:
    model = booster("reg:squarederror")
    bodies = set()
    for name in ("a.json", "b.ubj", "c.deprecated", "d.pkl"):
        folder = tmp_path / name
        folder.mkdir()
        if name.endswith("pkl"):
            (folder / name).write_bytes(pickle.dumps(model))
        else:
            model.save_model(folder / name)
        bodies.add(ask(XGBoostServer.load(folder, {}), csv_body(ROWS)).body)
    assert len(bodies) == 1
