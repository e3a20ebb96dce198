"""What a reader would see wrong on a page that is open in a browser."""

from __future__ import annotations

from pathlib import Path

from tests.reports.browser import Browser

_SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def faults(browser: Browser, width: int) -> list[str]:
    """What is wider than a window of this width, text of too little contrast (WCAG 2.2, level AA),
    pictures that are not there, and what the console said since its list was cleared."""
    seen = browser.run(f"({_SCRIPT})({width})")
    return seen + [f"console: {error}" for error in browser.errors]
