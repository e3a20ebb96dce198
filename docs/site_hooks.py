"""What the documentation site needs beside MkDocs: pages from elsewhere in the checkout, copies of
files that pages link to, and docstrings as Markdown.

The pages are written to be read in the checkout too, where a link leads to any file. On the site
the READMEs of other folders are pages, and other files that are linked to are copied, as text.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import Any

import griffe
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

ELSEWHERE: dict[str, str] = {
    path: page
    for page, path in yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["extra"][
        "elsewhere"
    ].items()
}
"""Pages of the site that are not in docs/, by their path in the checkout."""

FIGURES = re.compile(r"^<!-- figures\n.*?\n-->\n(.*?)\n<!-- end -->", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Have anchors as GitHub makes them."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from elsewhere, and what pages link to."""
    for path, uri in ELSEWHERE.items():
        files.append(File.generated(config, uri, content=(ROOT / path).read_text("utf-8")))
    for page in list(files.documentation_pages()):
        for _, target, _ in LINK.findall(page.content_string):
            found = _in_checkout(page.src_uri, target)
            uri = _place(found) if found else None
            if found and uri and files.get_file_from_path(uri) is None:
                files.append(File.generated(config, uri, abs_src_path=str(ROOT / found)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leave out what figures are made of, and have links lead to their places on the site. A page
    without parts has the room of their list."""
    if not re.search("^##", markdown, re.MULTILINE):
        page.meta["hide"] = ["toc"]

    def moved(link: re.Match[str]) -> str:
        found = _in_checkout(page.file.src_uri, link[2])
        if not found:
            return link[0]
        return link[1] + os.path.relpath(_place(found), Path(page.file.src_uri).parent) + link[3]

    return LINK.sub(moved, FIGURES.sub(r"\1", markdown))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Take the worker of pages that are opened from a folder from here, not from a server."""
    here = os.path.relpath("file_worker.js", Path(page.file.dest_uri).parent)
    return output.replace("https://unpkg.com/iframe-worker/shim", here)


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """The same of the page for what is not found."""
    return output_content.replace("https://unpkg.com/iframe-worker/shim", "/file_worker.js")


def _in_checkout(uri: str, target: str) -> str | None:
    """The file of the checkout that a page links to, by its path there; None for other links."""
    page = next((path for path, place in ELSEWHERE.items() if place == uri), f"docs/{uri}")
    path = os.path.normpath(ROOT / Path(page).parent / target)
    return os.path.relpath(path, ROOT) if os.path.isfile(path) else None


def _place(path: str) -> str:
    """Where a file of the checkout is on the site."""
    if path in ELSEWHERE:
        return ELSEWHERE[path]
    if path.endswith(".ipynb"):
        return path.removeprefix("docs/").removesuffix(".ipynb") + ".md"  # docs/site_notebooks.py
    is_page = path.startswith("docs/") and not path.endswith((".py", ".toml"))
    return path.removeprefix("docs/") if is_page else f"sources/{path}.txt"


class Parameters(griffe.Extension):
    """Sections of docstrings (``Parameters`` with a line of dashes below) as lists."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = markdown_of(obj.docstring.value)


def markdown_of(docstring: str) -> str:
    """A docstring in Markdown: paragraphs of ``name : what`` become lists, and ``::`` at the end of
    one a colon (what is indented below is code in Markdown as well)."""
    text = re.sub(r"::$", ":", inspect.cleandoc(docstring), flags=re.MULTILINE)
    text = re.sub(r"^(\w+)\n-{4,}\n", r"**\1**\n\n", text, flags=re.MULTILINE)
    parts = text.split("\n\n")
    return "\n\n".join(NAMED.sub(r"- `\1`: ", x) if NAMED.match(x) else x for x in parts)


NAMED = re.compile(r"^(\w[\w, *]*) : ", re.MULTILINE)
"""What a line of a list of names begins with."""
