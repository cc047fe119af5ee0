"""The built-in images of a region. Apart, as the SDK that knows the accounts takes a while to import."""

from __future__ import annotations

import logging
import warnings

XGBOOST = "3.0-5"


def xgboost_image(region: str, version: str = XGBOOST) -> str:
    """Its URI in the region.

    :raises DeliveryError: if there is no such version.
    """
    return find_image("xgboost", region, version)


def find_image(framework: str, region: str, version: str) -> str:
    """The URI of a framework's image, by the SDK's name of it and a version or tag, such as ``1.2-1-cpu-py3``.

    :raises DeliveryError: if there is no such version.
    """
    from delivery.errors import DeliveryError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sagemaker.core import image_uris

        logging.getLogger("sagemaker").setLevel(logging.WARNING)
        try:
            return str(image_uris.retrieve(framework, region, version=version.partition("-cpu-")[0]))
        except ValueError as error:
            raise DeliveryError(str(error).split("\n", 1)[0]) from error
