"""An action as a command that does the same: made from the same request, quoted for a shell. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def aws_command(operation: str, request: Mapping[str, Any]) -> str:
    """``local-sagemaker exec -- aws sagemaker stop-pipeline-execution --pipeline-execution-arn ...``."""
    service, _, name = operation.partition(":")
    words = ["local-sagemaker", "exec", "--", "aws", service, kebab(name)]
    for member, value in request.items():
        if isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{kebab(member)}")
            continue
        words += [f"--{kebab(member)}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)]
    return shlex.join(words)


def kebab(name: str) -> str:
    """``PipelineExecutionArn`` as the AWS CLI spells it."""
    return _WORDS.sub("-", name).lower()
