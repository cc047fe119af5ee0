"""``model-registry``: from a registered model to an endpoint in service, and back to nothing.

A version is called GROUP/3, GROUP/latest, GROUP/approved, or by its ARN.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from delivery import command_line
from delivery import endpoint_commands as endpoint
from delivery import registry_commands as registered
from delivery.cleanup import KEEPABLE
from delivery.command_line import Command
from delivery.lineage_command import show_lineage
from delivery.ownership import MAKERS, REGISTRY
from delivery.traffic import TYPES, WAIT, Size

EXAMPLES = """examples (each on this machine with --local):
  model-registry register abalone --from-pipeline AbalonePipeline
  model-registry compare abalone --plot abalone.svg
  model-registry approve abalone/latest --comment "mse 4.6, no drift"
  model-registry deploy abalone --endpoint abalone --data-capture 100
  model-registry deploy abalone/2 --traffic canary --alarm abalone-5xx
  model-registry invoke abalone 0.455,0.365,0.095,0.514,0.2245,0.101,0.15,1,0,0
  model-registry invoke abalone --file rows.csv --accept application/json
  model-registry lineage abalone
  model-registry clean-up --dry-run
"""
TRAFFIC = """how an update goes:
  nothing of the below             all traffic goes to the new version when it is healthy
  --traffic all-at-once            the same, then the alarms are watched for --traffic-wait seconds
  --traffic canary                 --traffic-size of it first, the rest after --traffic-wait seconds
  --traffic linear                 in steps of --traffic-size, with --traffic-wait seconds after each
An alarm that rings during the update, or an instance that is not healthy, gives all traffic back to the old version.

examples:
  model-registry deploy abalone/2 --traffic canary --traffic-size 10% --traffic-wait 600 --alarm abalone-5xx
  model-registry deploy abalone/2 --traffic linear --traffic-size 25% --alarm abalone-5xx --alarm abalone-latency
  model-registry deploy abalone/2 --instance-count 4 --traffic canary --traffic-size 1 --termination-wait 300
