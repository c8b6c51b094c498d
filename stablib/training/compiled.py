"""What the compiled loops share: their liberties, and SciPy's matrix product callable from Numba.

A Numba loop that adds a product onto a matrix in place needs BLAS's `gemm` with beta = 1, which `np.dot`
does not offer. SciPy carries the routine in `scipy.linalg.cython_blas`; it is registered under a name of
our own, so that compiled loops can be cached on disk and find it again in the next process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import get_cython_function_address, intrinsic

from ..jit import jit

GOING, BELOW, BLOWN = 0, 1, 2  # why a loop came back; in words:
ENDINGS = ("going on", "tolerance", "diverged")

for _letter in "sd":
    llvm.add_symbol(
        f"stablib_{_letter}gemm",
        get_cython_function_address("scipy.linalg.cython_blas", f"{_letter}gemm"),
    )


def fast(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jit` for loops whose sums may be reassociated, the only liberty that is taken."""
    return jit(function, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")


@intrinsic
def gemm(typingctx: Any, transposed: Any, left: Any, right: Any, beta: Any, out: Any) -> Any:
    """Put out = left @ right + beta * out, or left.T @ right + beta * out in place.

    `transposed` is a bool, `beta` a float; the three arrays are C-contiguous, two-dimensional, of one
    type, float32 or float64. Shapes are not checked.
    """
    arrays = (left, right, out)
    if not all(isinstance(a, types.Array) and a.ndim == 2 and a.layout == "C" for a in arrays):
        raise TypingError("gemm needs C-contiguous matrices")
    if left.dtype not in (types.float32, types.float64) or len({a.dtype for a in arrays}) > 1:
        raise TypingError("gemm needs matrices of one floating-point type")
    name = "stablib_sgemm" if left.dtype == types.float32 else "stablib_dgemm"

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = context.get_value_type(left.dtype)
        char, integer = ir.IntType(8), ir.IntType(32)
        transposed_, left_, right_, beta_, out_ = args
        structs = [
            context.make_array(t)(context, builder, a)
            for t, a in zip(arrays, (left_, right_, out_), strict=True)
        ]
        rows = [builder.trunc(cgutils.unpack_tuple(builder, s.shape)[0], integer) for s in structs]
        columns = [
            builder.trunc(cgutils.unpack_tuple(builder, s.shape)[1], integer) for s in structs
        ]

        def by_reference(value: Any) -> Any:
            return cgutils.alloca_once_value(builder, value)

        # Row-major matrices are their transposes to Fortran: out' = right' left.
        plain = by_reference(ir.Constant(char, ord("N")))
        flag = by_reference(
            builder.select(transposed_, ir.Constant(char, ord("T")), ir.Constant(char, ord("N")))
        )
        alpha, beta_ref = by_reference(ir.Constant(number, 1.0)), by_reference(beta_)
        m, n, k = by_reference(columns[2]), by_reference(rows[2]), by_reference(rows[1])
        ld_right, ld_left = by_reference(columns[1]), by_reference(columns[0])
        pointers = [
            plain, flag, m, n, k, alpha, structs[1].data, ld_right,
            structs[0].data, ld_left, beta_ref, structs[2].data, m,
        ]  # fmt: skip
        function_type = ir.FunctionType(ir.VoidType(), [p.type for p in pointers])
        function = cgutils.get_or_insert_function(builder.module, function_type, name)
        builder.call(function, pointers)
        return context.get_dummy_value()

    return types.none(types.boolean, left, right, left.dtype, out), codegen
