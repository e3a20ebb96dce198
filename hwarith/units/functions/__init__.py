"""Elementary functions, correctly rounded or faithful, by tables that are found by constraints."""

from .curves import Erf, Gelu, Silu, Softplus, Tanh
from .logarithms import Ln, Log2
from .logistic import Sigmoid
from .powers import Exp, Exp2

__all__ = ["Erf", "Exp", "Exp2", "Gelu", "Ln", "Log2", "Sigmoid", "Silu", "Softplus", "Tanh"]
