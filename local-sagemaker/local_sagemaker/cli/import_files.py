"""``local-sagemaker import``: files that were copied into the state folder become S3 objects."""

from __future__ import annotations

import argparse

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Indexes what is new in ``objects/BUCKET/`` (a new folder becomes a bucket), and says how much that is."""
    service = lifecycle.find_running(settings) or lifecycle.start(settings)
    counts = post(settings, service, "import")
    for bucket, count in counts.items():
        if count:
            print(f"s3://{bucket}: {count} new object{'s' if count > 1 else ''}")
    if not any(counts.values()):
        print(f"Nothing new in {settings.objects}. Copy files to {settings.objects / 'BUCKET' / 'KEY'} first.")
    return 0
