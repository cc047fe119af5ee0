"""Manual approvals: announced by SNS, given or refused by PutApprovalResult."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import iso
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.delivery_members import own_action
from local_sagemaker.records.store import Body

log = logging.getLogger(__name__)


class Approvals:
    """Announces approvals that wait."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def announce(self, action: Body) -> None:
        """Publishes the approval to the action's topic, where it has one (user guide, "JSON data format")."""
        settings = action["input"]["resolvedConfiguration"]
        topic = settings.get("NotificationArn")
        if not topic:
            return
        own = own_action(action)
        region, name, stage = action["input"]["region"], own["_name"], action["stageName"]
        console = f"https://console.aws.amazon.com/codepipeline/home?region={region}#/view/{name}"
        expires = datetime.fromtimestamp(own["_expires"], UTC).strftime("%Y-%m-%dT%H:%MZ")
        message = {
            "region": region, "consoleLink": console,
            "approval": {
                "pipelineName": name, "stageName": stage, "actionName": action["actionName"],
                "token": own["_token"], "expires": expires,
                "externalEntityLink": settings.get("ExternalEntityLink"),
                "approvalReviewLink": f"{console}/{stage}/{action['actionName']}/approve/{own['_token']}",
                "customData": settings.get("CustomData"),
            },
        }  # fmt: skip
        subject = f"APPROVAL NEEDED: AWS CodePipeline {name} for action {action['actionName']}"[:100]
        try:
            self._call("sns:Publish", {"TopicArn": topic, "Subject": subject, "Message": json.dumps(message)})
        except ServiceError as error:
            log.warning("approval %s at %s: %s", action["actionName"], iso(action["startTime"]), error.message)
