"""Every family of units by its name, and the unit that a spec describes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..exceptions import InvalidInput, quoted, unknown
from .contract import Unit
from .parameters import Parameter, items_of, parameter_field

AnUnit = TypeVar("AnUnit", bound=Unit)

if TYPE_CHECKING:

    class UnitOfText(Unit):
        """A unit of a spec's text, to type checkers: they know the members of `Unit`, and let pass
        those that its family has beside them, such as its parameters."""

        def __getattr__(self, name: str) -> Any: ...


FAMILIES = {
    "mul": "exact.mul:Mul",
    "add": "exact.add:Add",
    "fma": "exact.fma:Fma",
    "div": "division:Div",
    "recip": "division:Recip",
    "sqrt": "division:Sqrt",
    "rsqrt": "division:Rsqrt",
    "divsqrt": "division:DivSqrt",
    "rem": "division:Rem",
    "fmod": "division:Fmod",
    "exp2": "functions:Exp2",
    "exp": "functions:Exp",
    "log2": "functions:Log2",
    "ln": "functions:Ln",
    "sigmoid": "functions:Sigmoid",
    "tanh": "functions:Tanh",
    "silu": "functions:Silu",
    "softplus": "functions:Softplus",
    "gelu": "functions:Gelu",
    "erf": "functions:Erf",
    "roundint": "codes:RoundInt",
    "class": "codes:Class",
    "sgnj": "codes:SignInjection",
    "logb": "codes:LogB",
    "scalb": "scalb:Scalb",
    "cast": "scalb:Cast",
    "cmp": "compare.unit:Compare",
    "minmax": "compare.unit:MinMax",
    "convert": "convert:Convert",
    "dot": "dot:Dot",
    "mac": "mac.mac:Mac",
    "multi": "multi:Multi",
    "dotmulti": "dotmulti:DotMulti",
    "dfpmac": "mac.pair:PairMac",
    "scaledsum": "mac.scaled:ScaledSum",
    "kulisch": "kulisch:Kulisch",
    "lmul": "logarithmic:LMul",
    "pam": "logarithmic:Pam",
    "pad": "logarithmic:Pad",
    "pasqrt": "logarithmic:PaSqrt",
    "palog2": "logarithmic:PaLog2",
    "paexp2": "logarithmic:PaExp2",
    "paslope": "logarithmic:PaSlope",
    "anfma": "anfma:AnFma",
    "anend": "anfma:ColumnEnd",
    "anseed": "anfma:Seed",
    "axmul": "axcore:AxMul",
    "axdot": "axcore:AxDot",
    "axnorm": "axcore:AxNorm",
    "axseed": "axcore:AxSeed",
    "axscale": "axcore:AxScale",
    "termgen": "bitserial:TermGen",
    "bspe": "bitserial:BitSerialPe",
    "bsdequant": "bitserial:BsDequant",
    "bstile": "bitserial:BsTile",
    "fpint": "fpint:FpIntPe",
    "prealign": "fpint:PreAlign",
    "engine": "systolic:Engine",
    "bitplane_dot": "bitplane:BitplaneDot",
    "lutdot": "lut:LutDot",
    "ternary": "ternary:Ternary",
    "andape": "anda:AndaPe",
    "andaquant": "anda:AndaQuant",
    "decode": "decode:Decode",
    "decodemulti": "decode:DecodeMulti",
    "powdecode": "decode:PowDecode",
    "powencode": "decode:PowEncode",
    "flintdecode": "decode:FlintDecode",
    "olivedecode": "decode:OliveDecode",
    "codebook": "codebook:Codebook",
    "blockquant": "blocks:BlockQuant",
    "blockdecode": "blocks:BlockDecode",
    "hadamard": "blocks:Hadamard",
    "nvfp4quant": "blocks:Nvfp4Quant",
    "requant": "requant:Requant",
    "layernorm": "rows:LayerNorm",
    "rmsnorm": "rows:RmsNorm",
    "softmax": "rows:SoftMax",
    "rope": "rope:Rope",
    "shiftexp": "ivit:ShiftExp",
    "shiftmax": "ivit:ShiftMax",
    "shiftgelu": "ivit:ShiftGelu",
    "ilayernorm": "ivit:ILayerNorm",
}
"""Every family: its name in a spec, and where its class is."""


WRAPPERS = {
    "lanes": "lanes:Lanes",
    "box": "boxes:Boxes",
}
"""Parameters of a spec that put a unit within another one (`Wrapper`): how many of it stand side by
side, in how wide words its floats are; and where their classes are."""


def family_modules() -> list[str]:
    """The modules that all families are in."""
    return [f"{__package__}.{where.partition(':')[0]}" for where in FAMILIES.values()]


def family(name: str) -> type[Unit]:
    """The class of this family. Raises `InvalidInput` for an unknown name."""
    if name not in FAMILIES:
        raise unknown("unit", name, FAMILIES)
    module, _, cls = FAMILIES[name].partition(":")
    return getattr(import_module(f".{module}", __package__), cls)


@overload
def unit(spec: AnUnit) -> AnUnit: ...


@overload
def unit(spec: str) -> UnitOfText: ...


def unit(spec: Unit | str) -> Unit:
    """The unit that a spec describes, such as ``"fma:a=bf16,b=bf16,c=fp32,out=fp32"``.

    Raises `InvalidInput` for an unknown family, parameter or value, naming the nearest right one.
    A `Unit` is returned as it is.
    """
    if isinstance(spec, Unit):
        return spec
    if not isinstance(spec, str):
        raise InvalidInput(f"a unit is given by its spec text, not {quoted(spec)}")
    name, _, parameters = spec.strip().partition(":")
    cls = family(name.strip())
    keys = wrappers_of(cls)
    items = items_of(parameters)
    around = [(key, x) for key, x in map(_key_and_value, items) if key in keys]
    own = [item for item in items if _key_and_value(item)[0] not in keys]
    one = cls.from_text(",".join(own), keys)
    if len(around) > 1:
        (first, _), (second, _), *_ = around
        wrong = f"{first} is given twice"
        if first != second:
            wrong = f"{second}: goes not together with {first}; allowed: one of them"
        raise InvalidInput(f"{one.family}: parameter {wrong}")
    for key, value in around:
        module, _, cls_name = WRAPPERS[key].partition(":")
        one = getattr(import_module(f".{module}", __package__), cls_name).around(one, value)
    return one


def wrappers_of(cls: type[Unit]) -> tuple[str, ...]:
    """The parameters beside those of a family that put its units within others (`WRAPPERS`)."""
    return tuple(key for key in WRAPPERS if key not in cls.parameters())


def _key_and_value(item: str) -> tuple[str, str]:
    key, _, value = item.partition("=")
    return key.strip(), value.strip()


def unit_parameter(help: str, default: str | None, quiet: bool = False) -> Any:
    """A field that holds a unit, given by its spec, which may stand in parentheses."""
    return parameter_field(
        Parameter(
            help, _unit_of, "a unit's spec", default, quiet=quiet, in_spec=lambda u: f"({u.spec})"
        )
    )


def _unit_of(value: Any) -> Unit:
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return unit(text)
