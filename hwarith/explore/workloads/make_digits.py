"""Make ``digits.npz``: train the network and keep the held-out images.

    python -m hwarith.explore.workloads.make_digits

Needs scikit-learn (a development extra; nothing at run time does). The same versions of
scikit-learn and numpy give the same file.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np

HIDDEN = (24, 16)
HELD_OUT = 500
PIXEL_MAX = 16
NEGLIGIBLE = 1e-6
"""Weight decay brings the weights of pixels that are always blank down to 1e-40; these are zero."""

FILE = Path(__file__).with_name("digits.npz")


def main() -> None:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    digits = load_digits()
    train, held_out, train_labels, labels = train_test_split(
        digits.data, digits.target, test_size=HELD_OUT, stratify=digits.target, random_state=0
    )
    model = MLPClassifier(HIDDEN, alpha=0.01, max_iter=300, tol=0, random_state=0)
    model.fit(train / PIXEL_MAX, train_labels)
    arrays: dict[str, np.ndarray] = {
        "images": held_out.astype(np.uint8),
        "labels": labels.astype(np.uint8),
    }
    x = train / PIXEL_MAX
    for w in model.coefs_:
        w[np.abs(w) < NEGLIGIBLE] = 0
    for i, (w, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        arrays[f"weights{i}"] = w.astype(np.float32)
        arrays[f"bias{i}"] = b.astype(np.float32)
        arrays[f"peaks{i}"], x = peaks(x, w, b)
    write(FILE, arrays)
    print(f"{FILE.name}: {model.score(held_out / PIXEL_MAX, labels):.1%} of {HELD_OUT} images")


def peaks(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Largest magnitudes of inputs, products and partial sums; and the outputs after ReLU."""
    products = x[:, :, None] * w
    sums = np.cumsum(np.concatenate([np.broadcast_to(b, (len(x), 1, len(b))), products], 1), 1)
    largest = [np.abs(v).max() for v in (x, products, sums)]
    return np.array(largest), np.maximum(sums[:, -1], 0)


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """An ``npz`` file whose bytes depend on nothing but the arrays (no time stamps)."""
    temporary = path.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.save(data, array)
            entry = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(entry, data.getvalue(), zipfile.ZIP_DEFLATED)
    os.replace(temporary, path)


if __name__ == "__main__":
    main()
