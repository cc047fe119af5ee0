"""Training jobs as real processes: channels, artifacts, secondary statuses, metrics, checkpoints."""

from __future__ import annotations

import io
import json
import tarfile
from itertools import pairwise

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.jobs.record_io import record
from tests.component.jobs.world import BUCKET, channel
from tests.support import XGBOOST, until

SAVE = "import pathlib; pathlib.Path('/opt/ml/model/model.bin').write_text('weights')"


def members(data: bytes | None) -> dict[str, str]:
    """The files of a tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(data or b"")) as archive:
        return {m.name: (archive.extractfile(m) or io.BytesIO()).read().decode() for m in archive if m.isfile()}


def test_a_job_from_channels_to_artifacts(world):
    train, other = world.put("data/train/a.csv", "1,2"), world.put("data/other", "x")
    script = (
        "import json, os, pathlib\n"
        "config = pathlib.Path('/opt/ml/input/config')\n"
        "data = {p.name: json.loads(p.read_text()) for p in config.glob('*.json')}\n"
        "data['env'] = {k: os.environ[k] for k in ('TRAINING_JOB_NAME', 'TRAINING_JOB_ARN', 'MINE')}\n"
        "data['csv'] = pathlib.Path('/opt/ml/input/data/train/a.csv').read_text()\n"
        "pathlib.Path('/opt/ml/output/data/seen.json').write_text(json.dumps(data))\n"
        "pathlib.Path('/opt/ml/model/sub').mkdir()\n"
        "pathlib.Path('/opt/ml/model/sub/model.bin').write_text('weights')\n"
        "print('loss=0.5;'); print('loss=0.12345;')\n"
    )
    job = world.trained(
        "whole", script,
        channels=[channel("train", train.rsplit("/", 1)[0], ContentType="text/csv"), channel("other", other)],
        HyperParameters={"depth": "3"}, Environment={"MINE": "1"},
        algorithm={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}]},
    )  # fmt: skip
    assert job["TrainingJobStatus"] == "Completed", world.log("TrainingJobs", "whole")
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": f"s3://{BUCKET}/out/whole/output/model.tar.gz"}
    assert members(world.get("out/whole/output/model.tar.gz")) == {"sub/model.bin": "weights"}
    seen = json.loads(members(world.get("out/whole/output/output.tar.gz"))["seen.json"])
    assert seen["hyperparameters.json"] == {"depth": "3"}
    assert seen["inputdataconfig.json"]["train"] == {
        "ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }  # fmt: skip
    assert "ContentType" not in seen["inputdataconfig.json"]["other"]
    assert seen["resourceconfig.json"]["current_group_name"] == "homogeneousCluster"
    assert seen["resourceconfig.json"]["instance_groups"][0]["hosts"] == ["algo-1"]
    assert seen["env"] == {"TRAINING_JOB_NAME": "whole", "TRAINING_JOB_ARN": job["TrainingJobArn"], "MINE": "1"}
    assert seen["csv"] == "1,2"
    (metric,) = job["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("loss", 0.12345000356435776)
    transitions = job["SecondaryStatusTransitions"]
    assert [t["Status"] for t in transitions] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(a["EndTime"] == b["StartTime"] for a, b in pairwise(transitions))
    assert transitions[-1]["StatusMessage"] == "Training job completed"
    assert job["SecondaryStatus"] == "Completed"
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1
    assert job["TrainingStartTime"] <= job["TrainingEndTime"]


def test_a_failure_keeps_its_output_and_tells_its_reason(world):
    script = (
        "import pathlib\n"
        "pathlib.Path('/opt/ml/output/data/trace').write_text('t')\n"
        "pathlib.Path('/opt/ml/model/half').write_text('m')\n"
        "pathlib.Path('/opt/ml/output/failure').write_text('framework error: x')\n"
        "raise SystemExit(1)\n"
    )
    job = world.trained("fails", script)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "AlgorithmError: framework error: x, exit code: 1"
    assert "ModelArtifacts" not in job
    assert world.keys("out/fails/") == ["out/fails/output/output.tar.gz"]


def test_an_empty_model_is_a_success_without_an_object(world):
    job = world.trained("empty", "pass")
    assert job["TrainingJobStatus"] == "Completed"
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/empty/output/model.tar.gz")
    assert world.keys("out/empty/") == []


def test_artifacts_can_stay_uncompressed(world):
    job = world.trained("plain", SAVE, output={"CompressionType": "NONE"})
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": f"s3://{BUCKET}/out/plain/output/model/"}
    assert world.get("out/plain/output/model/model.bin") == b"weights"


def test_models_of_several_hosts_are_merged(world):
    script = (
        "import json, pathlib\n"
        "host = json.load(open('/opt/ml/input/config/resourceconfig.json'))['current_host']\n"
        "pathlib.Path('/opt/ml/model', host).write_text(host)\n"
        "pathlib.Path('/opt/ml/model/same').write_text(host)\n"
    )
    world.trained("merged", script, hosts=2)
    found = members(world.get("out/merged/output/model.tar.gz"))
    assert found == {"algo-1": "algo-1", "algo-2": "algo-2", "same": "algo-2"}


def test_a_job_past_its_time_keeps_its_model(world):
    job = world.trained("slow", f"{SAVE}; import time; time.sleep(300)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert members(world.get("out/slow/output/model.tar.gz")) == {"model.bin": "weights"}
    assert "FailureReason" not in job


def test_a_stopped_job_saves_its_model_when_asked_to_end(world):
    script = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n    pathlib.Path('/opt/ml/model/model.bin').write_text('weights'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(300)\n"
    )
    name = world.train("stopped", script)
    until(lambda: "up" in world.log("TrainingJobs", name), "the script runs")
    world.do("StopTrainingJob", TrainingJobName=name)
    job = world.ended("training-job", name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert [t["Status"] for t in job["SecondaryStatusTransitions"]][-2:] == ["Stopping", "Stopped"]
    assert members(world.get("out/stopped/output/model.tar.gz")) == {"model.bin": "weights"}


def test_checkpoints_are_mirrored_with_their_deletions(world):
    world.put("check/old", "0")
    world.put("check/gone", "0")
    script = (
        "import os, pathlib, time\n"
        "place = pathlib.Path('/opt/ml/checkpoints')\n"
        "assert (place / 'old').read_text() == '0'\n"
        "(place / 'gone').unlink()\n"
        "(place / 'deep').mkdir(); (place / 'deep' / 'new').write_text('1')\n"
        "(place / 'new.sagemaker-ignore').write_text('1')\n"
        "while not (place / 'go').exists(): time.sleep(0.02)\n"
    )
    name = world.train("checkpoints", script, CheckpointConfig={"S3Uri": f"s3://{BUCKET}/check"})
    until(lambda: world.keys("check/") == ["check/deep/new", "check/old"], "the mirror shows what the job did")
    (world.settings.jobs / "training-job-checkpoints" / "algo-1" / "ml" / "checkpoints" / "go").touch()
    job = world.ended("training-job", name)
    assert job["TrainingJobStatus"] == "Completed", world.log("TrainingJobs", name)
    assert job["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"
    assert world.keys("check/") == ["check/deep/new", "check/go", "check/old"]


def test_pipe_channels_start_again_each_epoch(world):
    world.put("piped/a", "12")
    world.put("piped/b", "34")
    script = "print([open(f'/opt/ml/input/data/piped_{n}').read() for n in range(3)])"
    job = world.trained("pipes", script, channels=[channel("piped", f"s3://{BUCKET}/piped/", InputMode="Pipe")])
    assert job["TrainingJobStatus"] == "Completed", world.log("TrainingJobs", "pipes")
    assert world.script_log("TrainingJobs", "pipes") == "['1234', '1234', '1234']\n"


def test_built_in_algorithms_get_their_metrics(world):
    uri = world.put("builtin/a.csv", "1,2\n")
    world.do(
        "CreateTrainingJob", TrainingJobName="built-in", RoleArn=world.settings.role_arn,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        InputDataConfig=[channel("train", uri)], OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )  # fmt: skip
    created = world.do("DescribeTrainingJob", TrainingJobName="built-in")
    names = [definition["Name"] for definition in created["AlgorithmSpecification"]["MetricDefinitions"]]
    assert {"train:rmse", "validation:auc"} <= set(names)
    job = world.ended("training-job", "built-in")
    assert job["FailureReason"].startswith("AlgorithmError: ")  # num_round is missing: the container says so
    assert "num_round" in job["FailureReason"]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"channels": [channel("x", "s3://bucket/none")]}, "No S3 objects found under S3 URL"),
        ({"channels": [channel("code", "s3://bucket/code")]}, "must be unique"),
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds. It must be present"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}},
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true",
        ),
        ({"CheckpointConfig": {"S3Uri": "s3://bucket/c", "LocalPath": "/etc"}}, "must be below /opt/ml"),
        ({"algorithm": {"TrainingImage": "nowhere/unknown:1"}}, "is not known here.*the program train "),
        (
            {"algorithm": {"TrainingImage": XGBOOST, "MetricDefinitions": [{"Name": "a", "Regex": "a=(.*)"}]}},
            r"You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request "
            "without specifying metric definitions.",
        ),
        (
            {
                "channels": [
                    channel("a", f"s3://{BUCKET}/code/", InputMode="Pipe"),
                    channel("b", f"s3://{BUCKET}/code/", InputMode="FastFile"),
                ]
            },
            "Cannot use both 'Pipe' and 'FastFile' TrainingInputMode on the same Training Job.",
        ),
        ({"output": {"S3OutputPath": "not-a-uri"}}, "is not an S3 URI"),
    ],
)
def test_requests_that_are_refused(world, change, part):
    world.put("code/x", "x")
    with pytest.raises(ValidationError, match=part):
        world.train("refused", "pass", **change)
    with pytest.raises(ValidationError, match=r"^Requested resource not found\.$"):
        world.do("DescribeTrainingJob", TrainingJobName="refused")


def test_update_and_delete(world):
    job = world.trained("finished", "pass")
    with pytest.raises(ValidationError, match="is in status Completed"):
        world.do("UpdateTrainingJob", TrainingJobName="finished", ResourceConfig={"KeepAlivePeriodInSeconds": 5})
    name = world.train("runs", "import time; time.sleep(300)")
    world.do("UpdateTrainingJob", TrainingJobName=name, ResourceConfig={"KeepAlivePeriodInSeconds": 5})
    assert world.do("DescribeTrainingJob", TrainingJobName=name)["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 5
    with pytest.raises(ValidationError, match="is in status InProgress"):
        world.do("DeleteTrainingJob", TrainingJobName=name)
    world.do("StopTrainingJob", TrainingJobName=name)
    world.ended("training-job", name)
    world.do("DeleteTrainingJob", TrainingJobName=job["TrainingJobName"])
    summaries = world.do("ListTrainingJobs", NameContains="finished")["TrainingJobSummaries"]
    assert summaries == []


def test_what_is_for_tensorboard_goes_where_the_sdk_looks_for_it(world):
    script = (
        "import pathlib\n"
        "folder = pathlib.Path('/opt/ml/output/tensorboard/run')\n"
        "folder.mkdir(parents=True)\n"
        "(folder / 'events').write_text('e')\n"
    )
    job = world.trained("board", script, TensorBoardOutputConfig={"S3OutputPath": f"s3://{BUCKET}/boards"})
    assert job["TensorBoardOutputConfig"]["LocalPath"] == "/opt/ml/output/tensorboard"
    assert world.keys("boards") == ["boards/board/tensorboard-output/run/events"]
    with pytest.raises(ValidationError, match=r"TensorBoardOutputConfig\.LocalPath must be below /opt/ml"):
        world.train(
            "outside", "", TensorBoardOutputConfig={"S3OutputPath": f"s3://{BUCKET}/boards", "LocalPath": "/var/x"}
        )


def test_objects_are_record_io_records_in_a_pipe(world):
    world.put("raw/a", "first")
    world.put("raw/b", "second!!")
    script = (
        "data = open('/opt/ml/input/data/raw_0', 'rb').read()\n"
        "open('/opt/ml/output/data/got', 'w').write(data.hex())\n"
        "open('/opt/ml/model/m', 'w').close()\n"
    )
    raw = channel("raw", f"s3://{BUCKET}/raw/", InputMode="Pipe", RecordWrapperType="RecordIO")
    job = world.trained("records", script, channels=[raw])
    assert job["TrainingJobStatus"] == "Completed", world.log("TrainingJobs", "records")
    got = bytes.fromhex(members(world.get("out/records/output/output.tar.gz"))["got"])
    header = b"\x0a\x23\xd7\xce"
    assert got == header + b"\x05\0\0\0first\0\0\0" + header + b"\x08\0\0\0second!!"


def test_a_long_record_has_several_parts():
    parts = b"".join(record(b"abcdefghij", longest=4))
    header = b"\x0a\x23\xd7\xce"
    first, middle, last = (bytes([size, 0, 0, flag << 5]) for size, flag in ((4, 1), (4, 2), (2, 3)))
    assert parts == header + first + b"abcd" + header + middle + b"efgh" + header + last + b"ij\0\0"
    assert b"".join(record(b"")) == header + bytes(4)


def test_no_job_has_a_warm_pool_or_a_training_plan(world):
    world.trained("listed", SAVE)
    assert world.do("ListTrainingJobs", NameContains="listed")["TrainingJobSummaries"]
    assert world.do("ListTrainingJobs", WarmPoolStatusEquals="Available") == {"TrainingJobSummaries": []}
    assert world.do("ListTrainingJobs", TrainingPlanArnEquals="arn:aws:x") == {"TrainingJobSummaries": []}


@pytest.mark.parametrize("expression", ["loss=(", "a{3}{2}{", "(?P<n>a)(?P<n>b)"])
def test_a_metric_whose_expression_is_none_is_refused(world, expression):
    with pytest.raises(ValidationError, match="Regex of metric 'loss' is not valid"):
        world.train("never", "", algorithm={"MetricDefinitions": [{"Name": "loss", "Regex": expression}]})


def test_a_metric_that_takes_for_ever_to_find_does_not_hold_the_job(world):
    slow = {"Name": "slow", "Regex": "(a|aa)+$"}
    loss = {"Name": "loss", "Regex": "loss=([0-9.]+)"}
    script = f"{SAVE}\nprint('a' * 80 + '!')\nprint('loss=3')"
    job = world.trained("patient", script, algorithm={"MetricDefinitions": [slow, loss]})
    assert job["TrainingJobStatus"] == "Completed"
    assert [one["MetricName"] for one in job["FinalMetricDataList"]] == ["loss"]
