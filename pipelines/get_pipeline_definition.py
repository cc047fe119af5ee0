"""``get-pipeline-definition``: prints a pipeline's definition or writes it to a file, and creates no pipeline."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines import local
from pipelines.command_line import Parser

EXAMPLES = """examples:
  get-pipeline-definition --local -n pipelines.abalone.pipeline -f definition.json
  get-pipeline-definition -n pipelines.abalone.pipeline -kwargs "{'region': 'eu-west-1', 'default_bucket': 'my-bucket'}"
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        "get-pipeline-definition",
        description="Print the definition of a pipeline. The scripts of its steps are uploaded, as the SDK does.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("-n", "--module-name", help="module that holds get_pipeline, e.g. pipelines.abalone.pipeline")
    add("-f", "--file-name", help="file to write to, instead of the standard output")
    add("-kwargs", "--kwargs", metavar="DICT", help="arguments of get_pipeline, as a Python dict")
    add("-role-arn", "--role-arn", metavar="ARN", help="role of the jobs; by default the caller's")
    add(local.FLAG, action="store_true", help="build on this machine, without an AWS account")
    add("--region", help="AWS region; by default that of the environment")
    add("--bucket", help="bucket for everything; by default sagemaker-REGION-ACCOUNT")
    add("--debug", action="store_true", help="show tracebacks and the SDK's own messages")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 if the definition cannot be built, 2 for wrong usage."""
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = parser().parse_args(words)
    if arguments.module_name is None:
        missing = "-n MODULE is missing, the module with get_pipeline: -n pipelines.abalone.pipeline (--help shows all)"
        print(f"get-pipeline-definition: {missing}", file=sys.stderr) if words else parser().print_help()
        return 2
    if arguments.local:
        return local.hand_over("get-pipeline-definition", words)
    from pipelines import loader
    from pipelines.refusals import describe

    try:
        kwargs = loader.literal(arguments.kwargs, dict, "--kwargs")
        text = json.dumps(loader.define(arguments.module_name, kwargs, arguments).definition, indent=2)
        if arguments.file_name:
            Path(arguments.file_name).write_text(f"{text}\n", encoding="utf-8")
        else:
            print(text)
    except Exception as error:
        if arguments.debug:
            raise
        usage = isinstance(error, loader.LoadError)
        print(f"get-pipeline-definition: {describe(error)}{'' if usage else ' (--debug shows where)'}", file=sys.stderr)
        return 2 if usage else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
