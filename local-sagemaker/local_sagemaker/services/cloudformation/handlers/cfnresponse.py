"""The module ``cfnresponse``, which CloudFormation puts beside a function's code that is in the template itself.

Its names and what it sends are documented in the user guide, "cfn-response module".
"""

import json
import urllib.request
from typing import Any

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(
    event: dict[str, Any], context: Any, responseStatus: str, responseData: dict[str, Any],
    physicalResourceId: "str | None" = None, noEcho: bool = False, reason: "str | None" = None,
) -> None:  # fmt: skip
    """Responds to a request of a custom resource. What goes wrong is in the function's log only."""
    log = f"See the details in CloudWatch Log Stream: {context.log_stream_name}"
    document = {
        "Status": responseStatus,
        "Reason": reason or log,
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }
    body = json.dumps(document).encode()
    print("Response body:", body.decode())  # noqa: T201
    request = urllib.request.Request(event["ResponseURL"], body, {"content-type": ""}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            print("Status code:", response.status)  # noqa: T201
    except (OSError, ValueError) as error:
        print("send(..) failed:", error)  # noqa: T201
