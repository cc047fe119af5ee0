"""Client of the service's control verbs: requests that are no AWS operation, such as its state."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlencode

from local_sagemaker.config import Settings
from local_sagemaker.lifecycle import LifecycleError


def post(settings: Settings, service: dict[str, Any], verb: str, **parameters: str) -> dict[str, Any]:
    """Posts to ``/_local-sagemaker/<verb>`` with the state folder's secret key, which only its owner can read."""
    path = f"/_local-sagemaker/{verb}" + (f"?{urlencode(parameters)}" if parameters else "")
    keys = json.loads(settings.credentials_file.read_text())
    connection = http.client.HTTPConnection(settings.host, service["port"], timeout=60)
    try:
        connection.request("POST", path, headers={"x-secret": keys["secret_access_key"]})
        response = connection.getresponse()
        body = json.loads(response.read() or b"{}")
    except OSError as error:
        raise LifecycleError(f"The service at {service['url']} does not respond ({error}).") from error
    finally:
        connection.close()
    if response.status != 200:
        raise LifecycleError(f"The service refused '{verb}': {body.get('message', response.status)}")
    return dict(body)
