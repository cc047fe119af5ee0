"""Check steps that need neither Model Monitor nor Clarify: processing jobs that bring their analysis along.

A step has the name of the managed one and takes the same switches. Its job writes the same files, and ``check.json``,
from which the registration reads which baseline holds: it is known only when the job has looked it up.

These steps are not cached: what they compare with, the latest approved version, is not among the arguments that a
cache compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.steps import ProcessingStep

from pipelines.checks import archive
from pipelines.checks.check import BaselineFiles, Check
from pipelines.checks.switches import Switches
from pipelines.session import boto_session

ROOT = "/opt/ml"
CODE = f"{ROOT}/processing/input/code"
REPORT = "CheckReport"  # the property file


@dataclass(frozen=True)
class Job:
    """What a check's job reads and where it runs. `model` is the URI of a model.tar.gz, for checks that need one."""

    image: str
    dataset: Any
    output: Join
    model: Any | None = None


@dataclass(frozen=True)
class PortableChecks:
    """Makes the check steps of one pipeline."""

    session: PipelineSession
    region: str
    role: str
    bucket: str
    prefix: str
    group: str
    instance_type: Any = "ml.c5.xlarge"
    volume_size_in_gb: int = 120

    def make(self, name: str, kind: str, config: Mapping[str, Any], job: Job, switches: Switches) -> Check:
        """The check `kind` as a step called `name`; `config` is Clarify's analysis configuration, or that of quality:
        ``dataset_format``, and for a model ``problem_type`` and the attributes.
        """
        s3 = boto_session(self.region).client("s3")
        code = archive.publish(s3, self.bucket, self.prefix)
        text = json.dumps(config, sort_keys=True).encode()
        digest = hashlib.sha256(text).hexdigest()[:16]
        key = f"{self.prefix}/{name.lower()}/analysis_cfg/{digest}/analysis_config.json"
        uris = {
            "dataset": job.dataset,
            "config": archive.put_once(s3, self.bucket, key, text),
            "code": code,
            **({"model": job.model} if job.model is not None else {}),
        }
        processor = Processor(
            image_uri=job.image,
            entrypoint=["python3", f"{CODE}/{archive.NAME}"],
            instance_type=self.instance_type,
            instance_count=1,
            volume_size_in_gb=self.volume_size_in_gb,
            role=self.role,
            sagemaker_session=self.session,
        )
        request = processor.run(
            inputs=[_input(name, uri) for name, uri in uris.items()],
            outputs=[_output(job.output)],
            arguments=["--check", kind, "--group", self.group, "--root", ROOT, *_arguments(switches)],
        )
        report = PropertyFile(name=REPORT, output_name="check", path="check.json")
        step = ProcessingStep(name=name, step_args=request, property_files=[report])
        return _check(step, report, job.output, kind)


def _check(step: ProcessingStep, report: PropertyFile, output: Join, kind: str) -> Check:
    quality = kind in ("DATA_QUALITY", "MODEL_QUALITY")

    def file(name: str) -> Join:
        return Join(on="/", values=[*output.values, name])

    def read_report(path: str) -> JsonGet:
        return JsonGet(step_name=step.name, property_file=report, json_path=path)

    return Check(
        step,
        BaselineFiles(
            file("statistics.json") if quality else None,
            file("constraints.json" if quality else "analysis.json"),
        ),
        BaselineFiles(
            read_report("baseline_used.statistics") if quality else None, read_report("baseline_used.constraints")
        ),
        None if quality else read_report("monitoring_config"),
    )


def _arguments(switches: Switches) -> list[Any]:
    """As arguments of the job, which are texts."""
    skip, register = switches.skip.to_string(), switches.register.to_string()
    arguments: list[Any] = ["--skip", skip, "--register", register, "--supplied-constraints", switches.constraints]
    if switches.statistics is not None:
        arguments += ["--supplied-statistics", switches.statistics]
    return arguments


def _input(name: str, uri: Any) -> ProcessingInput:
    source = ProcessingS3Input(
        s3_uri=uri, local_path=f"{ROOT}/processing/input/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return ProcessingInput(input_name=name, s3_input=source)


def _output(uri: Join) -> ProcessingOutput:
    target = ProcessingS3Output(s3_uri=uri, local_path=f"{ROOT}/processing/output", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name="check", s3_output=target)
