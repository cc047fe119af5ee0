"""Lambda functions for tests."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from local_sagemaker.testing.pipelines import ROLE


def zip_modules(**files: str) -> bytes:
    """A function's archive: the text of each module by its name."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        for name, text in files.items():
            out.writestr(f"{name}.py", text)
    return archive.getvalue()


def create_function(client: Any, name: str, code: str, **options: Any) -> str:
    """Creates a function of one module ``main`` with a ``handler``, waits until it is active; its ARN."""
    settings = {"Runtime": "python3.11", "Role": ROLE, "Handler": "main.handler", **options}
    function = client.create_function(FunctionName=name, Code={"ZipFile": zip_modules(main=code)}, **settings)
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    return str(function["FunctionArn"])
