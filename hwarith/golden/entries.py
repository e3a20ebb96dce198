"""Object code of compiled functions, behind one function of a block of machine words.

To be imported when something is compiled: it imports the compiler.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import errors
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUContext
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from ..exceptions import InvalidInput
from .arguments import ENTRY, Constants, Signature
from .compiler import inlined
from .wide import code_type, word_type

REFUSALS = errors.TypingError, errors.LoweringError
"""What the compiler raises for functions that it cannot compile."""

_WORD = ir.IntType(64)
_types: Any = numba.types


@global_compiler_lock
def compile(function: Callable, signature: tuple) -> tuple[str, bytes]:
    """A function for arguments of these types: LLVM's text of it, and its object code, with a
    function `ENTRY` that takes the address of its arguments' words and returns 0, or not if the
    function raised an error."""
    kinds = [numba_type(x) for x in signature]
    if function.__code__.co_flags & inspect.CO_VARARGS:
        first = function.__code__.co_argcount
        kinds[first:] = [_types.Tuple(kinds[first:])]
    dispatcher = inlined(function)
    dispatcher.compile(tuple(kinds))
    compiled = dispatcher.overloads[tuple(kinds)]
    context = compiled.target_context
    library = context.codegen().create_library(f"{ENTRY} {function.__name__}")
    module = library.create_ir_module(ENTRY)
    entry = ir.Function(module, ir.FunctionType(ir.IntType(32), [_WORD.as_pointer()]), ENTRY)
    builder = ir.IRBuilder(entry.append_basic_block())
    words = _words(builder, entry.args[0])
    values = [_value(context, builder, kind, words) for kind in kinds]
    described = compiled.fndesc
    callee = context.declare_function(module, described)
    status, _ = context.call_conv.call_function(
        builder, callee, described.restype, described.argtypes, values
    )
    builder.ret(status.code)
    library.add_ir_module(module)
    library.add_linking_library(compiled.library)
    library.finalize()
    if library.has_dynamic_globals:
        raise InvalidInput(f"{function.__name__} refers to data that compiled code cannot keep")
    text = library.get_llvm_str()
    return text, _target_machine().emit_object(binding.parse_assembly(text))


def numba_type(kind: Signature) -> Any:
    """numba's type of an argument."""
    if isinstance(kind, str):
        return word_type(int(kind[1:])) if kind[0] == "i" else numba.from_dtype(np.dtype(kind))
    assert isinstance(kind, tuple)
    if kind[0] == "array":
        _, name, dimensions, contiguous = kind
        dtype = np.dtype(name)
        is_wide = dtype.kind == "V"
        element: Any = code_type(8 * dtype.itemsize) if is_wide else numba.from_dtype(dtype)
        return _types.Array(element, dimensions, "C" if contiguous else "A")
    named, *elements = kind
    return _types.BaseTuple.from_types(tuple(map(numba_type, elements)), named)


def known(constants: Constants) -> Callable:
    """A function of nothing that gives these constants, for compiled functions."""
    kind = numba_type(constants.signature)

    @intrinsic
    def values(typing_context: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, nothing: Any) -> Any:
            return _value(context, builder, kind, map(_WORD, _integers(constants.words)))

        return kind(), codegen

    return values


def _integers(words: bytes) -> list[int]:
    return np.frombuffer(words, "<i8").tolist()


def _words(builder: ir.IRBuilder, place: Any) -> Iterator[Any]:
    """The words at an address, one after the other."""
    index = 0
    while True:
        yield builder.load(builder.gep(place, [_WORD(index)]))
        index += 1


def _value(context: CPUContext, builder: ir.IRBuilder, kind: Any, words: Iterator[Any]) -> Any:
    """The next argument, of numba's type `kind`."""
    if isinstance(kind, _types.BaseTuple):
        elements = [_value(context, builder, x, words) for x in kind.types]
        return context.make_tuple(builder, kind, elements)
    if isinstance(kind, _types.Array):
        array = context.make_array(kind)(context, builder)
        data = builder.inttoptr(next(words), context.get_data_type(kind.dtype).as_pointer())
        shape = [next(words) for _ in range(kind.ndim)]
        strides = [next(words) for _ in range(kind.ndim)]
        size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
        populate_array(array, data, shape, strides, _WORD(size), meminfo=None)
        return array._getvalue()
    model = context.get_value_type(kind)
    bits = context.get_abi_sizeof(model) * 8
    value = next(words)
    if bits < 64:
        value = builder.trunc(value, ir.IntType(bits))
    for place in range(64, bits, 64):
        higher = builder.shl(builder.zext(next(words), model), model(place))
        value = builder.or_(builder.zext(value, model), higher)
    return value if isinstance(model, ir.IntType) else builder.bitcast(value, model)


def _target_machine() -> Any:
    """As that of the compiler, but for code that is put anywhere."""
    target = binding.Target.from_default_triple()
    return target.create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",
        codemodel="default",
    )
