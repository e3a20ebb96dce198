"""Models and accelerators of the cycle model as a user writes them.

A model file::

    layers = 24
    hidden = 2048
    ffn = 8192
    heads = 32
    kv_heads = 32
    vocab = 50272
    gated = false

A config is a name, a text such as ``rows=32,columns=32,dp=4,bits=4,serial=1``, or ``type=mxfp4``.
"""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

from ...exceptions import InvalidInput, quoted, unknown
from ...inputs import read_toml, told
from ..hardware import FLOW, Flow
from .accelerator import CONFIGS, Accelerator, Config
from .decoder import MODELS, Model
from .typed import config_of_type

_MODEL_KEYS = tuple(f.name for f in fields(Model) if f.name != "name")
_CONFIG_KEYS = tuple(f.name for f in fields(Accelerator))
_NEEDED = ("rows", "columns", "bits")


def find_model(text: str) -> Model:
    """The model of that name, or of the TOML file at that path.

    Raises `InvalidInput` if it is neither, and for mistakes in the file, naming file and key.
    """
    if text in MODELS:
        return MODELS[text]
    path = Path(text)
    if path.suffix != ".toml" and not os.path.exists(path):
        raise unknown("model", text, (*MODELS, "or the path of a TOML file"))
    return read_model(path)


def read_model(path: Path) -> Model:
    """The model of a TOML file. Raises `InvalidInput`, naming the file and the line or key."""
    data, _ = read_toml(path, "model file")
    with told(path, "model file"):
        return _model(data)


def _model(data: dict[str, Any]) -> Model:
    for key in data:
        if key not in _MODEL_KEYS:
            raise unknown("key", key, _MODEL_KEYS)
    missing = [key for key in _MODEL_KEYS if key not in data]
    if missing:
        raise InvalidInput(f"{', '.join(missing)} missing; needed: {', '.join(_MODEL_KEYS)}")
    return Model(**data)


def find_config(text: str, flow: Flow = FLOW) -> Config:
    """The config of that name or, by ``type=...``, of that type, or an accelerator for both phases
    from ``key=value,...``.

    Raises `InvalidInput`, naming the text and what is allowed, and `ToolFailure` where synthesis
    does.
    """
    if text in CONFIGS:
        return CONFIGS[text]
    if "=" not in text:
        own = "type=mxfp4, or a text such as rows=32,columns=32,bits=4"
        raise unknown("config", text, (*CONFIGS, own))
    try:
        key, _, rest = (side.strip() for side in text.partition("="))
        if key == "type":
            return config_of_type(rest, flow)
        accelerator = _accelerator(text)
    except InvalidInput as error:
        raise InvalidInput(f"config {quoted(text)}: {error}") from None
    return Config(accelerator, accelerator)


def _accelerator(text: str) -> Accelerator:
    values: dict[str, Any] = {}
    for part in text.split(","):
        key, _, value = (side.strip() for side in part.partition("="))
        if key not in _CONFIG_KEYS:
            raise unknown("key", key, _CONFIG_KEYS)
        if key in values:
            raise InvalidInput(f"{key} is given twice")
        values[key] = _value(key, value)
    missing = [key for key in _NEEDED if key not in values]
    if missing:
        raise InvalidInput(f"{', '.join(missing)} missing; needed: {', '.join(_NEEDED)}")
    return Accelerator(**values)


def _value(key: str, text: str) -> Any:
    """The value of a key; a text that is no number is left for `Accelerator` to complain about."""
    if key == "serial":
        if text not in ("0", "1"):
            raise InvalidInput(f"serial must be 0 or 1, not {quoted(text)}")
        return text == "1"
    try:
        return float(text) if key in ("bits", "input_bits") else int(text)
    except ValueError:
        return text
