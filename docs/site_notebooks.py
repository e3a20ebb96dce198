"""Pages of the site that are notebooks: each is run when the site is built, and its page has what
its cells say, do and give, in Markdown, so that it looks as other pages do.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

NOTEBOOKS = sorted((Path(__file__).parent / "notebooks").glob("*.ipynb"))

TIMEOUT = 300
"""Seconds for a cell; all take less than a minute where nothing else runs."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Run the notebooks, two at a time, and add their pages."""
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for path, page in zip(NOTEBOOKS, pool.map(page_of, NOTEBOOKS), strict=True):
            files.append(File.generated(config, f"notebooks/{path.stem}.md", content=page))
    return files


def page_of(path: Path) -> str:
    """Run a notebook in an empty folder; its page. Raises `PluginError` if a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="hwarith-") as folder:
        client = NotebookClient(notebook, timeout=TIMEOUT, resources={"metadata": {"path": folder}})
        try:
            client.execute()
        except CellExecutionError as error:
            raise PluginError(f"{path.name}: {error}") from error
    source = f'<p class="source">A notebook: <a href="{path.name}" download>{path.name}</a></p>'
    first, *cells = map(markdown_of, notebook.cells)
    return "\n\n".join([first, source, *cells])


def markdown_of(cell: Any) -> str:
    """A cell in Markdown, with what it gave. A picture is in the page itself."""
    if cell.cell_type == "markdown":
        return str(cell.source)
    return "\n\n".join([f"```python\n{cell.source}\n```", *filter(None, map(shown, cell.outputs))])


def shown(output: Any) -> str:
    """One of the things that a cell gave: the table or picture of a result, or else its text.
    What is told of progress is left out."""
    if output.output_type == "stream":
        return text(output.text) if output.name == "stdout" else ""
    data = output.data
    if "text/html" in data:
        return f'<div class="output">{data["text/html"]}</div>'
    if "image/png" in data:
        picture = data["image/png"].replace("\n", "")
        return f'<p class="output"><img alt="" src="data:image/png;base64,{picture}"></p>'
    return text(data["text/plain"])


def text(lines: str) -> str:
    """Lines as they were printed."""
    return f"``` {{ .text .output }}\n{lines.rstrip()}\n```"
