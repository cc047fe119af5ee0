"""``local-model``: a model from this machine behind a REST API. ``tour`` does it all; each stage is a command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from delivery import command_line
from delivery.cleanup import KEEPABLE
from delivery.command_line import Command, CommandContext
from delivery.images import XGBOOST
from delivery.local_model.stages import GOLDEN, StageNames
from delivery.ownership import LOCAL_MODEL
from pipelines.local import curl_command, next_command

EXAMPLES = f"""examples (each on this machine with --local):
  local-model tour                                   all of it, from training to a name of a class
  local-model tour --clean-up                        and nothing is left
  local-model package my-model.json && local-model upload && local-model deploy && local-model api
  local-model call {GOLDEN}
  local-model clean-up
"""
FOLDER = Path("local-model")


def parser() -> argparse.ArgumentParser:
    made = command_line.parser(
        LOCAL_MODEL, "Serve a model that was trained on this machine behind a REST API.", EXAMPLES
    )
    commands = made.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        nested = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command_line.add_common(nested)
        nested.add_argument("--name", default="iris", help="what everything is called; by default iris")
        nested.add_argument("--folder", type=Path, default=FOLDER, help=f"for files; by default {FOLDER}")
        nested.set_defaults(command=command)
        return nested

    nested = add("tour", tour, "train, package, upload, deploy, open the API, and call it")
    _add_deployment(nested)
    nested.add_argument("--clean-up", action="store_true", help="delete everything afterwards")
    add("train", train, "train a classifier of irises on this machine")
    nested = add("package", package, "pack a model into the archive that the built-in container loads")
    nested.add_argument("model", nargs="?", type=Path, help="pickle, JSON, UBJSON or binary; by default that of train")
    nested.add_argument("--rows", type=Path, metavar="CSV", help="rows to check the packed model with")
    nested = add("upload", upload, "upload the archive to S3")
    nested.add_argument("archive", nargs="?", type=Path, help="by default that of package")
    nested = add("deploy", deploy, "make the model and its endpoint, or update them")
    nested.add_argument("model_data", nargs="?", metavar="S3URI", help="by default what was uploaded last")
    _add_deployment(nested)
    add("api", api, "put a Lambda function and a REST API in front of the endpoint")
    nested = add("call", call, "POST a row to the REST API")
    nested.add_argument("row", nargs="?", default=GOLDEN, help=f"by default {GOLDEN}")
    nested = add("clean-up", clean_up, "delete everything that was made, and say what it was billed by")
    nested.add_argument("--keep", action="append", choices=["data"], help="leave this")
    nested.add_argument("--dry-run", action="store_true", help="only show what exists")
    return made


def _add_deployment(nested: argparse.ArgumentParser) -> None:
    nested.add_argument("--role-arn", metavar="ARN", help="role of the model; by default the caller's")
    nested.add_argument("--image", metavar="URI", help="by default the built-in XGBoost's")
    nested.add_argument("--image-version", default=XGBOOST, metavar="TAG", help=f"of that; by default {XGBOOST}")
    nested.add_argument("--instance-type", default="ml.m5.large")
    nested.add_argument("--timeout", type=float, default=1800, metavar="SECONDS")


def tour(work: CommandContext) -> None:
    arguments = work.arguments
    arguments.model = arguments.rows = arguments.archive = arguments.model_data = None
    arguments.row, arguments.keep, arguments.dry_run = GOLDEN, None, False
    for title, stage in STAGES:
        print(f"\n{title}", flush=True)
        stage(work)
    if arguments.clean_up:
        print("\nClean up")
        clean_up(work)
    else:
        print(
            f"\nNext, when it is no longer needed:\n  {next_command(f'local-model clean-up --name {arguments.name}')}"
        )


def train(work: CommandContext) -> None:
    from delivery.local_model import training

    done = training.train(work.arguments.folder)
    print(f"{done.model}: {done.accuracy:.3f} of the test split are right; rows to try: {done.rows}")


def package(work: CommandContext) -> None:
    from delivery.local_model import packaging, training

    arguments = work.arguments
    model, rows = arguments.model, arguments.rows
    if model is None:
        model = arguments.folder / training.MODEL
        rows = rows or arguments.folder / training.ROWS
    done = packaging.package(model, _archive(work), rows)
    print(f"{done.archive}: from {model} ({done.format}), predictions checked")
    for change in done.changes:
        print(f"  {change}")


def upload(work: CommandContext) -> None:
    from delivery.local_model import stages

    archive = work.arguments.archive or _archive(work)
    print(stages.upload(work.clients, _names(work), archive, work.own_bucket))


def deploy(work: CommandContext) -> None:
    from delivery import endpoints, images
    from delivery.local_model import stages

    arguments = work.arguments
    uri = arguments.model_data or stages.find_uploaded(work.clients, _names(work), work.bucket)
    image = arguments.image or images.xgboost_image(work.region, arguments.image_version)
    wanted = stages.deployment(work.clients, _names(work), uri, image, work.role, arguments.instance_type)
    done = endpoints.deploy(work.clients, wanted, arguments.timeout)
    print(f"endpoint {wanted.endpoint} {done}: {uri} in {image}", flush=True)
    states = endpoints.wait(work.clients, wanted.endpoint, wanted.configuration, arguments.timeout)
    command_line.show_waiting(work, f"endpoint {wanted.endpoint}", states)


def api(work: CommandContext) -> None:
    from delivery.local_model import stages

    url = stages.open_api(work.clients, _names(work)).url
    print(f"POST {url}")
    curl = curl_command(url, json.dumps({"data": GOLDEN}))
    if curl:
        print(f"With curl:\n  {curl}")


def call(work: CommandContext) -> None:
    from delivery.local_model import rest_api, stages

    print(rest_api.call(stages.api(work.clients, _names(work)).url, work.arguments.row))


def clean_up(work: CommandContext) -> None:
    from delivery.endpoint_commands import clean
    from delivery.owned_resources import OwnerFilter

    arguments = work.arguments
    selection = OwnerFilter(LOCAL_MODEL, arguments.name, (work.bucket,))
    clean(work, selection, [word for word in arguments.keep or () if word in KEEPABLE], arguments.dry_run)


def _names(work: CommandContext) -> StageNames:
    return StageNames(work.arguments.name)


def _archive(work: CommandContext) -> Path:
    folder: Path = work.arguments.folder
    return folder / "model.tar.gz"


STAGES = (
    ("Train on this machine", train),
    ("Package the model", package),
    ("Upload it", upload),
    ("Deploy it", deploy),
    ("Open the API", api),
    ("Call it", call),
)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 if it cannot be done, 2 for wrong usage, 130 for Ctrl-C."""
    return command_line.run(LOCAL_MODEL, "delivery", parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
