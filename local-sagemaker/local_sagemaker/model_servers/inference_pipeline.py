"""A serial inference pipeline: one address in front of several containers, each serving the one before.

The response body and Content-Type of a container are the request of the next; the client's Accept reaches the last
(contracts: containers 5.1). The first error is the response.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local_sagemaker.model_client import ModelClient, NoModelResponse

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
SECONDS = 60.0
PipelineResponse = tuple[int, dict[str, str], bytes]


class InferencePipeline:
    """Listens on loopback and passes requests through the containers in order."""

    def __init__(self, urls: Sequence[str]) -> None:
        # A kept connection may have been closed in the meantime.
        self._clients = [ModelClient(url, seconds=SECONDS, reconnects=1) for url in urls]
        chain = self

        class Link(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(chain.get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._send(chain.invoke(body, dict(self.headers.items())))

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the containers log."""

            def _send(self, response: PipelineResponse) -> None:
                status, headers, body = response
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Link)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="inference-pipeline", daemon=True).start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()

    def get(self, path: str) -> PipelineResponse:
        """/ping of all containers; anything else of the first."""
        for index in range(len(self._clients)):
            response = self._request(index, "GET", path, b"", {})
            if response[0] != 200 or path != "/ping":
                return response
        return response

    def invoke(self, body: bytes, headers: dict[str, str]) -> PipelineResponse:
        """One request through all containers."""
        content_type = headers.get("Content-Type")
        attributes = {name: value for name, value in headers.items() if name.lower() == ATTRIBUTES.lower()}
        for index in range(len(self._clients)):
            last = index == len(self._clients) - 1
            own_headers = dict(attributes)
            if content_type:
                own_headers["Content-Type"] = content_type
            if last and headers.get("Accept"):
                own_headers["Accept"] = headers["Accept"]
            status, returned, body = self._request(index, "POST", "/invocations", body, own_headers)
            content_type = returned.get("Content-Type")
            if not 200 <= status < 300:
                break
        return status, returned, body

    def _request(self, index: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> PipelineResponse:
        try:
            response = self._clients[index].exchange(method, path, body, headers)
        except NoModelResponse:
            return 503, {"Content-Type": "text/plain"}, b"A container of the inference pipeline does not respond."
        kept = ("content-type", ATTRIBUTES.lower())
        shown = {name.title(): value for name, value in response.headers.items() if name.lower() in kept}
        return response.status, shown, response.body
