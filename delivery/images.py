"""The image of the built-in XGBoost container. Apart, as the SDK that knows the accounts takes a while to import."""

from __future__ import annotations

import logging
import warnings

XGBOOST = "3.0-5"


def xgboost_image(region: str, version: str = XGBOOST) -> str:
    """Its URI in the region.

    :raises DeliveryError: if there is no such version.
    """
    from delivery.errors import DeliveryError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sagemaker.core import image_uris

        logging.getLogger("sagemaker").setLevel(logging.WARNING)
        try:
            return str(image_uris.retrieve("xgboost", region, version=version))
        except ValueError as error:
            raise DeliveryError(str(error).split("\n", 1)[0]) from error
