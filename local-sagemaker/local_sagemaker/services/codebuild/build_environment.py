"""A build's environment variables: CodeBuild's own, and those of the specification, the project and the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from local_sagemaker.api.operations import Call, Request
from local_sagemaker.codebuild.buildspec import Buildspec
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.records.delivery_members import own_build
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.errors import BuildFailure

SOURCE = "/opt/ml/codebuild/output/src/src"
"""The folder of the primary source in a build's process; secondary ones are beside it."""

_HELPER = '!f() { echo "username=$AWS_ACCESS_KEY_ID%$AWS_SESSION_TOKEN"; echo "password=$AWS_SECRET_ACCESS_KEY"; }; f'


def git_settings(service: Mapping[str, str], account: str, *, credentials: bool) -> dict[str, str]:
    """Git's in a build. AWS's addresses of repositories lead to this service; ``git-credential-helper: yes`` also gives
    the keys. `service` is the environment of the service's clients.
    """
    region, url = service["AWS_REGION"], service["AWS_ENDPOINT_URL"]
    places = {
        f"https://git-codecommit.{region}.amazonaws.com/v1/repos/": "repos",
        **{f"https://{name}.{region}.amazonaws.com/git-http/{account}/{region}/": "connections"
           for name in ("codeconnections", "codestar-connections")},
    }  # fmt: skip
    rows = [(f"url.{url}/v1/{kind}/.insteadOf", address) for address, kind in places.items()]
    rows += [("credential.helper", _HELPER)] if credentials else []
    numbered = [(f"GIT_CONFIG_{part}_{number}", text) for number, row in enumerate(rows)
                for part, text in zip(("KEY", "VALUE"), row, strict=True)]  # fmt: skip
    return {"GIT_CONFIG_COUNT": str(len(rows)), **dict(numbered)}


@dataclass
class Variables:
    """Values, and which of them no log may show."""

    values: dict[str, str] = field(default_factory=dict)
    masked: dict[str, str] = field(default_factory=dict)


def own(build: Body, secondary: list[str], log_path: str) -> dict[str, str]:
    """CodeBuild's variables of a build (user guide, "Environment variables in build environments")."""
    resolved = build.get("resolvedSourceVersion")
    values = {
        "CODEBUILD_BUILD_ID": build["id"], "CODEBUILD_BUILD_ARN": build["arn"],
        "CODEBUILD_BUILD_NUMBER": str(build["buildNumber"]), "CODEBUILD_BUILD_IMAGE": build["environment"]["image"],
        "CODEBUILD_BUILD_SUCCEEDING": "1", "CODEBUILD_START_TIME": str(int(build["startTime"] * 1000)),
        "CODEBUILD_SRC_DIR": SOURCE, "CODEBUILD_INITIATOR": build["initiator"], "CODEBUILD_LOG_PATH": log_path,
        "CODEBUILD_KMS_KEY_ID": build.get("encryptionKey", ""), "CODEBUILD_CI": "true", "CI": "true",
        "CODEBUILD_PROJECT_UUID": build["arn"].rpartition(":")[2],
        "CODEBUILD_SOURCE_VERSION": build.get("sourceVersion", ""),
        "CODEBUILD_SOURCE_REPO_URL": build["source"].get("location", ""),
        **({"CODEBUILD_RESOLVED_SOURCE_VERSION": resolved} if resolved else {}),
        **({"CODEBUILD_BATCH_BUILD_IDENTIFIER": own_build(build)["_task"]} if "_task" in build else {}),
    }  # fmt: skip
    for identifier in secondary:
        values[f"CODEBUILD_SRC_DIR_{identifier}"] = f"{SOURCE.rpartition('/')[0]}/{identifier}"
    return values


class EnvironmentReader:
    """Reads variables' values from Parameter Store and Secrets Manager."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def read(self, build: Body, spec: Buildspec) -> Variables:
        """All variables of a build but CodeBuild's own: the request's over the project's over the specification's."""
        variables = Variables(dict(spec.variables))
        for name, parameter in spec.parameters.items():
            variables.masked[name] = self._parameter(parameter)
        for name, secret in spec.secrets.items():
            variables.masked[name] = self._secret(secret)
        for row in (*build["environment"].get("environmentVariables", []), *own_build(build)["_overrides"]):
            name, value = row["name"], row["value"]
            variables.values.pop(name, None)
            variables.masked.pop(name, None)
            match row.get("type", "PLAINTEXT"):
                case "PARAMETER_STORE":
                    variables.masked[name] = self._parameter(value)
                case "SECRETS_MANAGER":
                    variables.masked[name] = self._secret(value)
                case _:
                    variables.values[name] = value
        return variables

    def _parameter(self, name: str) -> str:
        try:
            response = self._call("ssm:GetParameter", {"Name": name, "WithDecryption": True})
        except ServiceError as error:
            raise BuildFailure("CLIENT_ERROR", f"ParameterNotFound: {name}: {error.message}") from error
        return str(response["Parameter"]["Value"])

    def _secret(self, reference: str) -> str:
        """``id[:json-key[:stage[:version]]]``; an ARN has six colons in it."""
        count = 7 if reference.startswith("arn:") else 1
        parts = reference.split(":")
        identity, rest = ":".join(parts[:count]), [*parts[count:], "", "", ""]
        request: Request = {"SecretId": identity}
        request |= {"VersionStage": rest[1]} if rest[1] else {}
        request |= {"VersionId": rest[2]} if rest[2] else {}
        try:
            text = str(self._call("secretsmanager:GetSecretValue", request).get("SecretString", ""))
        except ServiceError as error:
            raise BuildFailure("CLIENT_ERROR", f"Secrets Manager: {identity}: {error.message}") from error
        if not rest[0]:
            return text
        try:
            return str(load(text)[rest[0]])
        except (ValueError, KeyError, TypeError) as error:
            raise BuildFailure("CLIENT_ERROR", f"Secrets Manager: {identity} has no key {rest[0]}") from error


def exportable(names: tuple[str, ...], variables: Variables) -> list[str]:
    """The names that may be exported: no secrets and none of AWS's."""
    return [name for name in names if name not in variables.masked and not name.startswith("AWS_")]


def together(service: Mapping[str, str], own_values: Mapping[str, str], variables: Variables) -> dict[str, str]:
    """All variables of a build's process."""
    return {**service, **variables.values, **variables.masked, **own_values}
