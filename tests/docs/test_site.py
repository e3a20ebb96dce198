"""The documentation site: navigation, links, public names, and that it builds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import hwarith as hw

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

CONFIG = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))

ELSEWHERE = {page: ROOT / path for page, path in CONFIG["extra"]["elsewhere"].items()}
"""Pages of the site that are not in docs/ (docs/site_hooks.py puts them there)."""

NOTEBOOKS = [f"notebooks/{path.stem}.md" for path in DOCS.glob("notebooks/*.ipynb")]
"""Pages that docs/site_notebooks.py makes."""

PAGES = [ROOT / "README.md", *ELSEWHERE.values(), *sorted(DOCS.glob("*.md"))]


def leaves(nav: Any) -> list[str]:
    """The pages of a part of the navigation."""
    if isinstance(nav, str):
        return [nav]
    return [
        page for part in (nav.values() if isinstance(nav, dict) else nav) for page in leaves(part)
    ]


def test_the_navigation_has_every_page_once() -> None:
    assert sorted(leaves(CONFIG["nav"])) == sorted(
        [*ELSEWHERE, *(path.name for path in DOCS.glob("*.md")), *NOTEBOOKS]
    )


def test_the_first_page_leads_to_every_other_one() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    found = {(DOCS / target).resolve() for target in targets(text) if ".md" in target}
    assert found >= {path for path in PAGES[1:] if path != DOCS / "README.md"}


def targets(text: str) -> list[str]:
    """Where the links of a page lead, without what is in code."""
    text = re.sub(r"^```.*?^```|<!--.*?-->|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    titles = re.findall(r"^#+ (.*)", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def broken(page: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for target in targets(text):
        path, _, anchor = target.partition("#")
        file = page.parent.joinpath(path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


def test_links_that_lead_nowhere_are_found() -> None:
    text = "[a](lmul.md) [b](lmul.md#error) [c](#rounding) [d](none.md) [e](lmul.md#none) `[f](g)`"
    assert broken(DOCS / "pam.md", text) == ["#rounding", "none.md", "lmul.md#none"]


def described() -> set[str]:
    """The last parts of the names on the page of the Python interface."""
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    return {name.rpartition(".")[2] for name in re.findall(r"^::: (\S+)", text, re.MULTILINE)}


def test_every_public_name_is_described() -> None:
    assert {*hw.__all__} - {"__version__"} - described() == set(), "names for docs/api.md"


@pytest.mark.long
def test_the_site_builds_without_a_warning(site: Path) -> None:
    pages = {path.relative_to(site) for path in site.rglob("*.html")}
    names = {page.replace("README.md", "index.md") for page in leaves(CONFIG["nav"])} | {"404.md"}
    assert pages >= {Path(name).with_suffix(".html") for name in names}
    for name in NOTEBOOKS:
        page = (site / name).with_suffix(".html").read_text(encoding="utf-8")
        assert page.count("<h1") == 1, f"{name} has not one title"
        assert re.search('class="output[ "]', page), f"{name} was not run"
    elsewhere = re.compile(r"""<(?:script|link|img)[^>]*(?:src|href)=["']?https?://""")
    for page in site.rglob("*.html"):
        assert not elsewhere.search(page.read_text(encoding="utf-8")), f"{page.name} is not offline"
