"""An HTTP server in front of the services behind moto, and clients of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local_sagemaker.config import Settings
from local_sagemaker.http import RawRequest
from local_sagemaker.records import Records
from local_sagemaker.services.moto_services import MotoServices

ACCOUNT = "210987654321"
SESSION = boto3.Session(region_name="us-east-1")  # One, since loading the services' models takes long.
Client = Callable[..., Any]


class Keys:
    """The credentials' side of it: what was issued."""

    def __init__(self) -> None:
        self.issued: dict[str, tuple[str, str | None, float | None]] = {}

    def issue(self, access_key_id: str, secret: str, token: str | None, expires: float | None) -> None:
        self.issued[access_key_id] = (secret, token, expires)


class Bridge:
    """An HTTP server in front of the neighbours, which can be restarted over the same records."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, account=ACCOUNT)
        self.records = Records(self.settings.records_file)
        self.keys = Keys()
        self.restart()
        bridge = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                found = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", self.headers.get("Authorization", ""))
                path, _, query = self.path.partition("?")
                request = RawRequest(self.command, path, query, dict(self.headers.items()), body)
                response = bridge.moto_services.respond(found[1] if found else "", request)
                self.send_response(response.status)
                for name, value in response.headers.items():
                    if name.lower() != "content-length":
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                self.wfile.write(response.body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def restart(self) -> None:
        """As after a kill: nothing but the records is left."""
        self.moto_services = MotoServices(settings=self.settings, records=self.records, credentials=self.keys)

    def client(self, service: str, key: str = "AKIAAAAAAAAAAAAAAAAA", **options: Any) -> Any:
        return SESSION.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.server.server_port}",
            aws_access_key_id=key,
            aws_secret_access_key="secret",
            config=Config(retries={"max_attempts": 0}),
            **options,
        )

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.records.close()
