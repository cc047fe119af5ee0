"""``local-sagemaker failed-jobs``: the folders of failed jobs that are kept to be looked at."""

from __future__ import annotations

import argparse
from datetime import datetime

from local_sagemaker.config import Settings
from local_sagemaker.jobs.failed_jobs import MOST, MOST_BYTES, FailedJobs
from local_sagemaker.lifecycle import LifecycleError

EXAMPLES = f"""The newest {MOST} of each region are kept, with {MOST_BYTES >> 30} GiB at most.
'local-sagemaker shell' opens a shell in one.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to remove any."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("--remove", metavar="NAME", help="remove the folder of that name")
    parser.add_argument("--remove-all", action="store_true", help="remove all")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Lists them, the newest first, or removes some."""
    folders = sorted(settings.failed_jobs.parent.glob("*/"))
    regions = {folder.name: FailedJobs(folder) for folder in folders}
    if options.remove or options.remove_all:
        removed = sum(kept.remove(options.remove) for kept in regions.values())
        if options.remove and not removed:
            raise LifecycleError(f"No folder of '{options.remove}' is kept; 'local-sagemaker failed-jobs' lists them.")
        print(f"Removed: {removed}")
        return 0
    jobs = [(region, job) for region, kept in regions.items() for job in kept.list()]
    for region, job in jobs:
        moment = datetime.fromtimestamp(job.failed).astimezone()
        print(f"{job.name}  {moment:%Y-%m-%d %H:%M:%S}  {job.bytes / 1e6:.1f} MB  {region}\n  {job.folder}")
    if not jobs:
        print("No folder of a failed job is kept.")
    return 0
