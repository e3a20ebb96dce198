"""Type-check the Python of the README as a user's editor would: mypy --strict, and pyright.

python docs/typed_examples.py [PAGE.md ...]
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"

CHECKERS = {
    "mypy --strict": ["mypy", "--strict", "--no-incremental", "--config-file", ""],
    "pyright": ["pyright", "--pythonpath", sys.executable],
}


def main(pages: list[str]) -> int:
    """Check the examples of pages (default: the README); the number of checkers that object."""
    failed = 0
    for page in pages or [str(README)]:
        blocks = re.findall(r"^```python\n(.*?)^```", Path(page).read_text(), re.DOTALL | re.M)
        with tempfile.TemporaryDirectory(prefix="hwarith-") as folder:
            (Path(folder) / "example.py").write_text("\n".join(blocks))
            for name, command in CHECKERS.items():
                run = [sys.executable, "-m", *command, "example.py"]
                done = subprocess.run(run, cwd=folder, text=True, capture_output=True)
                print(f"{page}, {name}: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
                if done.returncode:
                    print(done.stdout + done.stderr, file=sys.stderr)
                failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
