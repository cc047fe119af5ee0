"""Processing jobs as real processes: the container contract, failures by category, limits."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from local_sagemaker.errors import ResourceInUse, ValidationError
from tests.component.jobs.world import BUCKET, processing_input, processing_outputs
from tests.support import ROLE, SCIKIT_LEARN, until

RESOURCES = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}}


def test_inputs_become_files_and_files_become_objects(world):
    world.put("in/data/a.csv", "1,2\n")
    world.put("in/data/sub/b.csv", "3,4\n")
    script = (
        "import pathlib, sys\n"
        "root = pathlib.Path('/opt/ml/processing')\n"
        "text = ''.join(p.read_text() for p in sorted((root / 'input/data').rglob('*.csv')))\n"
        "(root / 'result' / 'deep').mkdir()\n"
        "(root / 'result' / 'deep' / 'all.csv').write_text(text + ' '.join(sys.argv[1:]))\n"
        "(root / 'result' / 'link').symlink_to('/etc/passwd')\n"
        "pathlib.Path('/opt/ml/output/message').write_text('done')\n"
    )
    job = world.processed(
        "in-out", script, "--flag", "x",
        inputs=[processing_input("data", f"s3://{BUCKET}/in/data")],
        ProcessingOutputConfig=processing_outputs("result"),
    )  # fmt: skip
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "done")
    assert world.keys("result") == ["result/deep/all.csv"]
    assert world.get("result/deep/all.csv") == b"1,2\n3,4\n--flag x"
    assert "FailureReason" not in job
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert job["ProcessingInputs"][1]["S3Input"]["S3DataDistributionType"] == "FullyReplicated"
    until(lambda: not (world.settings.jobs / "processing-job-in-out").exists(), "the job's folder is removed")
    (component,) = world.do("ListTrialComponents")["TrialComponentSummaries"]
    assert component["TrialComponentName"] == "in-out-aws-processing-job", "every job has one since it was started"
    assert component["TrialComponentSource"]["SourceArn"] == job["ProcessingJobArn"]
    assert component["Status"]["PrimaryStatus"] == "Completed"
    world.do("DeleteProcessingJob", ProcessingJobName="in-out")
    world.processed("in-out", "print(1)")
    assert len(world.do("ListTrialComponents")["TrialComponentSummaries"]) == 1, "a new job takes the deleted one's"


FAILURES = [
    ("raises", "raise ValueError('no')", "AlgorithmError: , exit code: 1"),
    ("exits", "import sys; sys.exit(3)", "AlgorithmError: , exit code: 3"),
    ("killed", "import os; os.kill(os.getpid(), 9)", "AlgorithmError: , exit code: 137"),
    (
        "explains",
        "open('/opt/ml/output/failure', 'w').write('Error: bad column'); raise SystemExit(255)",
        "AlgorithmError: Error: bad column, exit code: 255",
    ),
    (
        "explains-at-length",
        "open('/opt/ml/output/failure', 'w').write('x' * 5000); raise SystemExit(1)",
        "AlgorithmError: " + "x" * (1024 - 16 - 14) + ", exit code: 1",
    ),
    (
        "long-message-not-text",
        r"open('/opt/ml/output/message', 'wb').write(b'x' * 3000 + b'\xff' + b'x' * 9000)",
        "ClientError: The exit message in /opt/ml/output/message is not UTF-8.",
    ),
    (
        "message-not-text",
        r"open('/opt/ml/output/message', 'wb').write(b'\xff\xfe\x00bad')",
        "ClientError: The exit message in /opt/ml/output/message is not UTF-8.",
    ),
]


@pytest.mark.parametrize(("name", "script", "reason"), FAILURES, ids=[row[0] for row in FAILURES])
def test_failures_are_worded_as_aws_words_them(world, name, script, reason):
    job = world.processed(name, script)
    assert (job["ProcessingJobStatus"], job["FailureReason"]) == ("Failed", reason)
    assert len(job["FailureReason"]) <= 1024


def test_a_missing_command_and_a_missing_output_bucket(world):
    world.do(
        "CreateProcessingJob", ProcessingJobName="no-command", RoleArn=ROLE,
        AppSpecification={"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["no-such-program"]},
        ProcessingResources=RESOURCES,
    )  # fmt: skip
    assert world.ended("processing-job", "no-command")["FailureReason"] == "AlgorithmError: , exit code: 127"
    outputs = processing_outputs("result")
    outputs["Outputs"][0]["S3Output"]["S3Uri"] = "s3://no-such-bucket/x"
    job = world.processed(
        "no-bucket", "open('/opt/ml/processing/result/a', 'w').write('x')", ProcessingOutputConfig=outputs
    )
    assert job["FailureReason"] == "ClientError: The specified bucket does not exist"


def test_outputs_of_a_failed_job_are_uploaded(world):
    script = "open('/opt/ml/processing/partial/a.txt', 'w').write('x'); raise SystemExit(1)"
    job = world.processed("partial", script, ProcessingOutputConfig=processing_outputs("partial"))
    assert job["ProcessingJobStatus"] == "Failed"
    assert world.keys("partial/") == ["partial/a.txt"]


def test_the_exit_message_is_cut_to_a_kilobyte(world):
    job = world.processed("long-message", "open('/opt/ml/output/message', 'w').write('m' * 3000)")
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "m" * 1024)
    job = world.processed("wide-message", "open('/opt/ml/output/message', 'w').write('\u20ac' * 3000)")
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "\u20ac" * 341)


def test_the_configuration_files(world):
    script = (
        "import json, pathlib, shutil\n"
        "shutil.copytree('/opt/ml/config', '/opt/ml/processing/config/c')\n"
        "print(sorted(str(p) for p in pathlib.Path('/opt/ml').iterdir()))\n"
    )
    world.processed("config", script, Environment={"A": "b"}, ProcessingOutputConfig=processing_outputs("config"))
    config = json.loads(world.get("config/c/processingjobconfig.json"))
    assert config["ProcessingJobName"] == "config"
    assert config["AppSpecification"]["ContainerArguments"] is None
    assert config["Environment"] == {"A": "b"}
    assert config["ProcessingInputs"][0]["S3Input"]["S3DownloadMode"] == "StartOfJob"
    assert config["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    resources = json.loads(world.get("config/c/resourceconfig.json"))
    assert (resources["current_host"], resources["hosts"]) == ("algo-1", ["algo-1"])
    assert "'/opt/ml/config', '/opt/ml/output', '/opt/ml/processing'" in world.log("ProcessingJobs", "config")


def test_the_environment_of_a_job(world, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVICE", "1")
    world.processed(
        "environment", "import os; print(sorted(os.environ)); print(os.environ['MINE'], os.environ['AWS_REGION'])",
        Environment={"MINE": "yes"},
    )  # fmt: skip
    printed = world.log("ProcessingJobs", "environment")
    assert "yes us-east-1" in printed
    assert "SECRET_OF_THE_SERVICE" not in printed
    assert "PYTHONUNBUFFERED" in printed


def test_continuous_outputs_are_there_while_the_job_runs(world):
    script = (
        "import os, time, pathlib\n"
        "pathlib.Path('/opt/ml/processing/live/first').write_text('1')\n"
        "while not os.path.exists('/opt/ml/processing/live/go'): time.sleep(0.02)\n"
        "pathlib.Path('/opt/ml/processing/live/last').write_text('2')\n"
    )
    name = world.process("live", script, ProcessingOutputConfig=processing_outputs("live", S3UploadMode="Continuous"))
    until(lambda: world.keys("live/") == ["live/first"], "the first file is uploaded")
    assert world.do("DescribeProcessingJob", ProcessingJobName=name)["ProcessingJobStatus"] == "InProgress"
    go = world.settings.jobs / "processing-job-live" / "algo-1" / "ml" / "processing" / "live" / "go"
    go.touch()
    assert world.ended("processing-job", name)["ProcessingJobStatus"] == "Completed"
    assert world.keys("live/") == ["live/first", "live/go", "live/last"]


def test_several_hosts_share_the_input_and_find_each_other(world):
    for number in range(5):
        world.put(f"shards/{number}.csv", str(number))
    script = (
        "import json, os, pathlib, socket\n"
        "config = json.load(open('/opt/ml/config/resourceconfig.json'))\n"
        "host, hosts = config['current_host'], config['hosts']\n"
        "addresses = sorted({socket.gethostbyname(h) for h in hosts})\n"
        "assert len(addresses) == len(hosts), addresses\n"
        "server = socket.create_server((socket.gethostbyname(host), 9099))\n"
        "if host != 'algo-1':\n"
        "    import time\n"
        "    for _ in range(500):\n"
        "        try: socket.create_connection(('algo-1', 9099)).close(); break\n"
        "        except OSError: time.sleep(0.02)\n"
        "else:\n"
        "    for _ in hosts[1:]: server.accept()\n"
        "names = sorted(os.listdir('/opt/ml/processing/input/shards'))\n"
        "pathlib.Path('/opt/ml/processing/found', host).write_text(' '.join(names))\n"
        "pathlib.Path('/opt/ml/output/message').write_text(host + '.')\n"
    )
    job = world.processed(
        "hosts", script, hosts=3, ProcessingOutputConfig=processing_outputs("found"),
        inputs=[processing_input("shards", f"s3://{BUCKET}/shards/", S3DataDistributionType="ShardedByS3Key")],
    )  # fmt: skip
    assert job["ProcessingJobStatus"] == "Completed", world.log("ProcessingJobs", "hosts")
    assert job["ExitMessage"] == "algo-1.algo-2.algo-3."
    shares = {key: (world.get(key) or b"").decode() for key in world.keys("found/")}
    assert shares == {"found/algo-1": "0.csv 3.csv", "found/algo-2": "1.csv 4.csv", "found/algo-3": "2.csv"}
    assert len(world.logs.streams("/aws/sagemaker/ProcessingJobs", "hosts/algo-")) == 3


def test_one_failing_host_fails_the_job_and_ends_the_others(world):
    script = (
        "import json, time\n"
        "if json.load(open('/opt/ml/config/resourceconfig.json'))['current_host'] == 'algo-2': raise SystemExit(7)\n"
        "time.sleep(300)\n"
    )
    job = world.processed("one-fails", script, hosts=2)
    assert (job["ProcessingJobStatus"], job["FailureReason"]) == ("Failed", "AlgorithmError: , exit code: 7")


def test_pipe_mode(world):
    world.put("pipe/a", "first ")
    world.put("pipe/b", "second")
    script = "print(''.join(open(f'/opt/ml/processing/input/piped/input_{n}').read() for n in range(2)))"
    job = world.processed(
        "pipe", script, inputs=[processing_input("piped", f"s3://{BUCKET}/pipe/", S3InputMode="Pipe")]
    )
    assert job["ProcessingJobStatus"] == "Completed", world.log("ProcessingJobs", "pipe")
    assert world.script_log("ProcessingJobs", "pipe") == "first secondfirst second\n"


def test_a_pipe_that_nobody_reads_does_not_hold_the_job(world):
    world.put("pipe/a", "first ")
    job = world.processed(
        "unread", "pass", inputs=[processing_input("piped", f"s3://{BUCKET}/pipe/", S3InputMode="Pipe")]
    )
    assert job["ProcessingJobStatus"] == "Completed"


def test_a_job_that_hangs_past_its_time_is_stopped(world):
    script = "import time; open('/opt/ml/processing/late/a', 'w').write('x'); time.sleep(300)"
    job = world.processed(
        "hangs", script, StoppingCondition={"MaxRuntimeInSeconds": 1}, ProcessingOutputConfig=processing_outputs("late")
    )
    assert job["ProcessingJobStatus"] == "Stopped"
    assert world.keys("late/") == ["late/a"]


def test_stop_is_a_signal_to_the_whole_group_then_a_kill(make_world):
    world = make_world(grace=0.5)
    stubborn = (
        "import signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
        "subprocess.Popen(['sleep', '300'])\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(1)\n"
    )
    name = world.process("stubborn", stubborn)
    until(lambda: "ready" in world.log("ProcessingJobs", name), "the script runs")
    world.do("StopProcessingJob", ProcessingJobName=name)
    job = world.ended("processing-job", name)
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "asked" in world.log("ProcessingJobs", name)
    assert world.statuses[job["ProcessingJobArn"]] == ["InProgress", "Stopping", "Stopped"]
    with pytest.raises(ValidationError, match="is in status Stopped"):
        world.do("StopProcessingJob", ProcessingJobName=name)


def test_jobs_wait_for_a_slot_in_their_order_and_a_waiting_one_can_be_stopped(make_world):
    world = make_world(slots=1, grace=0.2)
    first = world.process("first", "import time; time.sleep(300)")
    others = [world.process(f"waits-{number}", "print('ran')") for number in range(3)]
    assert world.queue.running() == 4
    world.do("StopProcessingJob", ProcessingJobName=others[1])
    assert world.ended("processing-job", others[1])["ProcessingJobStatus"] == "Stopped"
    assert "ProcessingStartTime" not in world.do("DescribeProcessingJob", ProcessingJobName=others[1])
    world.do("StopProcessingJob", ProcessingJobName=first)
    for name in (others[0], others[2]):
        assert world.ended("processing-job", name)["ProcessingJobStatus"] == "Completed"


def test_a_huge_log_costs_no_memory(world):
    script = "import sys\nline = 'x' * 99 + '\\n'\nfor _ in range(30): sys.stdout.write(line * 100_000)"

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    before = resident()
    job = world.processed("huge-log", script)
    assert job["ProcessingJobStatus"] == "Completed"
    stream = world.logs.streams("/aws/sagemaker/ProcessingJobs", "huge-log/")[0]
    assert 0 <= stream.size - 300_000_000 < 200  # a line says where the Python is not the image's
    assert resident() - before < 50_000_000


def test_concurrent_jobs_do_not_see_each_other(world):
    script = (
        "import pathlib, sys, tempfile\n"
        "for path in ('/opt/ml/processing/own', tempfile.gettempdir()):\n"
        "    pathlib.Path(path, 'fixed-name').write_text(sys.argv[1])\n"
        "    assert len(list(pathlib.Path(path).glob('fixed*'))) == 1\n"
        "assert pathlib.Path('/opt/ml/processing/own/fixed-name').read_text() == sys.argv[1]\n"
    )
    outcomes: dict[str, str] = {}

    def one(number: int) -> None:
        outputs = processing_outputs("own")
        outputs["Outputs"][0]["S3Output"]["S3Uri"] = f"s3://{BUCKET}/own-{number}"
        job = world.processed(f"own-{number}", script, str(number), ProcessingOutputConfig=outputs)
        outcomes[job["ProcessingJobStatus"]] = job.get("FailureReason", "")

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"Completed": ""}
    assert [world.get(f"own-{number}/fixed-name") for number in range(6)] == [b"%d" % n for n in range(6)]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"inputs": [processing_input("x", "s3://bucket/none")]}, "No S3 objects found under S3 URL"),
        ({"inputs": [{"InputName": "d", "DatasetDefinition": {}}]}, "no Athena and no Redshift"),
        ({"inputs": [{"InputName": "d"}]}, "exactly one of S3Input and DatasetDefinition"),
        (
            {"inputs": [processing_input("code", "s3://bucket/code")]},
            r"Input and Output names must be globally unique: \[code\]",
        ),
        ({"inputs": [{**processing_input("code", "s3://bucket/code"), "InputName": "other"}]}, "is given twice"),
        (
            {
                "inputs": [processing_input("data", "s3://bucket/code")],
                "ProcessingOutputConfig": processing_outputs("data"),
            },
            r"Input and Output names must be globally unique: \[data\]",
        ),
        ({"inputs": [processing_input("../../../x", "s3://bucket/code")]}, "must start with /opt/ml/processing/"),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "o"}]}}, "must have an S3Output"),
        ({"ProcessingOutputConfig": processing_outputs("../../etc")}, "must start with /opt/ml/processing/"),
        ({"AppSpecification": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/unknown:1"}}, "the program process "),
    ],
)
def test_requests_that_are_refused(world, change, part):
    world.put("code/x", "x")
    if "AppSpecification" in change:
        request = {"ProcessingResources": RESOURCES}
        with pytest.raises(ValidationError, match=part):
            world.do("CreateProcessingJob", ProcessingJobName="refused", RoleArn=ROLE, **request, **change)
        return
    with pytest.raises(ValidationError, match=part):
        world.process("refused", "pass", **change)


def test_names_are_unique_and_found_in_any_case(world):
    job = world.processed("Once-Only", "pass", Tags=[{"Key": "a", "Value": "b"}])
    with pytest.raises(ResourceInUse) as caught:
        world.process("Once-Only", "pass")
    assert caught.value.message == (
        "Job name must be unique within an AWS account and region, and a job with this name already exists "
        f"({job['ProcessingJobArn']})"
    )
    assert world.do("DescribeProcessingJob", ProcessingJobName="once-only") == job
    assert world.do("ListTags", ResourceArn=job["ProcessingJobArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    world.do("DeleteProcessingJob", ProcessingJobName="Once-Only")
    with pytest.raises(ValidationError, match="Could not find requested job with name: Once-Only"):
        world.do("DescribeProcessingJob", ProcessingJobName="Once-Only")


def test_lists_are_filtered_and_sorted(make_world):
    world = make_world()
    for name, script in (("b-job", "pass"), ("a-job", "raise SystemExit(1)"), ("other", "pass")):
        world.processed(name, script)

    def listed(**request: object) -> list[str]:
        return [s["ProcessingJobName"] for s in world.do("ListProcessingJobs", **request)["ProcessingJobSummaries"]]

    assert listed() == ["other", "a-job", "b-job"]
    assert listed(SortBy="Name", SortOrder="Ascending") == ["a-job", "b-job", "other"]
    assert listed(NameContains="-JOB", StatusEquals="Completed") == ["b-job"]
    first = world.do("ListProcessingJobs", MaxResults=2)
    assert len(first["ProcessingJobSummaries"]) == 2
    assert listed(NextToken=first["NextToken"]) == ["b-job"]
    failed = world.do("ListProcessingJobs", StatusEquals="Failed")["ProcessingJobSummaries"][0]
    assert failed["FailureReason"] == "AlgorithmError: , exit code: 1"
