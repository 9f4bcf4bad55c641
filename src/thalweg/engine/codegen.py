"""LLVM code for a program: one loop over the elements, every stage inlined, one pass over memory.

The kernel is a function ``team(job)`` that several threads run at once. `job` is an array of 64-bit words:
the chunk counter (taken atomically, so that threads balance themselves), the number of chunks, and the
addresses of the tables: chunks (tensor, offset, length, row of scalars), array addresses of each tensor,
scalars, and the partial sums of each chunk. Arrays of one tensor never overlap; the loads and stores say so
(`alias.scope`), else LLVM would guard the vector loop by more run-time checks than it is willing to make.
"""

import ast
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from thalweg.engine import lowbits_llvm
from thalweg.engine.plan import Program, Stage
from thalweg.engine.rule import Rule

__all__ = ["FIELDS", "emit_reduction", "emit_step"]

FIELDS = ("counter", "chunks", "table", "arrays", "scalars", "partials")

_I64, _I32, _I16 = ir.IntType(64), ir.IntType(32), ir.IntType(16)
_F32, _F64, _F16 = ir.FloatType(), ir.DoubleType(), ir.HalfType()
_SIZE = {"float32": 4, "float64": 8, "bfloat16": 2, "float16": 2, "int16": 2}
_KIND = {"float32": _F32, "float64": _F64, "bfloat16": _I16, "float16": _F16, "int16": _I16}
# Division by a reciprocal costs an ulp; NaN and infinity keep their meaning.
_FAST = ("arcp",)
_BINARY = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "=="}


def emit_step(program: Program, dtypes: Sequence[str]) -> str:
    """LLVM IR of the pass that updates parameters and states.

    Args:
        program: what to compute.
        dtypes: storage type of each array: p, g, the states in the program's order, then "int16" for the low
            bits of a low-precision parameter.
    """
    kernel = _Kernel(dtypes, "float64" if dtypes[0] == "float64" else "float32")
    names = ("p", "g", *program.states)
    env = {name: kernel.load(i) if i else kernel.load_parameter() for i, name in enumerate(names)}
    kernel.stages(program.stages, env)
    kernel.store_parameter(env["p"])
    for i, name in enumerate(program.states, 2):
        kernel.store(i, env[name])
    return kernel.finish()


def emit_reduction(program: Program, stop: int, dtypes: Sequence[str]) -> str:
    """LLVM IR of the read-only pass for the sums of the stage `stop`, in double."""
    stage = program.stages[stop]
    kernel = _Kernel(dtypes, "float64", sums=len(stage.rule.sums))
    env = _Loads(kernel, ("p", "g", *program.states))
    kernel.stages(program.stages[:stop], env)
    for i, summand in enumerate(stage.rule.sums.values()):
        (value,) = kernel.rule(summand, [env[name] for name in stage.reads(summand)])
        kernel.accumulate(i, value)
    return kernel.finish()


class _Loads(dict[str, Any]):
    """Values by name; an array is read only when a formula asks for it."""

    def __init__(self, kernel: "_Kernel", names: Sequence[str]) -> None:
        self.kernel, self.names = kernel, names

    def __missing__(self, name: str) -> Any:
        index = self.names.index(name)
        self[name] = value = self.kernel.load(index) if index else self.kernel.load_parameter()
        return value


@dataclass
class _Blocks:
    grab: Any
    work: Any
    loop: Any
    after: Any
    done: Any


def _is_root(x: Any) -> bool:
    """True for a square root: LLVM would take an estimate of x / sqrt(y), which is NaN at an infinite y."""
    return isinstance(x, ir.CallInstr) and x.callee.name.startswith("llvm.sqrt")


