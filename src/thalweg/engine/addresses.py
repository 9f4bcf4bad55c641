"""Reading the addresses of hundreds of tensors in one native call.

Users reallocate gradients, swap `.data` and move storages at any time, so addresses are read at every step.
From Python that costs 0.1 to 0.3 microseconds for each tensor and attribute: more than updating a small
tensor. Here a native loop asks torch's stable C interface (`aoti_torch_get_data_ptr` and its kind, which
compiled models use) and `c10::TensorImpl::grad`. The C++ tensor that they take lies within the Python object,
and is read there at every step: a reference of our own would keep cycles through a parameter from being
collected, and forbids `torch.utils.swap_tensors`. Where a function is missing, or a trial does not give what
Python gives, there is no `Reader` and the caller reads from Python.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["Reader", "usable"]

_ASKED = (
    "aoti_torch_get_numel",
    "aoti_torch_get_dtype",
    "aoti_torch_is_contiguous",
    "aoti_torch_get_data_ptr",
)
_GRAD = "_ZNK3c1010TensorImpl4gradEv"  # const at::Tensor& c10::TensorImpl::grad() const
_WORDS = 16  # how much of a TensorImpl is searched for its links; it is larger


class Reader:
    """Reads the addresses of parameters, their gradients and states, and checks that they are as expected.

    Args:
        params: contiguous parameters of one dtype.
        states: columns of contiguous states, each of one dtype.
    """

    def __init__(self, params: Sequence[Tensor], states: Sequence[Sequence[Tensor]]) -> None:
        self.columns = [list(column) for column in (params, *states)]  # kept alive: their addresses are used
        handles = [list(map(_handle, column)) for column in self.columns]
        self.tensors = np.array(handles, dtype=np.int64).T.copy()
        dtypes = [_ask("aoti_torch_get_dtype", column[0]) for column in handles]
        self.expected = np.array([dtypes[0], *dtypes], dtype=np.int64)  # of p, g and the states
        self.sizes = np.array([p.numel() for p in params], dtype=np.int64)
        self.out = np.zeros((len(params), 1 + len(handles)), dtype=np.int64)
        tables = [a.ctypes.data for a in (self.tensors, self.expected, self.sizes, self.out)]
        functions = [_address(name) for name in (*_ASKED, _GRAD)]
        self.job = np.array([*self.out.shape, *tables, *functions, _undefined(), *_links()], dtype=np.int64)
        self.job_address = self.job.ctypes.data

    def read(self) -> bool:
        """Fill `out` with the addresses (p, g, states; one row a tensor).

        Returns:
            False if a gradient is missing, or any tensor has no memory, is not contiguous or not of the size
            and dtype it had; then `out` is not to be used.
        """
        return bool(_loop()(self.job_address))


@cache
def usable() -> bool:
    """Whether the native functions are there and give what Python gives, tried on a few tensors."""
    try:
        params = [torch.zeros(3, 2, requires_grad=True), torch.zeros((), requires_grad=True)]
        states = [torch.zeros(3, 2, dtype=torch.float64), torch.zeros((), dtype=torch.float64)]
        trial = Reader(params, [states])
        missing = trial.read()
        grads = [torch.ones_like(p) for p in params]
        params[0].grad, params[1].grad = grads
        found, out = trial.read(), trial.out.copy()
        params[0].grad = torch.ones(2, 3).T
        transposed = trial.read()
    except (AttributeError, OSError, RuntimeError, StopIteration, TypeError, ValueError):
        return False
    truth = [[t.data_ptr() for t in row] for row in zip(params, grads, states, strict=True)]
    return not missing and not transposed and found and out.tolist() == truth


@cache
def _library() -> ctypes.CDLL:
    folder = Path(torch.__file__).parent / "lib"
    return ctypes.CDLL(str(next(folder.glob("libtorch_cpu.*"))))


def _address(name: str) -> int:
    return ctypes.cast(getattr(_library(), name), ctypes.c_void_p).value or 0


def _ask(name: str, handle: int) -> int:
    answer = ctypes.c_int32()
    if getattr(_library(), name)(ctypes.c_void_p(handle), ctypes.byref(answer)):
        raise RuntimeError(f"{name} failed")
    return answer.value


def _handle(tensor: Tensor) -> int:
    """The address of the at::Tensor within a Python tensor, valid as long as the Python tensor lives."""
    return id(tensor) + _offset()


@cache
def _offset() -> int:
    """Where in a Python tensor the at::Tensor lies: the one word that is the address of the TensorImpl."""
    tensor = torch.zeros(1)
    places = range(object.__basicsize__, Tensor.__basicsize__, 8)
    return next(i for i in places if ctypes.c_int64.from_address(id(tensor) + i).value == tensor._cdata)


@cache
def _undefined() -> int:
    """The address that stands for "no gradient": what a tensor without one answers."""
    word = ctypes.POINTER(ctypes.c_int64)
    gradient = getattr(_library(), _GRAD)
    gradient.restype, gradient.argtypes = word, (ctypes.c_int64,)
    tensor = torch.zeros(1, requires_grad=True)
    found: int = gradient(tensor._cdata)[0]
    return found


@cache
def _links() -> tuple[int, int, int]:
    """Where a TensorImpl keeps its storage and its autograd meta, and where that keeps the gradient.

    Tensors get their storage in one order and their autograd meta in another, so that nothing but the right
    words fits all of them.
    """
    tensors = [torch.zeros(1) for _ in range(8)]
    for i in (5, 2, 7, 0, 3, 6, 1, 4):
        tensors[i].requires_grad_().grad = torch.zeros(1)
    gradient = getattr(_library(), _GRAD)
    gradient.restype, gradient.argtypes = ctypes.c_void_p, (ctypes.c_int64,)
    words = np.array([(ctypes.c_int64 * _WORDS).from_address(t._cdata)[:] for t in tensors])
    storages = np.array([t.untyped_storage()._cdata for t in tensors])
    distances = np.array([gradient(t._cdata) for t in tensors])[:, None] - words
    (storage,) = np.flatnonzero((words == storages[:, None]).all(axis=0))
    (meta,) = np.flatnonzero((distances == distances[0]).all(axis=0))
    handle = int(distances[0, meta])
    if not 0 <= handle < 8 * _WORDS:
        raise RuntimeError("the gradient is not kept within the autograd meta")
    return 8 * int(storage), 8 * int(meta), handle


@cache
def _loop() -> Any:
    """The native loop: takes the address of a job, returns 1 if everything was as expected."""
    from thalweg.engine.fused import compile_kernel

    kernel = compile_kernel(_TEXT)  # cached there, so that its machine code stays
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(kernel.address)


# For each tensor: ask the parameter, its gradient and its states; leave at the first that does not fit.
# Waiting for memory is most of the work: what lies behind the pointers of rows ahead is fetched into the
# caches meanwhile, one link of the chain (Python object, tensor, storage; gradient, its storage) at a time.
_TEXT = """
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)

