"""The images of Model Monitor and Clarify in a region. Apart, as importing the SDK takes a while."""

from __future__ import annotations

import warnings


def find_monitor_images(region: str) -> tuple[str, str]:
    """The URIs of both."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sagemaker.core import image_uris

        uris = [str(image_uris.retrieve(framework, region)) for framework in ("model-monitor", "clarify")]
    return uris[0], uris[1]
