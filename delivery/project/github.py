"""GitHub Actions and the account: how its repositories are named in tokens, and the provider that the account trusts.

A token's subject begins with ``repo:OWNER/NAME``, and with ``repo:OWNER@ID/NAME@ID`` for repositories that were made,
renamed or transferred since 15 July 2026, or have chosen it (GitHub's documentation, "Immutable subject claims").
"""

from __future__ import annotations

import re
from typing import Any

TOKENS = "token.actions.githubusercontent.com"
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+|[\w.-]+@\d+/[\w.-]+@\d+")
IDS = """the roles trust tokens with names alone. A repository that was made, renamed or transferred since 15 July 2026
has ids in its tokens: name it OWNER@ID/NAME@ID, as this prints it:
  gh api repos/{repository} --jq '"\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id)"'"""


def explain_names(repository: str) -> str:
    """What to know of a repository that is named without its ids; empty for one with ids."""
    return "" if "@" in repository else IDS.format(repository=repository)


def find_identity(iam: Any) -> str:
    """The ARN of the account's provider of GitHub's tokens, of which there can be one; empty if it has none yet."""
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return next((str(item["Arn"]) for item in listed if item["Arn"].endswith(f"/{TOKENS}")), "")
