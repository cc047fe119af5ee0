"""Waits, at its import, until a debugger attaches to this process (``local-sagemaker debug --listen PORT``).

LOCAL_SAGEMAKER_DEBUGGER holds the port and, after a colon, the folder of debugpy: that of the service's installation,
which the job sees at its own place. The first Python of a job that is no installer takes the port.
"""

from __future__ import annotations

import os
import sys

VARIABLE = "LOCAL_SAGEMAKER_DEBUGGER"


def listen() -> None:
    """Takes the port and waits. What this process starts does not."""
    port, _, folder = os.environ[VARIABLE].partition(":")
    if "pip" in getattr(sys, "orig_argv", ()):
        return
    del os.environ[VARIABLE]
    sys.path.insert(0, os.path.dirname(folder))
    try:
        import debugpy

        debugpy.listen(("127.0.0.1", int(port)))
        sys.stderr.write(f"local-sagemaker: waiting for a debugger on 127.0.0.1:{port}\n")
        debugpy.wait_for_client()
    except Exception as error:
        sys.stderr.write(f"local-sagemaker: no debugger: {error}\n")
    finally:
        sys.path.remove(os.path.dirname(folder))


listen()
