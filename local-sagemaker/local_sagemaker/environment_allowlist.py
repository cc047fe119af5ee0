"""Which of the machine's variables reach the service, the fork servers and jobs: those that are named here.

A process starts with a copy of its parent's variables, and what it forks shows that copy in ``/proc/self/environ``
whatever it sets later. So the service itself starts without the user's keys and tokens, of AWS or others: it needs
none, and there is nothing that a job could find in it or in the fork servers.

It runs in the image's Python (3.9 and later).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_OF_JOBS = (
    "USER", "LOGNAME", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "LD_LIBRARY_PATH",
)  # fmt: skip
_OF_FORK_SERVERS = (
    "PATH", "HOME", "TMPDIR", "LANG", "LANGUAGE", "NO_PROXY", "no_proxy", "LD_PRELOAD", "DYLD_LIBRARY_PATH",
    "LOCAL_SAGEMAKER_ISOLATION",
)  # fmt: skip
_THREADS = ("OMP_", "KMP_", "GOMP_", "OPENBLAS_", "MKL_", "BLIS_", "NUMEXPR_", "ARROW_")
"""Prefixes of what numeric libraries read when they are loaded."""
_OF_SERVICE = ("AWS_REGION", "AWS_DEFAULT_REGION", "SHELL", "PYENV_ROOT", "VIRTUAL_ENV")
_NO_KEYS = {
    "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip
"""Nothing in the service finds the user's account either."""


def of_jobs(outer: Mapping[str, str]) -> dict[str, str]:
    """Certificates, proxies, where packages come from."""
    return _choose(outer, _OF_JOBS, ("PIP_", "UV_"))


def of_fork_servers(outer: Mapping[str, str], *, own_python: bool = True) -> dict[str, str]:
    """What an interpreter, the service's own or another one, reads at its start, and its libraries; what jobs get."""
    prefixes = ("LC_", *_THREADS, *(["PYTHON"] if own_python else []))
    return {**of_jobs(outer), **_choose(outer, _OF_FORK_SERVERS, prefixes)}


def of_service(outer: Mapping[str, str]) -> dict[str, str]:
    """Its settings, where Pythons and caches are, and what the fork servers get."""
    return {**of_fork_servers(outer), **_choose(outer, _OF_SERVICE, ("LOCAL_SAGEMAKER_", "XDG_")), **_NO_KEYS}


def _choose(outer: Mapping[str, str], names: tuple[str, ...], prefixes: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in outer.items() if name in names or name.startswith(prefixes)}
