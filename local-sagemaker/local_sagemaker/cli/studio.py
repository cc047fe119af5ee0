"""``local-sagemaker studio``: opens the web pages by a one-time link, or prints a page's JSON."""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import webbrowser
from urllib.parse import quote

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings
from local_sagemaker.lifecycle import LifecycleError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is opened, and how."""
    parser.add_argument("page", nargs="?", default="", help="page to open, e.g. pipelines/AbalonePipeline")
    parser.add_argument("--no-open", action="store_true", help="print the link only")
    parser.add_argument("--json", action="store_true", help="print the page's JSON twin instead of opening it")
    parser.add_argument("--revoke", action="store_true", help="sign all browsers out")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Starts the service if it does not run, and prints and opens the link."""
    lifecycle.start(settings)
    description = lifecycle.find_running(settings)
    if not description:
        raise LifecycleError("The service does not run.")
    if options.revoke:
        print(f"Signed out: {post(settings, description, 'studio-revoke')['sessions']} sessions")
        return 0
    link = post(settings, description, "studio")
    if options.json:
        return _print_json(settings, description["port"], link["origin"], options.page)
    page = quote(f"/_studio/{options.page.lstrip('/')}")  # its query is no part of the link's own
    url = link["url"].replace("#", f"?to={page}#") if options.page else link["url"]
    print(url)
    print("The link signs one browser in, once, within two minutes.", file=sys.stderr)
    if not options.no_open and sys.stdout.isatty():
        webbrowser.open(url)
    return 0


def _print_json(settings: Settings, port: int, origin: str, page: str) -> int:
    keys = json.loads(settings.credentials_file.read_text())
    path, _, query = page.strip("/").partition("?")
    target = f"/_studio/{path or 'index'}.json" + (f"?{query}" if query else "")
    connection = http.client.HTTPConnection(settings.host, port, timeout=60)
    try:
        connection.request(
            "GET", target, headers={"Host": origin.removeprefix("http://"), "x-secret": keys["secret_access_key"]}
        )
        response = connection.getresponse()
        body = json.loads(response.read())
    except (OSError, ValueError) as error:
        raise LifecycleError(f"The page can't be read: {error}") from error
    finally:
        connection.close()
    print(json.dumps(body, indent=2, ensure_ascii=False))
    return 0 if response.status == 200 else 1
