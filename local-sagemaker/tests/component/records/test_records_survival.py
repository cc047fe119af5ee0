"""Acknowledged records survive a crash of the process that wrote them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from local_sagemaker.records import Records


def test_every_acknowledged_record_survives_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite"
    program = (
        "import sys; from local_sagemaker.records import Records; from pathlib import Path\n"
        "records = Records(Path(sys.argv[1]))\n"
        "for n in range(10**6):\n"
        "    records.insert('job', str(n), {'n': n}); print(n, flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    acknowledged = [int(writer.stdout.readline()) for _ in range(500)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    writer.wait()
    writer.stdout.close()
    kept = {body["n"] for body in Records(file).list("job")}
    assert kept.issuperset(acknowledged)
