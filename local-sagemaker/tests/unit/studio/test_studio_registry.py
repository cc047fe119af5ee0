"""One page is one file, one template, one line: contexts explain themselves, templates mark nothing as safe."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import local_sagemaker.studio
from local_sagemaker.studio import rendering
from local_sagemaker.studio.page import Content
from local_sagemaker.studio.registry import PAGES
from local_sagemaker.studio.security import host_of, refuse_forgery, sandbox_policy

FOLDER = Path(local_sagemaker.studio.__file__).parent


def test_every_field_of_a_context_says_what_it_is() -> None:
    for page in PAGES:
        context = get_type_hints(page.load)["return"]
        if context is Content:
            continue
        assert (FOLDER / "templates" / page.template).is_file(), page.route
        missing = [item.name for item in fields(context) if not item.metadata.get("help")]
        assert not missing, f"{context.__name__}: {missing}"


def test_html_is_made_by_templates_graph_and_charts_only() -> None:
    for file in (FOLDER / "templates").glob("*.html"):
        text = file.read_text("utf-8")
        assert "|safe" not in text.replace(" ", ""), file.name
        assert not re.search(r"\sstyle=|\son\w+=\"", text), (
            f"{file.name}: the policy refuses inline styles and handlers"
        )
    makers = {str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*.py") if "Markup" in file.read_text("utf-8")} - {
        "rendering.py"
    }
    assert all(name.startswith(("graph/", "charts/")) for name in makers), makers


def test_colours_are_tokens() -> None:
    sheets = "".join(file.read_text("utf-8") for file in (FOLDER / "static").glob("*.css"))
    rules = re.sub(r"(:root[^{]*)\{[^}]*\}", "", sheets)
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", rules)) <= {"#0003", "#0006", "#0008"}  # shadows


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_has_contrast_in_every_theme() -> None:
    """ST-29: text 4.5 on each ground and on its own tint, borders of controls 3; paper is light."""
    text = (FOLDER / "static" / "app.css").read_text("utf-8")
    blocks = [dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root[^{]*\{([^}]*)\}", text)]
    themes = [block for block in blocks if "ink" in block]
    assert len(themes) == 4, "light, dark by the system, dark by choice, paper"
    assert themes[3] == themes[0] != themes[1] == themes[2]
    for theme in themes:
        for name in ("ink", "muted", "link", "ok", "run", "bad", "warn", "idle"):
            grounds = [theme["bg"], theme["surface"], theme["raised"], theme.get(f"{name}-tint", theme["bg"])]
            assert min(_contrast(theme[name], ground) for ground in grounds) >= 4.5, name
        assert _contrast(theme["control"], theme["surface"]) >= 3


def test_nothing_is_loaded_from_elsewhere() -> None:
    for file in (*(FOLDER / "templates").glob("*.html"), *(FOLDER / "static").glob("*.*")):
        found = re.findall(r"(?:src|href|url\()\s*=?\s*[\"']?(https?:)?//", file.read_text("utf-8"))
        assert not found, file.name


def test_forged_requests_are_refused() -> None:
    origin = "http://studio-1.localhost:1"
    assert refuse_forgery("POST", {"origin": origin, "sec-fetch-site": "same-origin"}, origin) == ""
    for headers in (
        {},
        {"origin": "null"},
        {"origin": origin + "2"},
        {"origin": origin, "sec-fetch-site": "same-site"},
    ):
        assert refuse_forgery("POST", headers, origin)
    assert refuse_forgery("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, origin) == ""
    assert refuse_forgery("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, origin)
    assert refuse_forgery("DELETE", {"origin": origin}, origin)
    assert host_of("a") != host_of("b")
    assert "allow-same-origin" not in sandbox_policy(scripts=True)


def test_vendored_files_are_what_their_package_has() -> None:
    folder = FOLDER / "static" / "vendor"
    for item in json.loads((folder / "vendor.json").read_text("utf-8")):
        assert hashlib.sha256((folder / item["file"]).read_bytes()).hexdigest() == item["sha256"], item["package"]
        assert (folder / item["licence"]).read_text("utf-8").strip()


def test_json_is_a_tree_with_links_and_masks_and_text_where_it_is_large() -> None:
    """Each member is a fold or a line, in its order; a document that no one unfolds is text."""
    template = rendering.environment().from_string(
        '{% import "_macros.html" as ui with context %}{{ ui.json(value, "D") }}'
    )
    arn = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p"
    value = {"items": {"values": [1, None, [], arn]}, "Environment": {"API_TOKEN": "sesame", "A": "<b>"}}
    text = template.render(value=value, query={}, path="/")
    assert re.findall(r'class="key-name">([^<]*)<', text) == [
        "items", "values", "0", "1", "2", "3", "Environment", "API_TOKEN", "A",
    ]  # fmt: skip
    assert f'<a href="/_studio/pipelines/p">{arn}</a>' in text
    assert "sesame" not in text
    assert "<b>" not in text
    assert "sesame" in template.render(value=value, query={"secrets": ["1"]}, path="/")
    large = template.render(value={"a": [{"b": n} for n in range(1_000)]}, query={}, path="/")
    assert ("key-name" in large, "<pre" in large) == (False, True)
