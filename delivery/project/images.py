"""The images of monitors in a region. Apart, as importing the SDK takes a while."""

from __future__ import annotations

from pipelines.loader import quick_and_quiet


def find_monitor_images(region: str) -> tuple[str, str, str]:
    """The URIs of Model Monitor's, of Clarify's, and of the one with scikit-learn for portable monitors."""
    with quick_and_quiet(debug=False):
        from sagemaker.core import image_uris

        uris = [str(image_uris.retrieve(framework, region)) for framework in ("model-monitor", "clarify")]
        portable = str(image_uris.retrieve("sklearn", region, version="1.4-2"))
    return uris[0], uris[1], portable
