"""What printed Python may call and compare by, in JavaScript; what is not here is refused."""

import ast
import dataclasses
import itertools
import math
import operator
from typing import Any, Final

from thalweg.engine.options import check_options, check_value
from thalweg.engine.plan import Transform
from thalweg.errors import UserError

__all__ = ["HELPED", "KINDS", "METHODS", "NATIVE", "ORDERS", "SIGNS"]

_PAIRS: Final[list[tuple[Any, str]]] = [
    (abs, "Math.abs"), (min, "Math.min"), (max, "Math.max"), (int, "Math.trunc"), (float, "float"),
    (len, "len"), (sum, "sum"), (any, "any"), (all, "all"), (tuple, "Array.from"), (list, "Array.from"),
    (repr, "repr"), (map, "map"), (divmod, "divmod"), (itertools.pairwise, "pairwise"), (type, "type"),
    (math.floor, "Math.floor"), (math.ceil, "Math.ceil"), (math.cos, "Math.cos"), (math.log, "Math.log"),
    (math.log2, "Math.log2"), (math.sqrt, "root"), (math.pow, "power"), (math.ldexp, "ldexp"),
    (math.isinf, "isinf"), (math.isnan, "Number.isNaN"), (math.isfinite, "Number.isFinite"),
    (operator.index, "index"), (dataclasses.fields, "fields"), (dataclasses.MISSING, "MISSING"),
    (check_value, "check_value"), (check_options, "check_options"), (Transform, "transform"),
    (UserError, "UserError"), (FloatingPointError, "FloatingPointError"),
    (AssertionError, "Error"), (NotImplementedError, "Error"),
]  # fmt: skip
NATIVE: Final = {id(value): name for value, name in _PAIRS}
"""By identity: a name with a dot, or Error, is the language's; the others are of `engine/python.js`."""
METHODS: Final = {"append": "push", "fill_": "fill", "not_finite": "not_finite", "span": "span"}
KINDS: Final = {"bool": "boolean", "str": "string", "int": "number", "float": "number"}
SIGNS: Final[dict[type[ast.operator], str]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
HELPED: Final[dict[type[ast.operator], str]] = {
    ast.Div: "divide", ast.Pow: "power", ast.Mod: "mod", ast.FloorDiv: "floordiv",
}  # fmt: skip
ORDERS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Eq: "===", ast.NotEq: "!==", ast.Is: "===", ast.IsNot: "!==",
}  # fmt: skip
