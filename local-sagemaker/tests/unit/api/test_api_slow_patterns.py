"""No pattern of a model lets a request hold the service up."""

from __future__ import annotations

import pytest

from local_sagemaker.api.validation import check
from local_sagemaker.errors import ServiceError


@pytest.mark.parametrize("text", ["a" * 200 + "!", "a-" * 100 + "!", "*" * 200 + "\n"])
def test_a_filter_of_repositories_that_does_not_fit_is_refused_at_once(text: str) -> None:
    rules = [{"scanFrequency": "MANUAL", "repositoryFilters": [{"filter": text, "filterType": "WILDCARD"}]}]
    with pytest.raises(ServiceError, match="failed to satisfy constraint"):
        check("ecr:PutRegistryScanningConfiguration", {"scanType": "BASIC", "rules": rules})


@pytest.mark.parametrize("text", ["a", "*", "team-*", "a/b.c_d", "a*b"])
def test_a_filter_of_repositories_that_fits_is_taken(text: str) -> None:
    rules = [{"scanFrequency": "MANUAL", "repositoryFilters": [{"filter": text, "filterType": "WILDCARD"}]}]
    check("ecr:PutRegistryScanningConfiguration", {"scanType": "BASIC", "rules": rules})
