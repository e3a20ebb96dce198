"""Build the playground: python docs/playground/build.py

Puts ``build/python.js`` beside the page: CPython for browsers (npm's ``pyodide``), Amaranth,
hwarith and `answers`, compressed, in one script, because a page that is opened from a folder may
load scripts and nothing else. Needs node and npm; the package comes from npm's registry, or from
npm's cache.
"""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import hwarith

PYODIDE = "314.0.7"
"""Of npm's ``pyodide``: CPython 3.14 (MPL 2.0; its standard library PSF-2.0)."""

YOSYS = "0.55.944"
"""Of npm's ``@yowasp/yosys`` (ISC), the newest there."""

SYNTHESIS = ("asic.ys", "generic.lib", "levels.abc")
"""What the recipe for generic gates needs of the folder ``synth``."""

LIBRARIES = ("amaranth", "jschon", "rfc3986")
"""Packages of plain Python that hwarith's hardware description imports."""

HERE = Path(__file__).parent
BUILD = HERE / "build"
PAGE = ("index.html", "style.css", "page.js")
"""What is opened and stays as it is; all else goes into the script."""

RUNTIME = ("pyodide.asm.wasm", "python_stdlib.zip")

# A page from a folder can start no worker that is a module, and Pyodide refuses any other: it asks
# `importScripts`, which only the others have.
CLASSIC = "self.importScripts = () => { throw new Error('none here'); };\n"


def build(out: Path = BUILD) -> Path:
    """The script that the page loads, written into a folder. Exits with a message without npm."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            sys.exit(f"playground: {tool} was not found on PATH (Debian: apt install nodejs npm)")
    with tempfile.TemporaryDirectory(prefix="hwarith-") as folder:
        runtime = unpacked(f"pyodide@{PYODIDE}", Path(folder))
        files = {name: (runtime / name).read_bytes() for name in RUNTIME}
        files["packages.zip"] = compiled(runtime, Path(folder) / "packages")
        files["worker.js"] = worker(runtime).encode()
        scripts = {"yosys.js": yosys(Path(folder) / "yosys")}
        lock = json.loads((runtime / "pyodide-lock.json").read_text(encoding="utf-8"))
    files["pyodide-lock.json"] = json.dumps(lock | {"packages": {}}).encode()
    scripts["python.js"] = files
    out.mkdir(exist_ok=True)
    for name, contents in scripts.items():
        packed = {
            file: base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()
            for file, data in contents.items()
        }
        variable = name.removesuffix(".js").upper()
        (out / name).write_text(f"window.{variable} = {json.dumps(packed)};\n", encoding="utf-8")
    return out / "python.js"


def yosys(folder: Path) -> dict[str, bytes]:
    """The files of yosys, its modules made one script of a worker. What it keeps of FPGAs apart
    from itself is left out."""
    folder.mkdir()
    runtime = unpacked(f"@yowasp/yosys@{YOSYS}", folder) / "gen"
    resources = (runtime / "resources-yosys.js").read_text(encoding="utf-8")
    resources = resources.replace("export const", "const").replace("import.meta.url", "HOME")
    bundle, _, _ = (runtime / "bundle.js").read_text(encoding="utf-8").partition("\nexport {")
    bundle = bundle.replace('import("./resources-yosys.js")', "Promise.resolve(RESOURCES)")
    files = {file.name: file.read_bytes() for file in runtime.glob("*.wasm")}
    kept = f"(() => {{ {resources}; return {{modules, filesystem}}; }})()"
    own = (HERE / "mapper.js").read_text(encoding="utf-8")
    files["worker.js"] = f"{own}\nconst RESOURCES = {kept};\n{bundle}\n".encode()
    return files


def worker(runtime: Path) -> str:
    """The script of the page's worker, Pyodide's modules made scripts in it."""
    loader = (runtime / "pyodide.js").read_text(encoding="utf-8")
    module = (runtime / "pyodide.asm.mjs").read_text(encoding="utf-8")
    end = "export default _createPyodideModule;"
    if module.count(end) != 1:
        sys.exit(f"playground: pyodide {PYODIDE} does not end as expected")
    module = module.replace(end, "").replace("import.meta.url", "location.href")
    own = (HERE / "worker.js").read_text(encoding="utf-8")
    return "\n".join([CLASSIC, loader, module, own])


def unpacked(package: str, folder: Path) -> Path:
    """The files of a package of npm, in a folder."""
    done = subprocess.run(
        ["npm", "pack", "--silent", package],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"playground: npm pack {package} failed: {done.stderr.strip()[-500:]}")
    shutil.unpack_archive(folder / done.stdout.split()[-1], folder / "npm", filter="data")
    return folder / "npm" / "package"


def modules() -> Iterator[tuple[str, bytes]]:
    """Names and text of all Python files that go into the page."""
    root = Path(hwarith.__file__).parent
    for file in root.rglob("*.py"):
        yield str(file.relative_to(root.parent)), file.read_bytes()
    about = f"Metadata-Version: 2.1\nName: hwarith\nVersion: {hwarith.__version__}\n"
    yield "hwarith.dist-info/METADATA", about.encode()
    for name in LIBRARIES:
        found = distribution(name)
        for path in found.files or ():
            if path.suffix in (".py", ".json") or path.name == "METADATA":
                yield str(path), path.read_binary()
    for name in SYNTHESIS:
        yield f"hwarith/_shipped/synth/{name}", (root.parent / "synth" / name).read_bytes()
    yield "answers.py", (HERE / "answers.py").read_bytes()


def compiled(runtime: Path, folder: Path) -> bytes:
    """An archive of these, compiled by the very Python that runs them: it starts three times as
    fast as from text."""
    archive, done = folder / "text.zip", folder / "compiled.zip"
    folder.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        for name, data in modules():
            file.writestr(zipfile.ZipInfo(name), data)
    subprocess.run(
        ["node", HERE / "compile.mjs", runtime / "pyodide.mjs", archive, done], check=True
    )
    return done.read_bytes()


if __name__ == "__main__":
    made = build()
    print(f"{HERE / 'index.html'} ({made.stat().st_size / 1e6:.1f} MB)")
