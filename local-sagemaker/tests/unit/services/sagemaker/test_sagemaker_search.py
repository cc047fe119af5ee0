"""Search: every operator, nested filters, sub-expressions, order and pages, over real records."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.services.sagemaker.search_filters import check, matches, values
from local_sagemaker.services.sagemaker.search_properties import is_known

JOB: dict[str, Any] = {
    "TrainingJobName": "job-1",
    "TrainingJobStatus": "Completed",
    "CreationTime": 1_700_000_000.0,
    "EnableNetworkIsolation": False,
    "HyperParameters": {"eta": "0.2", "num_round": "50", "dotted.name": "x"},
    "FinalMetricDataList": [
        {"MetricName": "validation:rmse", "Value": 2.1, "Timestamp": 1.0},
        {"MetricName": "train:rmse", "Value": 1.5, "Timestamp": 1.0},
    ],
    "InputDataConfig": [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://mine/cats"}}},
        {"ChannelName": "validation", "DataSource": {"S3DataSource": {"S3Uri": "s3://other/dogs"}}},
    ],
    "Tags": [{"Key": "team", "Value": "red"}],
    "ResourceConfig": {"InstanceCount": 2},
}

FILTERS: list[tuple[str, str | None, str | None, bool]] = [
    ("TrainingJobName", None, "job-1", True),
    ("TrainingJobName", "Equals", "job", False),
    ("TrainingJobName", "NotEquals", "job", True),
    ("TrainingJobName", "NotEquals", "job-1", False),
    ("TrainingJobName", "Contains", "ob-", True),
    ("TrainingJobName", "In", "a, job-1", True),
    ("TrainingJobName", "In", "a,b", False),
    ("TrainingJobName", None, None, True),
    ("FailureReason", None, None, False),
    ("FailureReason", "Exists", None, False),
    ("FailureReason", "NotExists", None, True),
    ("FailureReason", "NotEquals", "x", True),
    ("ResourceConfig.InstanceCount", "Exists", None, True),
    ("ResourceConfig.InstanceCount", "GreaterThan", "1", True),
    ("ResourceConfig.InstanceCount", "GreaterThan", "2", False),
    ("ResourceConfig.InstanceCount", "GreaterThanOrEqualTo", "2.0", True),
    ("ResourceConfig.InstanceCount", "Equals", "2", True),
    ("EnableNetworkIsolation", "Equals", "false", True),
    ("EnableNetworkIsolation", "Equals", "True", False),
    ("CreationTime", "LessThan", "2023-11-15T00:00:00", True),
    ("CreationTime", "GreaterThan", "2023-11-15T00:00:00Z", False),
    ("CreationTime", "GreaterThanOrEqualTo", "2023-11-14T22:13:20", True),
    ("CreationTime", "LessThanOrEqualTo", "1700000000", True),
    ("HyperParameters.eta", "LessThan", "0.5", True),
    ("HyperParameters.eta", "Equals", "0.2", True),
    ("HyperParameters.eta", "LessThan", "1", True),
    ("HyperParameters.eta", "LessThan", "0", False),
    ("HyperParameters.dotted.name", "Equals", "x", True),
    ("Metrics.validation:rmse", "LessThan", "2.5", True),
    ("Metrics.validation:rmse", "GreaterThan", "2.5", False),
    ("Metrics.none", "Exists", None, False),
    ("Tags.team", "Equals", "red", True),
    ("Tags.team", "Equals", "blue", False),
    ("InputDataConfig.ChannelName", "Equals", "validation", True),
    ("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "mine", True),
]


def one(name: str, operator: str | None, value: str | None) -> dict[str, Any]:
    given = {"Name": name, "Operator": operator, "Value": value}
    return {member: text for member, text in given.items() if text is not None}


@pytest.mark.parametrize(("name", "operator", "value", "expected"), FILTERS)
def test_filters(name: str, operator: str | None, value: str | None, expected: bool) -> None:
    expression = {"Filters": [one(name, operator, value)]}
    check(expression)
    assert matches(expression, JOB) is expected


def nested(channel: str, uri: str) -> dict[str, Any]:
    filters = [
        one("InputDataConfig.ChannelName", "Equals", channel),
        one("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", uri),
    ]
    return {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": filters}]}


@pytest.mark.parametrize(("channel", "uri", "expected"), [("train", "cats", True), ("train", "dogs", False)])
def test_a_nested_filter_is_satisfied_by_a_single_element(channel: str, uri: str, expected: bool) -> None:
    assert matches(nested(channel, uri), JOB) is expected


TRUE, FALSE = one("TrainingJobName", "Equals", "job-1"), one("TrainingJobName", "Equals", "no")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Filters": [TRUE, FALSE]}, False),
        ({"Filters": [TRUE, FALSE], "Operator": "Or"}, True),
        ({"Filters": [TRUE], "SubExpressions": [{"Filters": [TRUE, FALSE], "Operator": "Or"}]}, True),
        ({"Filters": [TRUE], "SubExpressions": [{"Filters": [TRUE, FALSE]}]}, False),
        ({"Filters": [FALSE], "SubExpressions": [{"Filters": [TRUE]}], "Operator": "Or"}, True),
        ({"Filters": [FALSE], **nested("train", "cats"), "Operator": "Or"}, True),
        ({"Filters": [TRUE], **nested("train", "dogs")}, False),
    ],
)
def test_expressions(expression: dict[str, Any], expected: bool) -> None:
    assert matches(expression, JOB) is expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ({"Operator": "And"}, "at least one"),
        ({"Filters": [one("A", "Contains", "x"), one("B", "Contains", "x")]}, "'CONTAINS' operator usage limit of 1"),
        ({"Filters": [one("A", "GreaterThan", "text")]}, "needs a number or an ISO 8601 time"),
        ({"Filters": [one("A", "Equals", None)]}, "needs a Value"),
    ],
)
def test_expressions_that_are_refused(expression: dict[str, Any], text: str) -> None:
    with pytest.raises(ServiceError, match=text) as error:
        check(expression)
    assert error.value.code == "ValidationException"


def test_contains_may_be_repeated_where_aws_allows_it() -> None:
    check({"Filters": [one("DisplayName", "Contains", "x"), one("Tags.a", "Contains", "x")]})


def test_values_of_components() -> None:
    component = {
        "Parameters": {"eta": {"NumberValue": 0.5}, "objective": {"StringValue": "reg"}},
        "Metrics": [{"MetricName": "rmse", "Last": 3.0, "Min": 2.0, "Count": 4, "SourceArn": "a"}],
    }
    for name, operator, value in [
        ("Parameters.eta", "GreaterThan", "0.4"),
        ("Parameters.objective", "Equals", "reg"),
        ("Metrics.rmse.Last", "LessThan", "4"),
        ("Metrics.rmse.Min", "Equals", "2"),
        ("Metrics.rmse.Count", "GreaterThan", "3"),
    ]:
        assert matches({"Filters": [one(name, operator, value)]}, component), name
    assert values(component, "Parameters.none") == values(component, "Metrics.rmse.Max") == []


@pytest.fixture
def packages(registry: Any) -> list[str]:
    registry("CreateModelPackageGroup", ModelPackageGroupName="g", Tags=[{"Key": "team", "Value": "red"}])
    arns = []
    for stage in ("a", "b", "c"):
        answer = registry(
            "CreateModelPackage",
            ModelPackageGroupName="g",
            ModelPackageDescription=f"package {stage}",
            CustomerMetadataProperties={"stage": stage},
            Tags=[{"Key": "stage", "Value": stage}],
        )
        arns.append(answer["ModelPackageArn"])
    registry("UpdateModelPackage", ModelPackageArn=arns[0], ModelApprovalStatus="Approved")
    return arns


def found(registry: Any, resource: str, member: str, name: str, **request: Any) -> list[Any]:
    return [result[member][name] for result in registry("Search", Resource=resource, **request)["Results"]]


def test_packages_are_found_with_their_tags(registry: Any, packages: list[str]) -> None:
    def versions(**request: Any) -> list[int]:
        return found(registry, "ModelPackage", "ModelPackage", "ModelPackageVersion", **request)

    by_tag = {"Filters": [one("Tags.stage", "Equals", "b")]}
    assert versions(SearchExpression=by_tag) == [2]
    approved = {"Filters": [one("ModelApprovalStatus", "Equals", "Approved")]}
    answer = registry("Search", Resource="ModelPackage", SearchExpression=approved)
    assert answer["TotalHits"] == {"Value": 1, "Relation": "EqualTo"}
    assert answer["Results"][0]["ModelPackage"]["Tags"] == [{"Key": "stage", "Value": "a"}]
    registry.records.update("model-package", "g/1", lambda body: body.update(LastModifiedTime=4e9))
    assert versions() == [1, 3, 2]  # Last modified first; the approval changed version 1.
    assert versions(SortBy="ModelPackageVersion", SortOrder="Ascending") == [1, 2, 3]
    assert versions(SortBy="ApprovalDescription") == [1, 2, 3]
    assert versions(SearchExpression={"Filters": [one("CustomerMetadataProperties.stage", "In", "a,c")]}) == [1, 3]


def test_results_come_in_pages(registry: Any, packages: list[str]) -> None:
    request = {"Resource": "ModelPackage", "SortBy": "ModelPackageVersion", "SortOrder": "Ascending", "MaxResults": 2}
    first = registry("Search", **request)
    second = registry("Search", **request, NextToken=first["NextToken"])
    got = [one["ModelPackage"]["ModelPackageVersion"] for one in [*first["Results"], *second["Results"]]]
    assert got == [1, 2, 3] and "NextToken" not in second
    assert second["TotalHits"]["Value"] == 3


def test_groups_models_and_experiments_are_found(registry: Any, packages: list[str]) -> None:
    registry("CreateModel", ModelName="m", PrimaryContainer={"Image": "1.dkr.ecr.us-east-1.amazonaws.com/x:1"})
    registry("CreateExperiment", ExperimentName="e")
    registry("CreateTrial", TrialName="t", ExperimentName="e")
    registry("CreateTrialComponent", TrialComponentName="c", Parameters={"eta": {"NumberValue": 0.5}})
    registry("AssociateTrialComponent", TrialName="t", TrialComponentName="c")
    assert found(registry, "ModelPackageGroup", "ModelPackageGroup", "ModelPackageGroupName") == ["g"]
    assert found(registry, "Model", "Model", "Model")[0]["ModelName"] == "m"
    assert found(registry, "Experiment", "Experiment", "ExperimentName") == ["e"]
    in_trial = {"Filters": [one("Parents.TrialName", "Equals", "t")]}
    components = registry("Search", Resource="ExperimentTrialComponent", SearchExpression=in_trial)["Results"]
    assert components[0]["TrialComponent"]["Parents"] == [{"TrialName": "t", "ExperimentName": "e"}]
    trial = registry("Search", Resource="ExperimentTrial")["Results"][0]["Trial"]
    assert [summary["TrialComponentName"] for summary in trial["TrialComponentSummaries"]] == ["c"]


def test_other_types_and_accounts(registry: Any, packages: list[str]) -> None:
    with pytest.raises(ServiceError, match="no resources of type FeatureGroup"):
        registry("Search", Resource="FeatureGroup")
    answer = registry("Search", Resource="ModelPackage", CrossAccountFilterOption="CrossAccount")
    assert answer["Results"] == []


def test_suggestions_are_names_of_properties(registry: Any, packages: list[str]) -> None:
    query = {"PropertyNameQuery": {"PropertyNameHint": "ModelPackageG"}}
    answer = registry("GetSearchSuggestions", Resource="ModelPackage", SuggestionQuery=query)
    assert answer["PropertyNameSuggestions"] == [{"PropertyName": "ModelPackageGroupName"}]


KNOWN = [
    ("TrainingJob", "TrainingJobName"),
    ("TrainingJob", "HyperParameters.any.thing"),
    ("TrainingJob", "Metrics.validation:rmse"),
    ("TrainingJob", "FinalMetricDataList.MetricName"),
    ("TrainingJob", "InputDataConfig.DataSource.S3DataSource.S3Uri"),
    ("TrainingJob", "Tags.team"),
    ("TrainingJob", "ResourceConfig.InstanceType"),
    ("Trial", "ExperimentName"),
    ("Trial", "Source.SourceArn"),
    ("TrialComponent", "Parents.TrialName"),
    ("TrialComponent", "Parameters.eta"),
    ("TrialComponent", "Metrics.loss.Max"),
    ("TrialComponent", "Source.SourceArn"),
    ("ModelPackage", "ModelMetrics.ModelQuality.Statistics.S3Uri"),
    ("Model", "Model.ModelName"),
    ("Model", "ModelName"),
    ("PipelineExecution", "PipelineParameters.Rounds"),
]


@pytest.mark.parametrize(("member", "name"), KNOWN)
def test_known_properties(member: str, name: str) -> None:
    assert is_known(member, name)


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("TrainingJob", "TrainingJobname"),
        ("TrainingJob", "Bogus"),
        ("TrainingJob", "ResourceConfig.Bogus"),
        ("TrainingJob", "TrainingJobName.More"),
        ("TrainingJob", "TrialName"),
        ("TrialComponent", "TrialName"),
        ("TrialComponent", ""),
        ("Experiment", "Parents.ExperimentName"),
        ("ModelPackage", "Tags."),
        ("Pipeline", "PipelineDefinition"),
    ],
)
def test_unknown_properties(member: str, name: str) -> None:
    assert not is_known(member, name)


@pytest.mark.parametrize(
    "more",
    [
        {"SearchExpression": {"Filters": [{"Name": "Bogus", "Operator": "Exists"}]}},
        {"SearchExpression": {"SubExpressions": [{"Filters": [{"Name": "Bogus"}]}]}},
        {"SearchExpression": {"NestedFilters": [{"NestedPropertyName": "Bogus", "Filters": [{"Name": "x"}]}]}},
        {"SortBy": "Bogus"},
    ],
)
def test_a_search_for_an_unknown_property_is_refused(registry: Any, more: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as error:
        registry("Search", Resource="TrainingJob", **more)
    assert (error.value.code, error.value.message) == ("ValidationException", "Unknown property name: Bogus")


def test_an_unknown_member_of_a_nested_property_is_refused(registry: Any) -> None:
    nested = {"NestedPropertyName": "InputDataConfig", "Filters": [{"Name": "InputDataConfig.Channel", "Value": "x"}]}
    with pytest.raises(ServiceError, match=r"Unknown property name: InputDataConfig\.Channel$"):
        registry("Search", Resource="TrainingJob", SearchExpression={"NestedFilters": [nested]})