"""
VERSION = "GROUP/3, GROUP/latest, GROUP/approved, or an ARN"


def parser() -> argparse.ArgumentParser:
    made = command_line.parser(
        "model-registry", "Register, compare, approve, deploy and invoke models; clean up afterwards.", EXAMPLES
    )
    commands = made.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        nested = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command_line.add_common(nested)
        nested.set_defaults(command=command)
        return nested

    _add_registry(add)
    _add_origins(add)
    _add_endpoints(add)
    return made


def _add_registry(add: command_line.Adder) -> None:
    nested = add("create-group", registered.create_group, "make a group of models, unless it exists")
    nested.add_argument("group")
    nested.add_argument("--description", default="")

    nested = add("register", registered.register, "register a model as the next version of a group")
    nested.add_argument("group", help="created if it does not exist")
    source = nested.add_mutually_exclusive_group(required=True)
    source.add_argument("--from-pipeline", metavar="NAME|ARN", help="latest good execution of a pipeline, or one's ARN")
    source.add_argument("--from-training-job", metavar="NAME")
    source.add_argument("--model-data", metavar="FILE|S3URI", help="a model.tar.gz")
    nested.add_argument("--step", help="the training step, if the pipeline has several")
    nested.add_argument("--image", help="image of --model-data; by default the built-in XGBoost's")
    nested.add_argument("--metrics", metavar="FILE|S3URI", help="JSON with the model's metrics")
    nested.add_argument("--description", default="")
    nested.add_argument("--approved", action="store_true", help="approved at once instead of pending")

    nested = add("list", registered.list_, "list groups, or a group's versions")
    nested.add_argument("group", nargs="?")
    nested.add_argument("--status", choices=("Approved", "Rejected", "PendingManualApproval"))
    nested.add_argument("--json", action="store_true")

    nested = add("compare", registered.compare, "show the metrics of versions side by side")
    nested.add_argument("group")
    nested.add_argument("numbers", nargs="*", metavar="NUMBER", help="by default the last ones")
    nested.add_argument("--last", type=_positive, default=5, metavar="N", help="how many, by default 5")
    nested.add_argument("--plot", metavar="FILE", help="also draw them, as .png, .svg or .pdf")
    nested.add_argument("--json", action="store_true")

    nested = add("describe", registered.describe, "show all that is known of a version, as JSON")
    nested.add_argument("version", help=VERSION)

    for name, command in (("approve", registered.approve), ("reject", registered.reject)):
        nested = add(name, command, f"{name} a version")
        nested.add_argument("version", help=VERSION)
        nested.add_argument("--comment", default="", help="stays with the version")

    nested = add("latest", registered.latest, "print the ARN of a group's latest approved version")
    nested.add_argument("group")
    nested.add_argument("--json", action="store_true")


def _add_origins(add: command_line.Adder) -> None:
    nested = add("copy", registered.copy, "copy a version with its files into another group, region or account")
    nested.add_argument("version", help=VERSION)
    nested.add_argument("group", help="of the copy; created if it does not exist")
    nested.add_argument("--to-region", metavar="REGION", help="by default the same")
    nested.add_argument("--to-role-arn", metavar="ARN", help="a role of the other account that may be assumed")
    nested.add_argument("--to-bucket", metavar="NAME", help="of the files; by default that account's default bucket")
    nested.add_argument("--image", metavar="URI", help="of the copy, where the other region has it under another name")
    nested.add_argument("--approved", action="store_true", help="approved at once instead of pending")

    nested = add("lineage", show_lineage, "show where a model comes from: commit, data, parameters, metrics, approvals")
    nested.add_argument("name", help=f"an endpoint, or a version: {VERSION}")
    nested.add_argument("--json", action="store_true")


def _add_endpoints(add: command_line.Adder) -> None:
    nested = add("deploy", endpoint.deploy, "serve a version: make the endpoint, or update it")
    nested.add_argument("version", help=f"{VERSION}; a group alone means its latest approved version")
    nested.add_argument("--endpoint", help="name of the endpoint; by default the group's")
    nested.add_argument("--instance-type", default="ml.m5.large")
    nested.add_argument("--instance-count", type=_positive, default=1, metavar="N")
    nested.add_argument("--role-arn", metavar="ARN", help="role of the model; by default the caller's")
    nested.add_argument("--data-capture", type=_percentage, metavar="PERCENT", help="keep requests and responses in S3")
    nested.add_argument("--capture-to", metavar="S3URI", help="where; by default in the bucket")
    nested.add_argument("--timeout", type=float, default=1800, metavar="SECONDS")
    nested.add_argument("--no-wait", action="store_true", help="start it and return")
    _add_traffic(nested)

    nested = add("wait", endpoint.wait, "wait until an endpoint is in service")
    nested.add_argument("endpoint")
    nested.add_argument("--timeout", type=float, default=1800, metavar="SECONDS")

    nested = add("invoke", endpoint.invoke, "invoke an endpoint")
    nested.add_argument("endpoint")
    nested.add_argument("row", nargs="?", help="what to send; by default the standard input")
    nested.add_argument("--file", help="send a file's contents")
    nested.add_argument("--content-type", default="text/csv")
    nested.add_argument("--accept")
    nested.add_argument("--target-model", metavar="ARCHIVE", help="of a multi-model endpoint, e.g. model-0.tar.gz")
    nested.add_argument("--target-variant")

    nested = add("clean-up", endpoint.clean_up, "delete everything that was made, and say what it was billed by")
    nested.add_argument("name", nargs="?", help="only what belongs to this group")
    nested.add_argument("--made-by", choices=MAKERS, default=REGISTRY, help=f"by default {REGISTRY}")
    nested.add_argument("--keep", action="append", choices=sorted(KEEPABLE), help="leave this; repeatable")
    nested.add_argument("--dry-run", action="store_true", help="only show what exists")


def _add_traffic(nested: argparse.ArgumentParser) -> None:
    nested.epilog, nested.formatter_class = TRAFFIC, command_line.ExampleFormatter
    group = nested.add_argument_group("how an update moves the traffic")
    group.add_argument("--traffic", choices=TYPES, help="at once, a part first, or step by step")
    group.add_argument(
        "--traffic-size", type=_size, metavar="SIZE",
        help="percent of the new version's capacity (20%%), or a number of instances; by default 10%% for a canary, "
        "20%% for linear steps",
    )  # fmt: skip
    group.add_argument("--traffic-wait", type=_seconds, metavar="SECONDS", help=f"after each step, by default {WAIT}")
    group.add_argument("--alarm", action="append", metavar="NAME", help="CloudWatch alarm that undoes it; repeatable")
    group.add_argument(
        "--termination-wait", type=_seconds, metavar="SECONDS", help="until the old instances end, by default 0"
    )


def _size(text: str) -> Size:
    number = text.removesuffix("%")
    if not number.isdecimal() or int(number) < 1:
        raise argparse.ArgumentTypeError(f"{text} is neither a percentage like 20% nor a number of instances")
    return Size(int(number), percent=text.endswith("%"))


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) > 3600:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 3600")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


def _percentage(text: str) -> int:
    if not text.isdecimal() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 100")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 if it cannot be done, 2 for wrong usage, 130 for Ctrl-C."""
    return command_line.run("model-registry", "delivery", parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
