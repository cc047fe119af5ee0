"""Small pipelines for tests, and what became of their executions."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.testing.polling import wait_until

ROLE = "arn:aws:iam::123456789012:role/LocalSageMakerRole"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"


def script_step(name: str, code: str, *after: str, **arguments: Any) -> dict[str, Any]:
    """A Processing step that runs Python code in the scikit-learn image, `after` other steps."""
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            "AppSpecification": {"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["python3", "-c", code]},
            "RoleArn": ROLE,
            **arguments,
        },
        **({"DependsOn": list(after)} if after else {}),
    }


def create_pipeline(
    sagemaker: Any, name: str, *steps: dict[str, Any], parameters: tuple[dict[str, Any], ...] = ()
) -> None:
    """Creates a pipeline of steps in the form of the definition's JSON."""
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": list(parameters), "Steps": list(steps)}
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=ROLE)


def start_execution(sagemaker: Any, name: str, **parameters: str) -> str:
    """Starts an execution; its ARN."""
    values = [{"Name": key, "Value": value} for key, value in parameters.items()]
    return str(sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=values)["PipelineExecutionArn"])


def wait_for_execution(sagemaker: Any, execution: str, seconds: float = 200) -> dict[str, Any]:
    """Waits for the end of an execution, whatever it is; DescribePipelineExecution's response then."""

    def description() -> Any:
        response = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        return response if response["PipelineExecutionStatus"] not in ("Executing", "Stopping") else None

    return dict(wait_until(description, f"the end of {execution}", seconds))


def list_steps(sagemaker: Any, execution: str) -> dict[str, dict[str, Any]]:
    """The execution's steps by name, as ListPipelineExecutionSteps has them."""
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    return {step["StepName"]: step for step in steps}
