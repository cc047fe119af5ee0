"""The code of the Lambda function: a row comes in, the name of the class goes out.

Shipped alone: it needs boto3, which AWS Lambda's Python runtimes have. The REST API hands over the request's JSON
body as the event, and the response is its body.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

import boto3

ENDPOINT_NAME = os.environ["ENDPOINT_NAME"]
CLASSES = os.environ.get("CLASSES", "Setosa,Versicolor,Virginica").split(",")
FEATURES = int(os.environ.get("FEATURES", "4"))
runtime = boto3.client("sagemaker-runtime")


class BadRequest(Exception):
    """The text begins so that the REST API makes status 400 of it."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Bad request: {text}")


def lambda_handler(event: Any, context: Any) -> str:  # noqa: ARG001 - Lambda gives two
    """The class of the row in ``event["data"]``, comma-separated numbers."""
    row = check(event)
    # Containers from 1.2-2 on return CSV with one row to a line, which is no JSON; older ones ignore Accept and return
    # the list of probabilities itself.
    response = runtime.invoke_endpoint(
        EndpointName=ENDPOINT_NAME, ContentType="text/csv", Accept="application/json", Body=row.encode()
    )
    scores = probabilities(json.loads(response["Body"].read()))
    if len(scores) != len(CLASSES):
        raise RuntimeError(f"{len(scores)} probabilities for {len(CLASSES)} classes")
    return CLASSES[scores.index(max(scores))]


def check(event: Any) -> str:
    """:raises BadRequest: if the event holds no row of as many numbers as the model takes."""
    if not isinstance(event, dict) or not isinstance(event.get("data"), str):
        raise BadRequest('{"data": "5.1,3.3,1.7,0.5"} is expected')
    cells = event["data"].split(",")
    if len(cells) != FEATURES:
        raise BadRequest(f"{FEATURES} numbers are expected, and not {len(cells)}")
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError as error:
        raise BadRequest(str(error)) from error
    if not all(math.isfinite(number) for number in numbers):
        raise BadRequest("a number is not finite")
    return event["data"].strip()


def probabilities(response: Any) -> list[float]:
    """The numbers of either form of the response: ``{"predictions": [{"score": [...]}]}``, or the list."""
    if isinstance(response, dict):
        response = response["predictions"][0]["score"]
    return [float(score) for score in response]
