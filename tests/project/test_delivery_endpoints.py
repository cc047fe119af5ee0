"""``model-registry``: deploying, asking and cleaning up, as its user sees them, against the service."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from delivery import command_line, endpoints, ownership
from delivery.clients import Clients
from delivery.endpoints import Deployment, State
from delivery.errors import DeliveryError
from tests.commands import run_command
from tests.project.delivering import mistaken, register, registry, regressor, run, upload
from tests.support import COMMANDS, ROLE, Service, until

ROWS = [[0.25, 0.5], [0.75, 0.125]]
CSV = "0.25,0.5\n0.75,0.125\n"


def predicted(depth: int = 2) -> list[float]:
    """What the model says of ``ROWS``, asked directly."""
    import numpy
    import xgboost

    return [float(value) for value in regressor(depth)[1].predict(xgboost.DMatrix(numpy.array(ROWS, "float32")))]


def versions(service: Service, group: str, *approvals: str) -> None:
    """A group with a version for each approval; each has a model of its own."""
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
    for number, approval in enumerate(approvals):
        uri = upload(service, f"{group}-{number}", depth=number + 1)
        register(service, group, uri, ModelApprovalStatus=approval)


@pytest.fixture(scope="module")
def deployed(service: Service) -> str:
    """The endpoint of the latest approved of three versions."""
    versions(service, "e-shared", "Approved", "Approved", "Rejected")
    said = registry(service, "deploy", "e-shared", "--endpoint", "e-shared")
    assert said.startswith("endpoint e-shared created: e-shared/2 on 1 x ml.m5.large")
    assert "endpoint e-shared: InService" in said
    return "e-shared"


def test_the_latest_approved_version_is_served(service: Service, deployed: str) -> None:
    sagemaker = service.client("sagemaker")
    described = sagemaker.describe_endpoint(EndpointName=deployed)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    assert model["Containers"][0]["ModelPackageName"].endswith("/e-shared/2")
    for arn in (described["EndpointArn"], config["EndpointConfigArn"], model["ModelArn"]):
        tags = ownership.as_mapping(sagemaker.list_tags(ResourceArn=arn)["Tags"])
        assert tags == ownership.make_mapping("model-registry", "e-shared")


def test_a_row_a_file_and_the_standard_input_are_answered_alike(
    service: Service, deployed: str, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(CSV)
    answers = [
        registry(service, "invoke", deployed, CSV),
        registry(service, "invoke", deployed, "--file", str(file)),
        registry(service, "invoke", deployed, input=CSV),
        registry(service, "invoke", deployed, "-", input=CSV),
    ]
    assert [[float(line) for line in answer.split()] for answer in answers] == [predicted()] * 4


def test_content_type_and_accept_reach_the_model(service: Service, deployed: str) -> None:
    said = registry(
        service, "invoke", deployed, "0:0.25 1:0.5", "--content-type", "text/libsvm", "--accept", "application/json"
    )
    assert json.loads(said) == {"predictions": [{"score": pytest.approx(predicted()[0])}]}


def test_deploying_the_same_again_changes_nothing(service: Service, deployed: str) -> None:
    sagemaker = service.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName=deployed)
    assert "endpoint e-shared unchanged" in registry(service, "deploy", "e-shared/2", "--endpoint", deployed)
    after = sagemaker.describe_endpoint(EndpointName=deployed)
    assert after["LastModifiedTime"] == before["LastModifiedTime"]


def test_deploying_another_version_updates_the_endpoint(service: Service) -> None:
    versions(service, "e-update", "Approved", "Approved")
    registry(service, "deploy", "e-update/1")
    first = registry(service, "invoke", "e-update", CSV)
    said = registry(service, "deploy", "e-update/2", "--instance-count", "2", "--instance-type", "ml.c5.large")
    assert "endpoint e-update updated: e-update/2 on 2 x ml.c5.large" in said
    second = registry(service, "invoke", "e-update", CSV)
    assert [float(line) for line in first.split()] == predicted(1)
    assert [float(line) for line in second.split()] == predicted(2)


def test_data_capture_keeps_requests_and_answers(service: Service) -> None:
    versions(service, "e-capture", "Approved")
    service.client("s3").create_bucket(Bucket="e-capture")
    words = ("deploy", "e-capture", "--data-capture", "100", "--capture-to", "s3://e-capture/kept")
    registry(service, *words)
    answer = registry(service, "invoke", "e-capture", "0.25,0.5")
    config = service.client("sagemaker").describe_endpoint(EndpointName="e-capture")["DataCaptureConfig"]
    assert (config["CaptureStatus"], config["CurrentSamplingPercentage"]) == ("Started", 100)
    registry(service, "clean-up", "e-capture", "--keep", "data", "--keep", "versions")  # which delivers what is left
    s3 = service.client("s3")
    captured = until(lambda: s3.list_objects_v2(Bucket="e-capture").get("Contents"), "something is captured")
    line = json.loads(s3.get_object(Bucket="e-capture", Key=captured[0]["Key"])["Body"].read().splitlines()[0])
    assert captured[0]["Key"].startswith("kept/e-capture/AllTraffic/")
    assert line["captureData"]["endpointInput"]["data"] == "0.25,0.5"
    assert line["captureData"]["endpointOutput"]["data"] == answer


def test_no_wait_returns_and_wait_waits(service: Service) -> None:
    versions(service, "e-wait", "Approved")
    said = registry(service, "deploy", "e-wait", "--no-wait")
    assert "model-registry wait e-wait" in said
    assert "endpoint e-wait: InService" in registry(service, "wait", "e-wait")


def test_an_endpoint_that_fails_says_why_and_is_replaced(service: Service) -> None:
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    s3.create_bucket(Bucket="e-failed")
    s3.put_object(Bucket="e-failed", Key="model.tar.gz", Body=b"\x1f\x8bno archive")
    sagemaker.create_model_package_group(ModelPackageGroupName="e-failed")
    register(service, "e-failed", "s3://e-failed/model.tar.gz", ModelApprovalStatus="Approved")
    done = run_command(service, "model-registry", "deploy", "e-failed", check=False)
    assert done.returncode == 1
    reason = sagemaker.describe_endpoint(EndpointName="e-failed")["FailureReason"]
    assert f"model-registry: the endpoint e-failed is Failed: {reason}" in done.stderr
    register(service, "e-failed", upload(service, "e-failed-good"), ModelApprovalStatus="Approved")
    assert "endpoint e-failed created: e-failed/2" in registry(service, "deploy", "e-failed")


def test_a_bad_update_leaves_the_old_version_serving(service: Service) -> None:
    versions(service, "e-back", "Approved")
    registry(service, "deploy", "e-back")
    s3 = service.client("s3")
    s3.create_bucket(Bucket="e-back-bad")
    s3.put_object(Bucket="e-back-bad", Key="model.tar.gz", Body=b"\x1f\x8bno archive")
    register(service, "e-back", "s3://e-back-bad/model.tar.gz", ModelApprovalStatus="Approved")
    done = run_command(service, "model-registry", "deploy", "e-back", check=False)
    assert done.returncode == 1 and "was rolled back, e-back/1 still serves" in done.stderr
    assert float(registry(service, "invoke", "e-back", "0.25,0.5")) == predicted(1)[0]


MISTAKES = [
    (["invoke", "e-shard", "1,2"], 1, "there is no endpoint e-shard; did you mean e-shared?"),
    (["invoke", "e-shared", "1,2,3"], 1, "the model returned status 400: Unable to evaluate payload provided"),
    (["invoke", "e-shared", "1,2", "--content-type", "text/plain"], 1, "the model returned status 415"),
    (["invoke", "e-shared", "1,2", "--accept", "text/plain"], 1, "the model returned status 406"),
    (["invoke", "e-shared", "1,2", "--target-model", "x.tar.gz"], 1, "not a multi-model endpoint"),
    (["invoke", "e-shared", "1,2", "--file", "x.csv"], 1, "a row or --file, not both"),
    (["invoke", "e-shared", "--file", "no-such.csv"], 1, "--file no-such.csv: No such file or directory"),
    (["wait", "e-shard"], 1, "there is no endpoint e-shard; did you mean e-shared?"),
    (["deploy", "e-shared/3"], 1, "e-shared/3 is Rejected: approve it first"),
    (["deploy", "e-shared", "--capture-to", "s3://x"], 1, "--capture-to goes with --data-capture"),
    (["deploy", "e-shared", "--data-capture", "101"], 2, "101 is not a number from 0 to 100"),
    (["deploy", "e-shared", "--instance-count", "0"], 2, "0 is not a number from 1"),
    (["clean-up", "--made-by", "model-regstry"], 2, "did you mean model-registry?"),
]


@pytest.mark.parametrize(("words", "code", "text"), MISTAKES, ids=[" ".join(words)[:50] for words, _, _ in MISTAKES])
def test_a_mistake_is_one_line_that_helps(
    service: Service, deployed: str, capsys: pytest.CaptureFixture[str], words: list[str], code: int, text: str
) -> None:
    assert text in mistaken(service, capsys, words, code)


def test_a_body_that_is_too_large_is_not_sent(service: Service, deployed: str, tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(b"1" * 6_291_457)
    said = registry(service, "invoke", deployed, "--file", str(file), fails=1)
    assert "6291457 bytes are more than the 6291456" in said


def test_clean_up_takes_what_was_made_and_nothing_else(service: Service) -> None:
    sagemaker, uri = service.client("sagemaker"), upload(service, "e-clean")
    sagemaker.create_model_package_group(ModelPackageGroupName="e-clean-theirs")
    theirs = register(service, "e-clean-theirs", uri)
    for group in ("e-clean", "e-clean-theirs"):
        registry(service, "register", group, "--model-data", uri, "--image", "x:1", "--approved")
        registry(service, "register", group, "--model-data", uri, "--approved")
        registry(service, "deploy", group)
    rehearsed = registry(service, "clean-up", "e-clean", "--dry-run")
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in rehearsed.splitlines() if "│" in line]
    kinds = [row[0] for row in rows if row[0] != "What"]
    assert kinds == ["endpoint", "endpoint configuration", "model", "model version", "model version", "model group"]
    requests = [line for line in rehearsed.splitlines() if line.startswith("would send: ")]
    assert requests[:2] == [
        "would send: sagemaker delete_endpoint EndpointName=e-clean",
        "would send: logs delete_log_group logGroupName=/aws/sagemaker/Endpoints/e-clean",
    ]
    assert requests[-1] == "would send: sagemaker delete_model_package_group ModelPackageGroupName=e-clean"
    hourly = next(row for row in rows if row[0] == "endpoint")
    assert hourly[2] == "per instance hour" and hourly[3].startswith("1 x ml.m5.large since ")
    assert sagemaker.describe_endpoint(EndpointName="e-clean")["EndpointStatus"] == "InService"

    done = registry(service, "clean-up", "e-clean")
    assert "deleted: endpoint e-clean\n" in done and "Nothing of it is billed any more." in done
    assert (
        registry(service, "clean-up", "e-clean") == "There is nothing to clean up, and nothing that would be billed.\n"
    )
    for gone in (
        lambda: sagemaker.describe_endpoint(EndpointName="e-clean"),
        lambda: sagemaker.describe_model_package_group(ModelPackageGroupName="e-clean"),
    ):
        with pytest.raises(ClientError):
            gone()

    registry(service, "clean-up", "e-clean-theirs")
    left = sagemaker.list_model_packages(ModelPackageGroupName="e-clean-theirs")["ModelPackageSummaryList"]
    assert [item["ModelPackageArn"] for item in left] == [theirs]
    assert service.client("s3").head_object(Bucket="e-clean", Key="model.tar.gz")


def test_clean_up_says_what_it_waits_for(service: Service) -> None:
    versions(service, "e-busy", "Approved", "Approved")
    registry(service, "deploy", "e-busy/1")
    registry(service, "deploy", "e-busy/2", "--no-wait", "--instance-count", "2", "--traffic", "canary",
             "--traffic-size", "50%", "--traffic-wait", "8")  # fmt: skip
    lines = registry(service, "clean-up", "e-busy").splitlines()
    waiting = next(number for number, line in enumerate(lines) if line.startswith("endpoint e-busy is Updating"))
    assert lines[waiting].endswith(": waiting until it can be deleted")
    assert waiting < lines.index("deleted: endpoint e-busy")


def test_ctrl_c_ends_with_130() -> None:
    def interrupted(_: command_line.CommandContext) -> None:
        raise KeyboardInterrupt

    made = command_line.parser("model-registry", "", "")
    made.set_defaults(command=interrupted)
    assert command_line.run("model-registry", "delivery", made, []) == 130


class Described:
    """A SageMaker client that answers one description after the other, the last for ever."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"EndpointStatus": status, "EndpointConfigName": "c"}


