"""What holds for every page, whatever it shows."""

import base64
import hashlib
import re
from itertools import pairwise

import pytest

from polytask.reporting import comparison_html, fit_html
from tests.reporting._diagnosed import diagnosed_comparison, diagnosed_fit, gappy_comparison
from tests.reporting._page import Page
from tests.reporting._sample import bare_comparison, comparison, fit_result, many_tasks, nasty_comparison, nasty_fit

PAGES = {
    "comparison": lambda: comparison_html(comparison()),
    "nasty comparison": lambda: comparison_html(nasty_comparison()),
    "many tasks": lambda: comparison_html(many_tasks()),
    "bare comparison": lambda: comparison_html(bare_comparison()),
    "fit": lambda: fit_html(fit_result()),
    "nasty fit": lambda: fit_html(nasty_fit()),
    "diagnosed comparison": lambda: comparison_html(diagnosed_comparison()),
    "comparison with gaps": lambda: comparison_html(gappy_comparison()),
    "diagnosed fit": lambda: fit_html(diagnosed_fit()),
    "bare fit": lambda: fit_html({"format": "polytask.fit", "version": 1, "tasks": {"sold": {}}}),
}
ALL = pytest.mark.parametrize("make", PAGES.values(), ids=PAGES)


@ALL
def test_the_page_asks_for_nothing_and_runs_nothing(make):
    page = Page(make())
    assert not [tag for tag, _ in page.tags if tag in {"script", "link", "img", "iframe", "object", "embed", "form", "base"}]
    assert not [value for _, attributes in page.tags for name, value in attributes.items() if name in {"src", "style", "srcset"}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(attributes["href"].startswith("#") for attributes in page.all("a"))
    assert any("default-src 'none'" in (attributes.get("content") or "") for attributes in page.all("meta"))


@ALL
def test_the_style_sheet_loads_nothing(make):
    style = re.search(r"<style>(.*?)</style>", make(), flags=re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style


@ALL
def test_headings_follow_each_other_and_tables_have_captions(make):
    page = Page(make())
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert page.all("html")[0]["lang"] == "en"


@ALL
def test_every_drawing_has_a_title_or_is_hidden(make):
    html = make()
    outer = [m for m in re.findall(r"<svg ([^>]*)>(<title>)?", html) if 'role="img"' in m[0]]
    assert all(title for _, title in outer)


@ALL
def test_links_lead_to_sections_that_are_there_and_ids_are_unique(make):
    page = Page(make())
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"][1:] for attributes in page.all("a")} <= set(ids)


@ALL
def test_no_number_is_written_as_nan_none_or_infinity(make):
    words = Page(make()).words
    assert not re.search(r"\b(nan|None|inf)\b", words)


@ALL
def test_the_policy_allows_this_style_sheet_and_nothing_else(make):
    html = make()
    style = re.search(r"<style>(.*?)</style>", html, flags=re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in html.replace("&#39;", "'")


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", css))


def contrast(one: str, other: str) -> float:
    """Contrast ratio as WCAG 2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(scheme):
    css = re.search(r"<style>(.*?)</style>", PAGES["fit"](), flags=re.DOTALL)[1]
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    palette = colours(light if scheme == "light" else dark.split("*, *::before")[0])
    behind = ["paper", "card"]
    pairs = [
        (text, back)
        for text in ("ink", "quiet", "helped", "harmed", "equivalent", "undecided", "alone", "link")
        for back in behind
    ]
    pairs += [("helped", "helped-back"), ("harmed", "harmed-back")]
    pairs += [(text, "plain-back") for text in ("ink", "equivalent", "undecided", "quiet")] + [("quiet", "band")]
    weak = {pair: ratio for pair in pairs if (ratio := contrast(palette[pair[0]], palette[pair[1]])) < 4.5}
    assert not weak
