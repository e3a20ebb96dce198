"""Writing files whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from .errors import InvalidInput


def output_folder(path: Path) -> Path:
    """The folder, made if it is not there. Raises `InvalidInput` if it cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InvalidInput(f"output folder {path} is a file") from None
    except OSError as error:
        raise InvalidInput(f"output folder {path} cannot be made: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise InvalidInput(f"output folder {path} cannot be written")
    return path


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole: under another name first. Raises `InvalidInput` if it cannot be."""
    partial = path.parent / f".{path.name}.{os.getpid()}.{threading.get_ident()}"
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from None


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text, in UTF-8."""
    write_bytes(path, text.encode())
