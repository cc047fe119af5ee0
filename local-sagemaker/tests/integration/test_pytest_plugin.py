"""The pytest plugin, as a project's own tests meet it: pytest in a process of its own, on a suite of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SUITE = """
import os
import subprocess
from pathlib import Path

import boto3
import pytest


def make_bucket(name):
    boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def note(service):
    Path(os.environ["NOTES"], str(service.description["pid"])).write_text(str(service.home))


def test_without_it_the_environment_is_as_it_was():
    assert "AWS_ENDPOINT_URL" not in os.environ
    assert os.environ["AWS_ACCESS_KEY_ID"] == "theirs"
    assert os.environ["AWS_PROFILE"] == "theirs"


@pytest.fixture(scope="module")
def bucket(local_sagemaker):
    make_bucket("shared")
    return "shared"


def test_clients_and_commands_find_it(bucket, local_sagemaker):
    note(local_sagemaker)
    boto3.client("s3").put_object(Bucket=bucket, Key="a.json", Body=b"[1]")
    assert local_sagemaker.read_json("s3://shared/a.json") == [1]
    listed = subprocess.run(["aws", "s3", "ls", "s3://shared"], capture_output=True, text=True, check=True)
    assert "a.json" in listed.stdout


def test_explicit_hosts_of_aws_find_it_too(local_sagemaker):
    sts = boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com")
    assert sts.get_caller_identity()["Account"] == "123456789012"


@pytest.mark.usefixtures("local_sagemaker")
def test_the_region_is_that_of_the_environment():
    assert boto3.Session().region_name == "eu-west-1"
    group = boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName="g")["ModelPackageGroupArn"]
    assert ":eu-west-1:" in group


def test_between_tests_that_use_it_the_environment_is_restored():
    test_without_it_the_environment_is_as_it_was()


def test_further_services_are_apart(make_local_sagemaker, local_sagemaker):
    other = make_local_sagemaker()
    note(other)
    assert other.client("s3").list_buckets()["Buckets"] == []
    assert other.url != os.environ["AWS_ENDPOINT_URL"] == local_sagemaker.url
    make_bucket("one")
    local_sagemaker.reset()
    assert boto3.client("s3").list_buckets()["Buckets"] == []
"""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest on the suite, in an environment with a user's own AWS settings."""
    (folder / "notes").mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "theirs",
        "AWS_SECRET_ACCESS_KEY": "theirs",
        "AWS_PROFILE": "theirs",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "NOTES": str(folder / "notes"),
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder, env=environment, text=True, capture_output=True, timeout=250, check=False,
    )  # fmt: skip


def assert_nothing_is_left(folder: Path, services: int) -> None:
    notes = list((folder / "notes").iterdir())
    assert len(notes) == services
    for note in notes:
        assert not Path(f"/proc/{note.name}").exists()
        assert not Path(note.read_text()).exists()


def test_a_suite_with_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert_nothing_is_left(tmp_path, 2)


def test_each_worker_of_xdist_has_its_own(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"test_{name}.py").write_text(SUITE)
    done = run(tmp_path, "-n", "2", "--dist", "loadfile")
    assert done.returncode == 0, done.stdout
    assert_nothing_is_left(tmp_path, 4)


def test_no_service_is_started_for_a_suite_that_does_not_use_it(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text(
        "import sys\n\n\ndef test_plain():\n    assert 'boto3' not in sys.modules\n"
        "    assert 'local_sagemaker.lifecycle' not in sys.modules\n"
    )
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert_nothing_is_left(tmp_path, 0)
