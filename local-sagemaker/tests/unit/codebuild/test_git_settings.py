"""AWS's addresses of git repositories lead to this service in builds."""

from __future__ import annotations

import pytest

from local_sagemaker.services.codebuild.build_environment import git_settings
from local_sagemaker.services.codecommit.git_http import GitAddress

SERVICE = {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
ACCOUNT, CONNECTION = "123456789012", "be8639db-2770-46b6-9d7a-b68d15ceaa70"


@pytest.mark.parametrize(
    ("address", "name", "connected"),
    [
        ("https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/model-build", "model-build", False),
        (f"https://codeconnections.eu-west-1.amazonaws.com/git-http/{ACCOUNT}/eu-west-1/{CONNECTION}/me/code.git",
         "me/code", True),
        (f"https://codestar-connections.eu-west-1.amazonaws.com/git-http/{ACCOUNT}/eu-west-1/{CONNECTION}/me/code.git",
         "me/code", True),
    ],
)  # fmt: skip
def test_an_address_is_this_service_s(address: str, name: str, connected: bool) -> None:
    settings = git_settings(SERVICE, ACCOUNT, credentials=False)
    rows = [(settings[f"GIT_CONFIG_KEY_{n}"], settings[f"GIT_CONFIG_VALUE_{n}"])
            for n in range(int(settings["GIT_CONFIG_COUNT"]))]  # fmt: skip
    (place,) = [key.removeprefix("url.").removesuffix(".insteadOf") + address.removeprefix(prefix)
                for key, prefix in rows if address.startswith(prefix)]  # fmt: skip
    assert place.startswith(SERVICE["AWS_ENDPOINT_URL"])
    found = GitAddress.of(place.removeprefix(SERVICE["AWS_ENDPOINT_URL"]) + "/info/refs")
    assert found is not None and (found.name, found.connected) == (name, connected)


def test_only_who_wants_credentials_gets_them() -> None:
    without, given = (git_settings(SERVICE, ACCOUNT, credentials=wish) for wish in (False, True))
    assert "credential.helper" not in without.values() and "credential.helper" in given.values()
