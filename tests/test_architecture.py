"""The house: arrows between modules run one way, and no module uses another's private names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.layers import BELOW_ALL, LAYERS, layer, picture
from docs.layers import graph as graph_of
from hwarith.sources import PACKAGE, modules

ORDER = (*BELOW_ALL, *LAYERS)

Graph = dict[str, dict[str, list[str]]]


def upward(graph: Graph) -> list[tuple[str, str]]:
    """Imports from a lower layer, or of the package itself, which is above all layers."""
    return [
        (module, target)
        for module, targets in graph.items()
        for target in targets
        if layer(module) in ORDER
        and (layer(target) not in ORDER or ORDER.index(layer(module)) < ORDER.index(layer(target)))
    ]


def cycle(graph: Graph) -> list[str]:
    """Modules that import each other in a circle, or nothing."""
    done: set[str] = set()
    path: list[str] = []

    def search(module: str) -> list[str]:
        if module in path:
            return path[path.index(module) :]
        if module in done:
            return []
        path.append(module)
        for target in graph[module]:
            if found := search(target):
                return found
        done.add(path.pop())
        return []

    return next((found for module in graph if (found := search(module))), [])


def private_names(package: Path) -> Iterator[str]:
    """Uses of underscored names of other modules of a package."""
    for module, targets in graph_of(package).items():
        for target, names in targets.items():
            yield from (f"{module} imports {target}.{name}" for name in names if _is_private(name))
    for module, path in modules(package).items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.level or node.module == package.name)
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and _is_private(node.attr):
                owner = node.value
                if isinstance(owner, ast.Name) and owner.id in imported:
                    yield f"{module} uses {owner.id}.{node.attr}"


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def shared_names(package: Path) -> list[str]:
    """Names that a package gives to a module of its and to something else."""
    known, graph = modules(package), graph_of(package)
    found = []
    for module, path in known.items():
        if path.name != "__init__.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        given = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        } | {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        given |= {
            element.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
            for element in ast.walk(node.value)
            if isinstance(element, ast.Constant) and isinstance(element.value, str)
        }
        exported = given & {name.rpartition(".")[2] for name in known if _parent(name) == module}
        reexported = {name for name in exported if f"{module}.{name}" in graph[module]}
        found += [f"{module}.{name}" for name in exported - reexported]
    return found


def _parent(module: str) -> str:
    return module.rpartition(".")[0]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return graph_of()


def test_every_module_has_a_room(graph: Graph) -> None:
    beside = {layer(module) for module in graph} - {*ORDER}
    assert beside == {"", "__main__"}  # the package itself, and what starts the command line


def test_no_arrow_points_up(graph: Graph) -> None:
    assert upward(graph) == []


def test_no_cycle(graph: Graph) -> None:
    assert cycle(graph) == []


def test_no_module_uses_another_ones_private_names() -> None:
    assert list(private_names(PACKAGE)) == []


def test_no_function_shares_the_name_of_a_module() -> None:
    assert shared_names(PACKAGE) == []


def test_picture_is_that_of_the_graph(graph: Graph) -> None:
    kept = PACKAGE.parent / "docs" / "layers.svg"
    assert kept.read_text(encoding="utf-8") == picture(graph), (
        "python docs/layers.py docs/layers.svg"
    )


def test_faults_are_found(tmp_path: Path) -> None:
    """What the other tests look for, in a package that has all of it."""
    package = tmp_path / "hwarith"
    for name, text in {
        "__init__.py": "def verilog(): ...\n",
        "verilog.py": "",
        "formats/__init__.py": "",
        "formats/codec.py": "def f():\n    from ..flow import tools\n    tools._run()\n",
        "flow/__init__.py": "",
        "flow/tools.py": "from .. import verilog\nfrom ..formats.codec import _f\n",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    graph = graph_of(package)
    assert ("hwarith.formats.codec", "hwarith.flow.tools") in upward(graph)
    assert ("hwarith.flow.tools", "hwarith.verilog") in upward(graph)
    assert sorted(cycle(graph)) == ["hwarith.flow.tools", "hwarith.formats.codec"]
    assert sorted(private_names(package)) == [
        "hwarith.flow.tools imports hwarith.formats.codec._f",
        "hwarith.formats.codec uses tools._run",
    ]
    assert shared_names(package) == ["hwarith.verilog"]


HARDWARE = ("hardware", "fields", "order", "alignment")
"""Parts of the names of modules of units that hold nothing but hardware."""


def golden_in_hardware(source: str, all_of_it: bool) -> list[str]:
    """Where hardware uses the numbers or functions by which golden models pack codes: in the whole
    of a module, or in its steps, which are the functions that take a module `m`."""
    tree = ast.parse(source)
    steps = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(a.arg == "m" for a in node.args.args)
    ]
    return [
        ast.unparse(node)
        for part in ([tree] if all_of_it else steps)
        for node in ast.walk(part)
        if (isinstance(node, ast.Attribute) and node.attr == "numbers")
        or (isinstance(node, ast.Name) and node.id.startswith("pack_") and node.id != "pack_field")
        or (isinstance(node, ast.Attribute) and node.attr.startswith("pack_"))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").endswith("formats.rounding"))
        or (isinstance(node, ast.alias) and node.name == "rounding")
    ]


@pytest.mark.parametrize("folder", ["rtl", "units"])
def test_hardware_packs_codes_on_its_own(folder: str) -> None:
    """What both sides took from one place, no comparison of them could find wrong."""
    for path in (PACKAGE / folder).rglob("*.py"):
        all_of_it = folder == "rtl" or any(part in path.stem for part in HARDWARE)
        assert golden_in_hardware(path.read_text(), all_of_it) == [], path


def test_golden_in_hardware_is_found() -> None:
    step = "def _pack(self, m, x):\n    return Const({}, 8)\n"
    for fault in ("f.numbers.nan_code", "pack_nan(f)", "r.pack_infinity(0, f, 2)"):
        assert golden_in_hardware(step.format(fault), all_of_it=False)
        assert not golden_in_hardware(f"def definition(self):\n    return {fault}\n", False)
    assert golden_in_hardware("from ...formats import rounding\n", all_of_it=True)
    assert not golden_in_hardware(step.format("Specials(f).nan"), all_of_it=True)
