"""The hook of `exec`: botocore's requests for AWS go to the service, everything else for AWS is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.client_environment import client_environment, with_hook
from local_sagemaker.config import Settings

IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Account>123456789012</Account><Arn>a</Arn><UserId>u</UserId></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)


@pytest.fixture
def listener() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An HTTP server that keeps the headers of what it is sent and answers as STS."""
    seen: list[dict[str, str]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append({name.title(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", str(len(IDENTITY)))
            self.end_headers()
            self.wfile.write(IDENTITY)

        def log_message(self, *words: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


def under_hook(url: str, program: str, tmp_path: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    keys = {"access_key_id": "AKIAEXAMPLEEXAMPLE12", "secret_access_key": "s" * 40}
    environment = with_hook({**os.environ, **extra}, client_environment(Settings(home=tmp_path), url, keys))
    words = [sys.executable, "-c", program]
    return subprocess.run(words, check=False, env=environment, capture_output=True, text=True, timeout=60)


def test_a_hard_coded_endpoint_of_botocore_reaches_the_service(
    listener: tuple[str, list[dict[str, str]]], tmp_path: Path
) -> None:
    url, seen = listener
    program = (
        "import boto3; sts = boto3.client('sts', endpoint_url='https://sts.us-east-1.amazonaws.com')\n"
        "print(sts.get_caller_identity()['Account'])"
    )
    done = under_hook(url, program, tmp_path)
    assert done.stdout.strip() == "123456789012", done.stderr
    assert seen[0]["Host"] == "sts.us-east-1.amazonaws.com", "the signature covers the host, so it is kept"
    assert "AKIAEXAMPLEEXAMPLE12" in seen[0]["Authorization"]


def test_other_http_clients_are_refused(listener: tuple[str, list[dict[str, str]]], tmp_path: Path) -> None:
    host = "sagemaker.cn-north-1.amazonaws.com.cn"
    program = (
        "import requests\n"
        f"try: requests.get('https://{host}/', timeout=5)\n"
        "except requests.ConnectionError as error: print(error)"
    )
    done = under_hook(listener[0], program, tmp_path)
    assert f"{host} is refused here" in done.stdout, done.stderr
    assert listener[1] == []


def test_telemetry_of_the_sdk_ends_here_without_a_word(
    listener: tuple[str, list[dict[str, str]]], tmp_path: Path
) -> None:
    """SDK v2 logs a traceback when it cannot send; it asks with `requests`, as here."""
    program = (
        "import warnings; warnings.simplefilter('error'); import requests\n"
        "url = 'https://sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com/telemetry?x-accountId=1'\n"
        "for _ in range(2): print(requests.get(url, 2).status_code)"
    )
    done = under_hook(listener[0], program, tmp_path)
    assert (done.stdout.split(), done.stderr) == (["204", "204"], "")
    assert listener[1] == []


CLIENTS = {
    "urllib.request": "import urllib.request as r; print(r.urlopen(r.Request(URL, data=b'x')).status)",
    "http.client": "import http.client as h; c = h.HTTPSConnection(HOST, timeout=9); c.request('POST', '/t/x', 'x'); "
    "print(c.getresponse().status)",
    "urllib3": "import urllib3; print(urllib3.PoolManager().request('POST', URL, body='x').status)",
    "requests": "import warnings; warnings.simplefilter('error'); import requests; "
    "print(requests.post(URL, data='x', timeout=9).status_code)",
    "requests, botocore before": "import botocore.session, requests; print(requests.post(URL, data='x').status_code)",
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("proxy", [{}, {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}])
def test_plain_http_clients_reach_a_rest_api_by_its_aws_name(
    client: str, proxy: dict[str, str], listener: tuple[str, list[dict[str, str]]], tmp_path: Path
) -> None:
    host = "abcdefghij.execute-api.eu-west-1.amazonaws.com"
    program = f"HOST, URL = '{host}', 'https://{host}/t/x'\n{CLIENTS[client]}"
    done = under_hook(listener[0], program, tmp_path, **proxy)
    assert done.stdout.strip() == "200", done.stderr
    assert listener[1][0]["Host"] == host


def test_other_hosts_are_none_of_its_business(listener: tuple[str, list[dict[str, str]]], tmp_path: Path) -> None:
    program = "import socket; print(socket.getaddrinfo('localhost', 80)[0][4][1])"
    assert under_hook(listener[0], program, tmp_path).stdout.strip() == "80"


def test_a_sitecustomize_that_it_hides_still_runs(listener: tuple[str, list[dict[str, str]]], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os; os.environ['SEEN'] = 'yes'\n")
    program = "import os, json; print(json.dumps(os.environ.get('SEEN')))"
    done = under_hook(listener[0], program, tmp_path, PYTHONPATH=str(tmp_path))
    assert json.loads(done.stdout) == "yes"


def test_credentials_of_the_user_do_not_get_in_the_way(
    listener: tuple[str, list[dict[str, str]]], tmp_path: Path
) -> None:
    program = "import boto3; print(boto3.Session().get_credentials().access_key)"
    done = under_hook(listener[0], program, tmp_path, AWS_PROFILE="mine", AWS_SESSION_TOKEN="t")
    assert done.stdout.strip() == "AKIAEXAMPLEEXAMPLE12", done.stderr
