"""Every address of the pages. What may hold slashes or dots (S3 keys, log streams, ARNs) goes into the query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlencode

from local_sagemaker.studio.page import PREFIX

_JOBS = {
    "training-job": "training", "processing-job": "processing", "transform-job": "transform",
    "hyper-parameter-tuning-job": "tuning",
}  # fmt: skip
JOB_GROUPS = {
    "training": "/aws/sagemaker/TrainingJobs", "processing": "/aws/sagemaker/ProcessingJobs",
    "transform": "/aws/sagemaker/TransformJobs",
}  # fmt: skip

_NAMES = re.compile(r"(?:s3://|arn:aws[\w-]{0,20}:)[^\s\"'<>(){}\[\]|\\^`]{1,1100}")


def to(*parts: object, **query: object) -> str:
    """The address of a page: path segments, and the query's values that are not empty."""
    path = "/".join(quote(str(part), safe="") for part in parts)
    parameters = {name: value for name, value in query.items() if value not in ("", None)}
    return f"{PREFIX}/{path}" + (f"?{urlencode(parameters, doseq=True)}" if parameters else "")


def static(name: str, version: str) -> str:
    """A file of the package, with a version so that browsers may keep it."""
    return f"{PREFIX}/static/{name}?v={version}"


def execution(arn: str, **query: object) -> str:
    """An execution's page, by its ARN."""
    name, _, identifier = arn.split(":", 5)[-1].partition("/execution/")
    return to("pipelines", name.removeprefix("pipeline/"), "executions", identifier, **query)


def execution_arn(template: str, pipeline: str, identifier: str) -> str:
    """The ARN of an execution; `template` is the ARN of its pipeline."""
    return f"{template.rpartition('/')[0]}/{pipeline}/execution/{identifier}"


def s3(uri: str) -> str:
    """The page of an object, or of a prefix when the URI ends with a slash."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not key or key.endswith("/"):
        return to("s3", bucket=bucket, prefix=key)
    return to("s3", "object", bucket=bucket, key=key)


def resource(text: str) -> str:
    """The page of what an ARN or an S3 URI names; "" where there is none."""
    if text.startswith("s3://"):
        return s3(text)
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return ""
    if parts[2] != "sagemaker":
        return _elsewhere(parts[2], parts[5])
    kind, _, name = parts[5].partition("/")
    if kind == "pipeline":
        return execution(text) if "/execution/" in name else to("pipelines", name)
    if kind in _JOBS:
        return to("jobs", _JOBS[kind], name)
    if kind == "model-package":
        group, _, version = name.partition("/")
        return to("models", group, version) if version else ""
    pages = {"model-package-group": "models", "endpoint": "endpoints", "monitoring-schedule": "monitoring",
             "project": "projects"}  # fmt: skip
    return to(pages[kind], name) if kind in pages else ""


def find_links(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text, each with its page: that of an ARN or S3 URI, "" for what is between them."""
    at = 0
    for match in _NAMES.finditer(text):
        name = match[0].rstrip(".,;:")
        href = resource(name)
        if href:
            yield text[at : match.start()], ""
            yield name, href
            at = match.start() + len(name)
    yield text[at:], ""


def _elsewhere(service: str, rest: str) -> str:
    """The page of a resource of another service than SageMaker."""
    if service == "lambda" and rest.startswith("function:"):
        return to("functions", rest.split(":")[1])
    if service == "codebuild" and rest.startswith("build/"):
        return to("builds", rest.removeprefix("build/"))
    if service == "codebuild" and rest.startswith("build-batch/"):
        return to("batches", rest.removeprefix("build-batch/"))
    if service == "logs" and rest.startswith("log-group:"):
        group, _, stream = rest.removeprefix("log-group:").removesuffix(":*").partition(":log-stream:")
        return to("logs", group=group, stream=stream) if stream else to("logs", group=group)
    if service == "cloudformation" and rest.startswith("stack/"):
        return to("stacks", rest.split("/")[1])
    if service == "codepipeline":
        return to("delivery", rest.partition("/")[0])
    if service == "s3" and rest:
        return s3(f"s3://{rest}" if "/" in rest else f"s3://{rest}/")
    return ""


def toggle(query: Mapping[str, list[str]], **changes: str) -> str:
    """The query with some values changed; an empty value removes its name."""
    values = {name: list(items) for name, items in query.items()}
    for name, value in changes.items():
        values[name] = [value] if value else []
    return "?" + urlencode([(name, item) for name, items in values.items() for item in items])
