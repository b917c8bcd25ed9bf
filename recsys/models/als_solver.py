"""The compiled solver of `als`: conjugate gradients on all rows of one side at once."""

from __future__ import annotations

import numpy as np

from recsys.compiled import compiled, prange
from recsys.kernels import CHUNKS, ONE, add_rows, add_scaled, dot


@compiled(parallel=True, error_model="numpy")
def als_half_step(
    X, Y, gramian, mean_squares, ptr, cols, values, alpha, reg, max_steps, tolerance
):  # fmt: skip
    """Improve each row x of X: up to `max_steps` conjugate gradient steps to A x = b.

    A = diag(gramian) + reg I + sum_i extra_i y_i y_i' and b = sum_i (1 + extra_i) y_i,
    summed over the columns i in the row, with extra_i = alpha values_i. The diagonal of
    A, with the sum replaced by its average, scales the steps (Jacobi's preconditioner).

    Only `dot` and `matvec` let the compiler reorder their arithmetic, which a sum needs
    to be fast. Their loops multiply two numbers and write nothing, so that there is one
    way to do it, and the bits are the same in the process that compiles and in those
    that load its code.
    """
    n, f = X.shape
    for chunk in prange(CHUNKS):
        scale, residual = np.empty(f, np.float32), np.empty(f, np.float32)
        direction, image = np.empty(f, np.float32), np.empty(f, np.float32)
        for u in range(chunk, n, CHUNKS):
            x, weight = X[u], alpha * values[ptr[u] : ptr[u + 1]]
            if len(weight) == 0:  # no evidence: the penalty alone, so zero
                for k in range(f):
                    x[k] = 0
                continue
            rows = cols[ptr[u] : ptr[u + 1]]
            s = np.empty(len(rows), np.float32)  # one number per y_i
            weighted = np.empty(len(rows), np.float32)
            matvec(Y, rows, x, s)
            evidence = np.float32(0)
            for i in range(len(s)):
                evidence += weight[i]
            for i in range(len(s)):
                weighted[i] = ONE + weight[i] * (ONE - s[i])
            for k in range(f):
                scale[k] = ONE / (gramian[k] + reg[u] + evidence * mean_squares[k])
                residual[k] = -(gramian[k] + reg[u]) * x[k]
                direction[k] = 0
            add_rows(Y, rows, weighted, residual)  # now b - A x
            size = update_direction(direction, residual, scale, image, ONE)
            for step in range(max_steps):
                if size < tolerance:
                    break
                matvec(Y, rows, direction, s)
                for i in range(len(s)):
                    weighted[i] = weight[i] * s[i]
                for k in range(f):
                    image[k] = (gramian[k] + reg[u]) * direction[k]
                curvature = dot(image, direction) + dot(weighted, s)  # along direction
                add_scaled(x, size / curvature, direction)
                if step < max_steps - 1:  # another step needs the residual
                    add_rows(Y, rows, weighted, image)  # now A times the direction
                    add_scaled(residual, -size / curvature, image)
                    size = update_direction(direction, residual, scale, image, size)


@compiled(error_model="numpy")
def update_direction(direction, residual, scale, scaled, size):
    """The next conjugate direction, in place; returns the residual's new scaled square.

    `scaled` (f,) is overwritten with the scaled residual.
    """
    for k in range(len(scale)):
        scaled[k] = scale[k] * residual[k]
    new_size = dot(residual, scaled)
    for k in range(len(scale)):
        direction[k] = scaled[k] + new_size / size * direction[k]
    return new_size


@compiled(fastmath=True)
def matvec(Y, rows, x, out):
    """out_i = y_i'x for the given rows y_i of Y; four at a time read x once."""
    n = len(rows)
    for i in range(0, n - n % 4, 4):
        y0, y1, y2, y3 = Y[rows[i]], Y[rows[i + 1]], Y[rows[i + 2]], Y[rows[i + 3]]
        a = b = c = d = np.float32(0)
        for k in range(len(x)):
            a += y0[k] * x[k]
            b += y1[k] * x[k]
            c += y2[k] * x[k]
            d += y3[k] * x[k]
        out[i], out[i + 1], out[i + 2], out[i + 3] = a, b, c, d
    for i in range(n - n % 4, n):
        out[i] = dot(Y[rows[i]], x)
