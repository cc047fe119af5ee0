"""All pages. One page is one file in `pages`, one template and one line here."""

from __future__ import annotations

from local_sagemaker.studio.page import Page
from local_sagemaker.studio.pages import (
    execution,
    home,
    pipeline,
    pipelines,
    start,
)

# Add a page here. The first whose route matches is shown.
PAGES: tuple[Page, ...] = (
    home.PAGE,
    pipelines.PAGE,
    start.PAGE,
    pipeline.PAGE,
    execution.PAGE,
)