define private void @fetch(ptr %line) {
  call void @llvm.prefetch.p0(ptr %line, i32 0, i32 3, i32 1)
  ret void
}

define private void @fetch_tensor(ptr %line0) {
  %line1 = getelementptr i8, ptr %line0, i64 64
  %line2 = getelementptr i8, ptr %line0, i64 128
  call void @fetch(ptr %line0)
  call void @fetch(ptr %line1)
  call void @fetch(ptr %line2)
  ret void
}

define private ptr @word(ptr %object, i64 %offset) {
  %place = getelementptr i8, ptr %object, i64 %offset
  %found = load ptr, ptr %place
  ret ptr %found
}

; row i + ahead, or row i where that is past the end
define private ptr @row(ptr %tensors, i64 %i, i64 %ahead, i64 %count, i64 %columns) {
  %j = add i64 %i, %ahead
  %within = icmp slt i64 %j, %count
  %k = select i1 %within, i64 %j, i64 %i
  %place = mul i64 %k, %columns
  %row = getelementptr ptr, ptr %tensors, i64 %place
  ret ptr %row
}

define i1 @ask(ptr %handle, i64 %size, i64 %dtype, ptr %job, ptr %out) {
  %n = alloca i64
  %d = alloca i32
  %c = alloca i8
  store i64 0, ptr %n
  store i32 -1, ptr %d
  store i8 0, ptr %c
  %f0p = getelementptr i64, ptr %job, i64 6
  %f0 = load ptr, ptr %f0p
  %e0 = call i32 %f0(ptr %handle, ptr %n)
  %f1p = getelementptr i64, ptr %job, i64 7
  %f1 = load ptr, ptr %f1p
  %e1 = call i32 %f1(ptr %handle, ptr %d)
  %f2p = getelementptr i64, ptr %job, i64 8
  %f2 = load ptr, ptr %f2p
  %e2 = call i32 %f2(ptr %handle, ptr %c)
  %f3p = getelementptr i64, ptr %job, i64 9
  %f3 = load ptr, ptr %f3p
  %nv = load i64, ptr %n
  %dv32 = load i32, ptr %d
  %dv = sext i32 %dv32 to i64
  %cv = load i8, ptr %c
  %same_n = icmp eq i64 %nv, %size
  %same_d = icmp eq i64 %dv, %dtype
  %dense = icmp ne i8 %cv, 0
  %both = and i1 %same_n, %same_d
  %all = and i1 %both, %dense
  br i1 %all, label %good, label %bad
good:
  %e3 = call i32 %f3(ptr %handle, ptr %out)
  %ok = icmp eq i32 %e3, 0
  %address = load i64, ptr %out
  %somewhere = icmp ne i64 %address, 0
  %empty = icmp eq i64 %size, 0
  %valid = or i1 %somewhere, %empty
  %fine = and i1 %ok, %valid
  ret i1 %fine
bad:
  ret i1 false
}