def client_of(*statuses: str) -> Clients:
    clients = Clients("us-east-1")
    clients.__dict__["sagemaker"] = Described(*statuses)
    return clients


def test_waiting_shows_every_state_and_ends_in_service() -> None:
    seen = list(endpoints.wait(client_of("Creating", "Creating", "InService"), "e", "c", timeout=60))
    assert [state.status for state in seen] == ["Creating", "Creating", "InService"]


def test_waiting_ends_after_the_time_out_and_says_how_to_go_on() -> None:
    with pytest.raises(DeliveryError, match=r"still Creating after 0 s.*model-registry wait e"):
        list(endpoints.wait(client_of("Creating"), "e", None, timeout=0))


def test_names_follow_from_contents() -> None:
    def named(**changes: Any) -> tuple[str, str]:
        given: dict[str, Any] = {"endpoint": "e" * 63, "container": {"ModelPackageName": "a"}, "role": ROLE, "tags": []}
        deployment = Deployment(**{**given, **changes})
        return deployment.model, deployment.configuration

    model, configuration = named()
    assert named() == (model, configuration)
    assert len(model) <= 63 and len(configuration) <= 63
    assert named(instance_count=2)[0] == model and named(instance_count=2)[1] != configuration
    assert named(revision="later")[0] != model and named(container={"ModelPackageName": "b"})[0] != model


def test_a_state_knows_whether_it_changes() -> None:
    assert State("RollingBack", "c", "", 0).changing and not State("Failed", "c", "", 0).changing


def test_local_puts_the_same_command_on_this_machine(service: Service, deployed: str) -> None:
    environment = {**os.environ, "LOCAL_SAGEMAKER_HOME": str(service.home)}
    command = [str(COMMANDS / "model-registry"), "--local", "invoke", deployed, "0.25,0.5"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == predicted()[0]


def test_without_credentials_local_is_offered() -> None:
    command = [str(COMMANDS / "model-registry"), "list"]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr == (
        "model-registry: there are no AWS credentials; configure some, or add --local to stay on this machine\n"
    )


def test_a_reader_that_leaves_is_no_error(service: Service, deployed: str) -> None:
    assert run(service, "bash", "-c", "model-registry list --json | head -c 1").stderr == ""
