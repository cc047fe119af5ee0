"""Tags belong to resources that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.tags import Tags
from tests.support import ROLE, XGBOOST
from tests.unit.services.sagemaker.conftest import Registry

PLACE = "arn:aws:sagemaker:us-east-1:123456789012"
TAG = {"Key": "a", "Value": "b"}


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        ("model/absent", f'Could not find model "{PLACE}:model/absent".'),
        ("model-package-group/absent", "absent"),
        ("model-package/absent/1", "absent"),
        ("experiment/absent", "absent"),
        ("experiment-trial/absent", "absent"),
        ("experiment-trial-component/absent", "absent"),
    ],
)
def test_tags_of_what_is_not_there_are_refused(registry: Registry, resource: str, text: str) -> None:
    arn = f"{PLACE}:{resource}"
    for operation, more in (("AddTags", {"Tags": [TAG]}), ("ListTags", {}), ("DeleteTags", {"TagKeys": ["a"]})):
        with pytest.raises(ValidationError) as error:
            registry(operation, ResourceArn=arn, **more)
        assert error.value.code == "ValidationException" and text in error.value.message


def test_tags_of_what_is_there(registry: Registry) -> None:
    registry.upload("s3://bucket/model.tar.gz")
    container = {"Image": XGBOOST, "ModelDataUrl": "s3://bucket/model.tar.gz"}
    arn = registry("CreateModel", ModelName="There", ExecutionRoleArn=ROLE, PrimaryContainer=container)["ModelArn"]
    group = registry("CreateModelPackageGroup", ModelPackageGroupName="Group")["ModelPackageGroupArn"]
    specification = {"Containers": [container]}
    package = registry("CreateModelPackage", ModelPackageGroupName="Group", InferenceSpecification=specification)
    experiment = registry("CreateExperiment", ExperimentName="e")["ExperimentArn"]
    trial = registry("CreateTrial", ExperimentName="e", TrialName="t")["TrialArn"]
    component = registry("CreateTrialComponent", TrialComponentName="c")["TrialComponentArn"]
    for tagged in (arn, group, package["ModelPackageArn"], experiment, trial, component):
        assert registry("AddTags", ResourceArn=tagged, Tags=[TAG])["Tags"] == [TAG]
        assert registry("ListTags", ResourceArn=tagged)["Tags"] == [TAG]
        registry("DeleteTags", ResourceArn=tagged, TagKeys=["a"])
        assert registry("ListTags", ResourceArn=tagged)["Tags"] == []
    for operation, member in (("AddTags", {"Tags": [{**TAG, "Key": "AWS:x"}]}), ("DeleteTags", {"TagKeys": ["AWS:x"]})):
        with pytest.raises(ServiceError, match="System prefix 'aws:' reserved for AWS usage in tag key: AWS:x"):
            registry(operation, ResourceArn=arn, **member)
    registry("DeleteModel", ModelName="There")
    with pytest.raises(ValidationError):
        registry("ListTags", ResourceArn=arn)


def test_resources_that_are_not_here_may_have_tags(registry: Registry) -> None:
    """Work teams, say: no operation here describes one."""
    assert registry("ListTags", ResourceArn=f"{PLACE}:workteam/t")["Tags"] == []


@pytest.mark.parametrize("key", ["aws:cloudformation:stack-name", "AWS:x", "aws:"])
def test_keys_with_the_prefix_of_aws_are_refused(registry: Registry, key: str) -> None:
    """A client can neither set nor remove them; the text is recorded for DeleteTags."""
    group = registry("CreateModelPackageGroup", ModelPackageGroupName="Group", Tags=[{"Key": "xaws:", "Value": ""}])
    arn, tags = group["ModelPackageGroupArn"], [TAG, {"Key": key, "Value": "b"}]
    for operation, request in (
        ("AddTags", {"ResourceArn": arn, "Tags": tags}),
        ("DeleteTags", {"ResourceArn": arn, "TagKeys": ["a", key]}),
        ("CreateModelPackageGroup", {"ModelPackageGroupName": "Other", "Tags": tags}),
        ("CreateExperiment", {"ExperimentName": "e", "Tags": tags}),
    ):
        with pytest.raises(ServiceError) as error:
            registry(operation, **request)
        assert error.value.code == "ValidationException"
        assert error.value.message == f"System prefix 'aws:' reserved for AWS usage in tag key: {key}"
    assert registry("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "xaws:", "Value": ""}]


def test_cloudformations_own_tags_do_not_count(tmp_path: Path) -> None:
    tags, arn = Tags(Records(tmp_path / "records")), f"{PLACE}:model/m"
    tags.put(arn, [{"Key": f"aws:cloudformation:{name}", "Value": "v"} for name in ("stack-name", "stack-id")])
    tags.put(arn, [{"Key": f"k{number}", "Value": "v"} for number in range(50)])
    with pytest.raises(ValidationError, match=r"would have 51\."):
        tags.put(arn, [TAG])
