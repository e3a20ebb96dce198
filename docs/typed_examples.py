"""Type-check the Python of the pages as a user's editor would: mypy --strict, and pyright.

python docs/typed_examples.py [PAGE.md ...]
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]

CHECKERS = {
    "mypy --strict": ["mypy", "--strict", "--no-incremental", "--config-file", ""],
    "pyright": ["pyright", "--pythonpath", sys.executable],
}


def main(pages: list[str]) -> int:
    """Check the examples of pages (default: `PAGES`); the number of checkers that object."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="hwarith-") as folder:
        for page in map(Path, pages or PAGES):
            blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.M)
            if blocks:
                name = re.sub(r"\W", "_", page.stem)
                (Path(folder) / f"{name}.py").write_text("\n".join(blocks))
        for name, command in CHECKERS.items():
            run = [sys.executable, "-m", *command, "."]
            done = subprocess.run(run, cwd=folder, text=True, capture_output=True)
            print(f"pages, {name}: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
            if done.returncode:
                print(done.stdout + done.stderr, file=sys.stderr)
            failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
