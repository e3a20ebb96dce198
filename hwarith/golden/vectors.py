"""A compiled loop over the elements of arrays, for LLVM to vectorize."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

WIDTH = 32
"""Elements side by side: four vectors of AVX-512 hide the latency of its instructions (measured
against 8, 16 and 64)."""


@cache
def each(vectors: bool, word: int = 0) -> Callable:
    """For compiled functions: ``each(step, out, operands, constants)`` does, for all elements,
    ``out[i] = step((operands[0][i], operands[1][i], ...), constants)``.

    Parameters
    ----------
    vectors : Have LLVM vectorize the loop, branches and all, if the step `is_straight`. Its cost
        model would not, but is wrong: two to three times slower, measured with AVX-512, and up to
        twice with AVX2. Older instruction sets have no shifts by varying amounts; for them it
        decides.
    word : Give the step its elements as signed words of so many bits, whatever the arrays' types;
        as they are, if 0.

    `step` is a compiled function; `out` is a contiguous array of one dimension, or a tuple of them,
    of which the step then gives a tuple; `operands` are a tuple of arrays of the same size.
    """
    import numba
    from numba.extending import intrinsic

    from .wide import word_type

    def loop(typing_context: Any, step: Any, out: Any, operands: Any, constants: Any) -> Any:
        elements = [word_type(word) if word else array.dtype for array in operands]
        arguments = (numba.types.Tuple(elements), constants)
        called = step.get_call_type(typing_context, arguments, {})

        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            function = context.get_function(step, called)
            outs = _Arrays(context, builder, out, values[1])
            ins = _Arrays(context, builder, operands, values[2])

            def body(i: Any) -> None:
                taken = ins.load(i, elements)
                packed = context.make_tuple(builder, arguments[0], taken)
                outs.store(i, function(builder, (packed, values[3])), called.return_type)

            width = _vector_width() if vectors and is_straight(step.dispatcher, arguments) else 0
            _emit_loop(builder, outs.size, body, width)
            return context.get_dummy_value()

        return numba.void(step, out, operands, constants), codegen

    return intrinsic(loop)


@cache
def putting() -> Callable:
    """For compiled functions: ``put(array, i, number)`` does ``array[i] = number``, and takes as
    much of the number as the array's type holds."""
    import numba
    from numba.extending import intrinsic

    def put(typing_context: Any, array: Any, i: Any, number: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _Arrays(context, builder, array, values[0]).store(values[1], values[2], number)
            return context.get_dummy_value()

        return numba.void(array, i, number), codegen

    return intrinsic(put)


def _vector_width() -> int:
    from llvmlite import binding

    return WIDTH if binding.get_host_cpu_features().get("avx2") else 0


def is_straight(function: Any, arguments: tuple[Any, ...]) -> bool:
    """Whether a compiled function of arguments of these types runs through without loops, errors
    and calls that have no vector form. LLVM can vectorize a loop over it then, and would complain
    on stderr if it were asked to and could not."""
    from llvmlite import binding

    overload = function.overloads[arguments]
    module = binding.parse_assembly(overload.library.get_llvm_str())
    blocks = list(module.get_function(overload.fndesc.llvm_func_name).blocks)
    instructions = [(block, x) for block in blocks for x in block.instructions]
    if any(x.opcode == "call" and not _has_vectors(list(x.operands)[-1]) for _, x in instructions):
        return False
    if any(x.opcode == "ret" and not _is_success(x) for _, x in instructions):
        return False
    follows: dict[Any, set[Any]] = {block: set() for block in blocks}
    for block, x in instructions:
        follows[block] |= follows.keys() & set(x.operands)
    try:
        TopologicalSorter(follows).prepare()
    except CycleError:
        return False
    return True


def _has_vectors(callee: Any) -> bool:
    scalar = ("with.overflow", "llvm.mem", "llvm.lifetime")
    return callee.name.startswith("llvm.") and not any(part in callee.name for part in scalar)


def _is_success(exit: Any) -> bool:
    """Whether a compiled function returns its status 0 here."""
    return [str(x) for x in exit.operands] == ["i32 0"]


class _Arrays:
    """A compiled array or a tuple of them."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        from numba.core import cgutils, types

        self._context, self._builder = context, builder
        self._single = isinstance(kind, types.Array)
        self._kinds = [kind] if self._single else list(kind)
        values = [value] if self._single else cgutils.unpack_tuple(builder, value)
        self._arrays = [
            context.make_array(kind)(context, builder, x)
            for kind, x in zip(self._kinds, values, strict=True)
        ]

    @property
    def size(self) -> Any:
        return self._builder.extract_value(self._arrays[0].shape, 0)

    def load(self, i: Any, kinds: list[Any]) -> list[Any]:
        """Element i of each array as a value of these types."""
        found = []
        for array_kind, place, kind in zip(self._kinds, self._places(i), kinds, strict=True):
            value = self._context.unpack_value(self._builder, array_kind.dtype, place)
            found.append(self._context.cast(self._builder, value, array_kind.dtype, kind))
        return found

    def store(self, i: Any, value: Any, kind: Any) -> None:
        """Make a value, or the elements of a tuple, element i of the arrays."""
        from numba.core import cgutils

        values = [value] if self._single else cgutils.unpack_tuple(self._builder, value)
        kinds = [kind] if self._single else list(kind)
        context, builder = self._context, self._builder
        places = self._places(i)
        for array_kind, place, x, k in zip(self._kinds, places, values, kinds, strict=True):
            context.pack_value(
                builder, array_kind.dtype, context.cast(builder, x, k, array_kind.dtype), place
            )

    def _places(self, i: Any) -> list[Any]:
        from numba.core import cgutils

        return [
            cgutils.get_item_pointer(self._context, self._builder, kind, array, [i])
            for kind, array in zip(self._kinds, self._arrays, strict=True)
        ]


def _emit_loop(builder: Any, size: Any, body: Callable[[Any], None], width: int) -> None:
    """``for i in range(size): body(i)``, with `width` elements side by side if it is not 0."""
    index = size.type
    before = builder.block
    head, inside, after = (
        builder.append_basic_block(f"each.{name}") for name in ("head", "body", "end")
    )
    builder.branch(head)
    builder.position_at_end(head)
    i = builder.phi(index)
    i.add_incoming(index(0), before)
    builder.cbranch(builder.icmp_signed("<", i, size), inside, after)
    builder.position_at_end(inside)
    body(i)
    i.add_incoming(builder.add(i, index(1), flags=("nuw", "nsw")), builder.block)
    back = builder.branch(head)
    if width:
        back.set_metadata("llvm.loop", _loop_metadata(builder.module, width))
    builder.position_at_end(after)


def _loop_metadata(module: Any, width: int) -> Any:
    """A loop's identity, a node that begins with itself, and how it is to be vectorized."""
    from llvmlite import ir

    number = ir.Constant(ir.IntType(32), width)
    wish = module.add_metadata(["llvm.loop.vectorize.width", number])
    loop = module.add_metadata([f"loop {len(module.metadata)}", wish])
    loop.operands = (loop, wish)
    return loop
