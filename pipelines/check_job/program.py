"""Runs one check: analyses, compares with the baseline, writes the files, and ends the job accordingly."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model_checks.errors import AnalysisError

from . import baselines, storage
from .analyses import Findings, analyse, make_monitoring_config
from .arguments import CONFIG, CONFIG_FILE, JOB_CONFIG, MESSAGE, OUTPUT, REPORT, Arguments, parse
from .baselines import BASELINES, CheckBaseline

VIOLATIONS, MONITORED = "constraint_violations.json", "monitoring_config.json"
SHOWN = 1024  # characters of a message; the platform keeps no more
FAMILIES = {"DATA_QUALITY": "Quality", "MODEL_QUALITY": "Quality"}  # of the others: Clarify


@dataclass(frozen=True)
class JobEnd:
    """How the job ends: its exit code, and the message that DescribeProcessingJob shows."""

    code: int
    message: str


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 for violations and whatever else ends the check."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    arguments = parse(sys.argv[1:] if argv is None else argv)
    try:
        end = run(arguments)
    except AnalysisError as error:
        end = JobEnd(1, str(error))
    except Exception as error:  # the job's end is the boundary: the reason belongs into its message
        traceback.print_exc()
        end = JobEnd(1, f"Error: {type(error).__name__}: {error}")
    print(f"check: {end.message}", file=sys.stderr if end.code else sys.stdout)
    _leave_message(arguments, end.message)
    return end.code


def run(arguments: Arguments) -> JobEnd:
    """Everything between the arguments and the end. Raises AnalysisError where the check can't be done."""
    config = json.loads((arguments.processing(CONFIG) / CONFIG_FILE).read_text("utf-8"))
    place = output_uri(arguments)
    previous = find_baseline(arguments) if arguments.needs_baseline else None
    findings = analyse(arguments, config, previous if arguments.compares else None)
    texts = dict(findings.files)
    if arguments.check not in FAMILIES:
        texts[MONITORED] = json.dumps(make_monitoring_config(config), indent=4)
    texts[REPORT] = json.dumps(describe(arguments, place, findings, previous), indent=4)
    folder = arguments.processing(OUTPUT)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    if not findings.violations:
        return JobEnd(0, "Completed: Job completed successfully with no violations.")
    if arguments.fail_on_violation:
        storage.upload(folder, place)  # outputs of a failed job are not certain
        family = FAMILIES.get(arguments.check, "Clarify")
        return JobEnd(1, f"ClientError: {family} check failed. See violation report {place}/{VIOLATIONS}")
    count = len(findings.violations)
    return JobEnd(0, f"CompletedWithViolations: Job completed successfully with {count} violations.")


def output_uri(arguments: Arguments) -> str:
    """Where the platform puts the job's output, from the job's own configuration."""
    try:
        configured = json.loads((arguments.root / JOB_CONFIG).read_text("utf-8"))
        outputs = configured["ProcessingOutputConfig"]["Outputs"]
        return str(outputs[0]["S3Output"]["S3Uri"]).rstrip("/")
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise AnalysisError(f"Error: The job's configuration {JOB_CONFIG} names no output.") from None


def find_baseline(arguments: Arguments) -> CheckBaseline:
    """The supplied baseline, else the latest approved version's. Raises AnalysisError where there is none."""
    baseline = baselines.from_caller(arguments.check, arguments.statistics, arguments.constraints)
    if baseline is not None:
        return baseline
    approved = baselines.latest_approved(storage.client("sagemaker"), arguments.group)
    registered = baselines.from_registry(arguments.check, approved) if approved else None
    if registered is None:
        raise AnalysisError(
            f"ClientError: no baseline for {arguments.check}: supply one, or set Skip and Register for the first run"
        )
    return registered


def describe(arguments: Arguments, place: str, findings: Findings, previous: CheckBaseline | None) -> Mapping[str, Any]:
    """check.json, from which the pipeline registers: what was computed, and which baseline holds from now on."""
    is_quality = len(BASELINES[arguments.check]) > 1
    constraints = "constraints.json" if is_quality else "analysis.json"
    calculated = CheckBaseline(f"{place}/{constraints}", f"{place}/statistics.json" if is_quality else None)
    used = calculated if arguments.register or previous is None else previous
    count = len(findings.violations)
    return {
        "check_type": arguments.check,
        "group": arguments.group,
        "skip": arguments.skip,
        "register": arguments.register,
        "violations": count,
        "status": "CompletedWithViolations" if count else "Completed",
        "calculated": _files(calculated),
        "baseline_used": _files(used),
        "compared_with": _files(previous) if previous and arguments.compares else None,
        "monitoring_config": "" if is_quality else f"{place}/{MONITORED}",
        "report": f"{place}/{VIOLATIONS}" if count else "",
    }


def _files(baseline: CheckBaseline) -> Mapping[str, str | None]:
    return {"statistics": baseline.statistics, "constraints": baseline.constraints}


def _leave_message(arguments: Arguments, text: str) -> None:
    file = arguments.root / MESSAGE
    if file.parent.is_dir():
        file.write_text(text[:SHOWN], "utf-8")


if __name__ == "__main__":
    sys.exit(main())
