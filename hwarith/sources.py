"""The package's own code, by its import statements: which files a result depends on."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).parent

_WITH_STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)


def digest(paths: Mapping[str, Path]) -> str:
    """SHA-256 of files and of the names that they go by."""
    found = hashlib.sha256()
    for name, path in sorted(paths.items()):
        content = path.read_bytes()
        found.update(f"{name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def files(
    roots: Iterable[str], without: Iterable[str] = (), package: Path = PACKAGE
) -> dict[str, Path]:
    """The files of modules, of all modules that these import, also inside functions, and of the
    packages that they are in; and the data beside them. By their names inside the package.

    Parameters
    ----------
    roots : the modules, such as ``hwarith.flow.verilog``. What a module imports by a name that it
        makes up must be among them.
    without : modules, and packages as a whole, that are left out with all that only they import.
        ``hwarith`` itself always is: it gathers names for users.

    Raises `KeyError` for a root that is no module.
    """
    known = modules(package)
    left_out = {*without}
    reached = {package.name}
    todo = [*roots]
    while todo:
        module = todo.pop()
        packages = [p for p in _packages(module) if p != package.name]
        if module in reached or not left_out.isdisjoint([module, *packages]):
            continue
        reached.add(module)
        todo += [*imports(module, known, for_types=False), *packages]
    code = {known[module] for module in reached - {package.name}}
    beside = (path for folder in {path.parent for path in code} for path in folder.iterdir())
    data = {path for path in beside if path.is_file() and path.suffix not in (".py", ".pyc")}
    return {path.relative_to(package).as_posix(): path for path in code | data}


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Every module of a package by its dotted name, with its file."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(module: str, known: Mapping[str, Path], for_types: bool = True) -> dict[str, list[str]]:
    """Which of the known modules a module imports, and which names of each; with those that only
    type checkers see, or without."""
    path = known[module]
    home = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: dict[str, list[str]] = {}
    for base, name in _imported(ast.parse(path.read_text(encoding="utf-8")), home, for_types):
        whole = f"{base}.{name}" if name else base
        target = whole if whole in known else base
        if target in known and target != module:
            found.setdefault(target, []).append(name)
    return found


def _imported(node: ast.AST, home: str, for_types: bool) -> Iterator[tuple[str, str]]:
    """Absolute names of modules that are imported from, and what of them (or nothing)."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = home.split(".")[: len(home.split(".")) - max(node.level - 1, 0)]
        parts = [*(above if node.level else []), *([node.module] if node.module else [])]
        yield from ((".".join(parts), alias.name) for alias in node.names)
    elif for_types or not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _WITH_STATEMENTS):
                yield from _imported(child, home, for_types)


def _packages(module: str) -> list[str]:
    """The packages that a module is in."""
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]