class _Kernel:
    """The frame of a kernel: takes chunks, loops over elements, holds the builder for the loop's body."""

    def __init__(self, dtypes: Sequence[str], compute: str, sums: int = 0) -> None:
        self.dtypes = dtypes
        self.real = _F32 if compute == "float32" else _F64
        self.totals: list[Any] = [None] * sums
        self.module = ir.Module("thalweg")
        self.function = ir.Function(self.module, ir.FunctionType(ir.VoidType(), [_I64.as_pointer()]), "team")
        self.blocks = _Blocks(*(self.function.append_basic_block(n) for n in _Blocks.__annotations__))
        self.builder = ir.IRBuilder(self.function.insert_basic_block(0, "entry"))
        self.scopes = self._scopes(len(dtypes))
        self.constant_count = 0
        self._enter()

    def _scopes(self, count: int) -> list[tuple[Any, Any]]:
        md = self.module.add_metadata
        domain = md([ir.MetaDataString(self.module, "arrays of one tensor")])
        scopes = [md([ir.MetaDataString(self.module, f"array {i}"), domain]) for i in range(count)]
        return [
            (md([scopes[i]]), md([s for j, s in enumerate(scopes) if j != i] or [])) for i in range(count)
        ]

    def _enter(self) -> None:
        b, blocks = self.builder, self.blocks
        job = {name: b.load(b.gep(self.function.args[0], [_I64(i)])) for i, name in enumerate(FIELDS)}
        self.job = job
        self.control = self._flush_subnormals()
        b.branch(blocks.grab)
        b.position_at_end(blocks.grab)
        self.chunk = b.atomic_rmw("add", self.function.args[0], _I64(1), "monotonic")
        b.cbranch(b.icmp_signed("<", self.chunk, job["chunks"]), blocks.work, blocks.done)
        b.position_at_end(blocks.work)
        tensor, offset, length, row = (self._table("table", 4, i) for i in range(4))
        self.tensor, self.length, self.row = tensor, length, row
        self.base = [self._array(i, offset) for i in range(len(self.dtypes))]
        self.work = ir.IRBuilder(blocks.work)
        self._loop()

    def _table(self, name: str, width: int, column: int) -> Any:
        b = self.builder
        index = b.add(b.mul(self.chunk, _I64(width)), _I64(column))
        return b.load(b.gep(b.inttoptr(self.job[name], _I64.as_pointer()), [index]))

    def _array(self, slot: int, offset: Any) -> Any:
        b = self.builder
        index = b.add(b.mul(self.tensor, _I64(len(self.dtypes))), _I64(slot))
        start = b.load(b.gep(b.inttoptr(self.job["arrays"], _I64.as_pointer()), [index]))
        return b.add(start, b.mul(offset, _I64(_SIZE[self.dtypes[slot]])))

    def _loop(self) -> None:
        b, blocks = self.builder, self.blocks
        b.position_at_end(blocks.loop)
        self.index = b.phi(_I64)
        self.index.add_incoming(_I64(0), blocks.work)
        self.sums: list[Any] = [b.phi(_F64) for _ in self.totals]

    # -- memory ---------------------------------------------------------------------------------------------

    def _address(self, slot: int, kind: Any) -> Any:
        return self.builder.gep(self.builder.inttoptr(self.base[slot], kind.as_pointer()), [self.index])

    def _tag(self, instruction: Any, slot: int) -> Any:
        scope, others = self.scopes[slot]
        instruction.set_metadata("alias.scope", scope)
        instruction.set_metadata("noalias", others)
        return instruction

    def load(self, slot: int) -> Any:
        """The element of an array, in the precision of the arithmetic."""
        return self._widened(self._read(slot))

    def store(self, slot: int, value: Any) -> None:
        """Write the element of an array."""
        address = self._address(slot, value.type)
        self._tag(self.builder.store(value, address, align=_SIZE[self.dtypes[slot]]), slot)

    def load_parameter(self) -> Any:
        """The element of the parameter, with its low bits where it has some."""
        if self.dtypes[-1] != "int16":
            return self.load(0)
        return self._widened(lowbits_llvm.join(self.builder, self._read(0), self._read(-1)))

    def store_parameter(self, value: Any) -> None:
        """Write the element of the parameter, and its low bits where it has some."""
        if self.dtypes[-1] == "int16":
            value, low = lowbits_llvm.split(self.builder, value, _KIND[self.dtypes[0]])
            self.store(-1, low)
        self.store(0, value)

    def _read(self, slot: int) -> Any:
        dtype = self.dtypes[slot]
        address = self._address(slot, _KIND[dtype])
        return self._tag(self.builder.load(address, align=_SIZE[dtype]), slot)

    def _widened(self, value: Any) -> Any:
        if value.type in (_I16, _F16):
            value = lowbits_llvm.widen(self.builder, value)
        return value if value.type == self.real else self.builder.fpext(value, _F64)

    def accumulate(self, i: int, value: Any) -> None:
        """Add to one of the chunk's partial sums."""
        self.totals[i] = self.builder.fadd(self.sums[i], value, flags=("reassoc", *_FAST))

    # -- arithmetic -----------------------------------------------------------------------------------------

    def stages(self, stages: Sequence[Stage], env: dict[str, Any]) -> None:
        """Run stages on the values of one element."""
        for stage in stages:
            assert isinstance(stage.rule, Rule)
            values = self.rule(stage.rule, [env[name] for name in stage.inputs])
            env.update(zip(stage.outputs, values, strict=True))

    def rule(self, rule: Rule, inputs: Sequence[Any]) -> list[Any]:
        """Inline one rule; its lifted scalars are the next columns of the scalar table."""
        env = dict(zip(rule.tensors, inputs, strict=True))
        for name in rule.lifted.constants:
            env[name] = self._constant()
        for name, expression in rule.lifted.body:
            env[name] = self._expression(expression, env)
        return [self._expression(e, env) for e in rule.lifted.returns]

    def _constant(self) -> Any:
        b = self.work
        index = b.add(self.row, _I64(self.constant_count))
        self.constant_count += 1
        value = b.load(b.gep(b.inttoptr(self.job["scalars"], _F64.as_pointer()), [index]))
        return value if self.real is _F64 else b.fptrunc(value, _F32)

    def _expression(self, node: ast.expr, env: dict[str, Any]) -> Any:
        b = self.builder
        match node:
            case ast.Name():
                return env[node.id]
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.BinOp(op=ast.Mult())):
                return self._product_and_sum(node.right, left, env, negative=isinstance(node.op, ast.Sub))
            case ast.BinOp(left=ast.BinOp(op=ast.Mult()), op=ast.Add(), right=right):
                return self._product_and_sum(node.left, right, env)
            case ast.BinOp():
                method = getattr(b, _BINARY[type(node.op)])
                left, right = self._expression(node.left, env), self._expression(node.right, env)
                return method(left, right, flags=() if _is_root(right) else _FAST)
            case ast.UnaryOp():
                return b.fneg(self._expression(node.operand, env))
            case ast.Compare():
                return self._comparison(node, env)
            case ast.Call(func=ast.Name(id=name)):
                return getattr(self, f"_{name}")(*(self._expression(a, env) for a in node.args))
        raise AssertionError(ast.dump(node))

    def _product_and_sum(
        self, product: ast.expr, other: ast.expr, env: dict[str, Any], negative: bool = False
    ) -> Any:
        """One fused instruction where the processor has it.

        LLVM's own choice of what to fuse depends on the types in memory: a bfloat16 run would not equal its
        float32 twin.
        """
        assert isinstance(product, ast.BinOp)
        x, y, z = (self._expression(e, env) for e in (product.left, product.right, other))
        kind = ir.FunctionType(self.real, [self.real] * 3)
        function = self.module.declare_intrinsic("llvm.fmuladd", [self.real], kind)
        return self.builder.call(function, [self.builder.fneg(x) if negative else x, y, z])

    def _comparison(self, node: ast.Compare, env: dict[str, Any]) -> Any:
        left, right = self._expression(node.left, env), self._expression(node.comparators[0], env)
        if isinstance(node.ops[0], ast.NotEq):
            return self.builder.fcmp_unordered("!=", left, right)
        return self.builder.fcmp_ordered(_COMPARE[type(node.ops[0])], left, right)

    def _intrinsic(self, name: str, value: Any) -> Any:
        return self.builder.call(self.module.declare_intrinsic(f"llvm.{name}", [self.real]), [value])

    def _sqrt(self, x: Any) -> Any:
        return self._intrinsic("sqrt", x)

    def _absolute(self, x: Any) -> Any:
        return self._intrinsic("fabs", x)

    def _sign(self, x: Any) -> Any:
        b, zero = self.builder, self.real(0.0)
        negative = b.select(b.fcmp_ordered("<", x, zero), self.real(-1.0), b.fmul(x, zero))
        return b.select(b.fcmp_ordered(">", x, zero), self.real(1.0), negative)

    def _isfinite(self, x: Any) -> Any:
        difference = self.builder.fsub(x, x)
        return self.builder.fcmp_ordered("ord", difference, difference)

    def _pick(self, order: str, a: Any, b: Any) -> Any:
        build = self.builder
        first = build.or_(build.fcmp_ordered(order, a, b), build.fcmp_unordered("uno", a, a))
        return build.select(first, a, b)

    def _maximum(self, a: Any, b: Any) -> Any:
        return self._pick(">", a, b)

    def _minimum(self, a: Any, b: Any) -> Any:
        return self._pick("<", a, b)

    def _where(self, condition: Any, a: Any, b: Any) -> Any:
        if condition.type is self.real:  # a condition on scalars alone, lifted to 0.0 or 1.0
            condition = self.builder.fcmp_unordered("!=", condition, self.real(0.0))
        return self.builder.select(condition, a, b)

    # -- the end --------------------------------------------------------------------------------------------

    def finish(self) -> str:
        """Close the loops and give the module's text."""
        b, blocks = self.builder, self.blocks
        following = b.add(self.index, _I64(1))
        self.index.add_incoming(following, blocks.loop)
        b.cbranch(b.icmp_signed("<", following, self.length), blocks.loop, blocks.after)
        self.work.branch(blocks.loop)
        b.position_at_end(blocks.after)
        for i, (partial, total) in enumerate(zip(self.sums, self.totals, strict=True)):
            partial.add_incoming(_F64(0.0), blocks.work)
            partial.add_incoming(total, blocks.loop)
            place = b.add(b.mul(self.chunk, _I64(len(self.sums))), _I64(i))
            b.store(total, b.gep(b.inttoptr(self.job["partials"], _F64.as_pointer()), [place]))
        b.branch(blocks.grab)
        b.position_at_end(blocks.done)
        self._restore_subnormals()
        b.ret_void()
        return str(self.module)

    # Subnormal moments (dead units, unused rows) would make every operation on them trap into microcode: the
    # kernel treats them as zero, which moves a float32 value by less than 1.2e-38.
    def _control_word(self, name: str, address: Any) -> None:
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
        function = self.module.globals.get(name) or ir.Function(self.module, kind, name)
        self.builder.call(function, [self.builder.bitcast(address, ir.IntType(8).as_pointer())])

    def _flush_subnormals(self) -> Any:
        if platform.machine() not in ("x86_64", "AMD64"):
            return None
        b = self.builder
        saved, changed = b.alloca(_I32), b.alloca(_I32)
        self._control_word("llvm.x86.sse.stmxcsr", saved)
        b.store(b.or_(b.load(saved), _I32(0x8040)), changed)
        self._control_word("llvm.x86.sse.ldmxcsr", changed)
        return saved

    def _restore_subnormals(self) -> None:
        if self.control is not None:
            self._control_word("llvm.x86.sse.ldmxcsr", self.control)