define i64 @team(ptr %job) {
entry:
  %count = load i64, ptr %job
  %widthp = getelementptr i64, ptr %job, i64 1
  %width = load i64, ptr %widthp
  %tensorsp = getelementptr i64, ptr %job, i64 2
  %tensors = load ptr, ptr %tensorsp
  %expectedp = getelementptr i64, ptr %job, i64 3
  %expected = load ptr, ptr %expectedp
  %sizesp = getelementptr i64, ptr %job, i64 4
  %sizes = load ptr, ptr %sizesp
  %outp = getelementptr i64, ptr %job, i64 5
  %out = load ptr, ptr %outp
  %gradp = getelementptr i64, ptr %job, i64 10
  %grad = load ptr, ptr %gradp
  %undefinedp = getelementptr i64, ptr %job, i64 11
  %undefined = load i64, ptr %undefinedp
  %storagep = getelementptr i64, ptr %job, i64 12
  %storage = load i64, ptr %storagep
  %metap = getelementptr i64, ptr %job, i64 13
  %meta = load i64, ptr %metap
  %handlep = getelementptr i64, ptr %job, i64 14
  %handle = load i64, ptr %handlep
  %columns = sub i64 %width, 1
  br label %row
row:
  %i = phi i64 [ 0, %entry ], [ %next, %rowdone ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %param, label %yes
param:
  %row20 = call ptr @row(ptr %tensors, i64 %i, i64 20, i64 %count, i64 %columns)
  %row16 = call ptr @row(ptr %tensors, i64 %i, i64 16, i64 %count, i64 %columns)
  %row12 = call ptr @row(ptr %tensors, i64 %i, i64 12, i64 %count, i64 %columns)
  %row8 = call ptr @row(ptr %tensors, i64 %i, i64 8, i64 %count, i64 %columns)
  %row4 = call ptr @row(ptr %tensors, i64 %i, i64 4, i64 %count, i64 %columns)
  br label %ahead
ahead:
  %f = phi i64 [ 0, %param ], [ %nextf, %ahead ]
  %p20 = getelementptr ptr, ptr %row20, i64 %f
  %object20 = load ptr, ptr %p20
  call void @fetch(ptr %object20)
  %p16 = getelementptr ptr, ptr %row16, i64 %f
  %object16 = load ptr, ptr %p16
  %tensor16 = load ptr, ptr %object16
  call void @fetch_tensor(ptr %tensor16)
  %p12 = getelementptr ptr, ptr %row12, i64 %f
  %object12 = load ptr, ptr %p12
  %tensor12 = load ptr, ptr %object12
  %storage12 = call ptr @word(ptr %tensor12, i64 %storage)
  call void @fetch(ptr %storage12)
  %nextf = add i64 %f, 1
  %moref = icmp slt i64 %nextf, %columns
  br i1 %moref, label %ahead, label %gradients
gradients:
  %q12 = load ptr, ptr %row12
  %param12 = load ptr, ptr %q12
  %meta12 = call ptr @word(ptr %param12, i64 %meta)
  call void @fetch(ptr %meta12)
  %afterp = add i64 %meta, 16
  %after12 = call ptr @word(ptr %param12, i64 %afterp)
  call void @fetch(ptr %after12)
  %q8 = load ptr, ptr %row8
  %param8 = load ptr, ptr %q8
  %meta8 = call ptr @word(ptr %param8, i64 %meta)
  %bare8 = icmp eq ptr %meta8, null
  %from8 = select i1 %bare8, ptr %param8, ptr %meta8
  %grad8 = call ptr @word(ptr %from8, i64 %handle)
  call void @fetch_tensor(ptr %grad8)
  %q4 = load ptr, ptr %row4
  %param4 = load ptr, ptr %q4
  %meta4 = call ptr @word(ptr %param4, i64 %meta)
  %bare4 = icmp eq ptr %meta4, null
  br i1 %bare4, label %look, label %deep
deep:
  %grad4 = call ptr @word(ptr %meta4, i64 %handle)
  %storage4 = call ptr @word(ptr %grad4, i64 %storage)
  call void @fetch(ptr %storage4)
  br label %look
look:
  %hbase = mul i64 %i, %columns
  %hp = getelementptr ptr, ptr %tensors, i64 %hbase
  %h = load ptr, ptr %hp
  %sizep = getelementptr i64, ptr %sizes, i64 %i
  %size = load i64, ptr %sizep
  %obase = mul i64 %i, %width
  %o = getelementptr i64, ptr %out, i64 %obase
  %d0 = load i64, ptr %expected
  %okp = call i1 @ask(ptr %h, i64 %size, i64 %d0, ptr %job, ptr %o)
  br i1 %okp, label %gradient, label %no
gradient:
  %impl = load ptr, ptr %h
  %g = call ptr %grad(ptr %impl)
  %gimpl = load i64, ptr %g
  %none = icmp eq i64 %gimpl, %undefined
  br i1 %none, label %no, label %present
present:
  %og = getelementptr i64, ptr %o, i64 1
  %okg = call i1 @ask(ptr %g, i64 %size, i64 %d0, ptr %job, ptr %og)
  br i1 %okg, label %state, label %no
state:
  %j = phi i64 [ 1, %present ], [ %nextj, %statedone ]
  %morej = icmp slt i64 %j, %columns
  br i1 %morej, label %onestate, label %rowdone
onestate:
  %sp = getelementptr ptr, ptr %hp, i64 %j
  %s = load ptr, ptr %sp
  %nextj = add i64 %j, 1
  %os = getelementptr i64, ptr %o, i64 %nextj
  %dp = getelementptr i64, ptr %expected, i64 %nextj
  %ds = load i64, ptr %dp
  %oks = call i1 @ask(ptr %s, i64 %size, i64 %ds, ptr %job, ptr %os)
  br i1 %oks, label %statedone, label %no
statedone:
  br label %state
rowdone:
  %next = add i64 %i, 1
  br label %row
yes:
  ret i64 1
no:
  ret i64 0
}
"""
