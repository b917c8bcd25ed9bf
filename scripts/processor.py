"""One instruction set for stored outputs, so that they do not depend on who computed them.

Compilers and numerical libraries choose their loops by the processor, and the order of a sum, with
it its last bits, follows. A model trained by stochastic gradient descent magnifies these bits into
other printed digits. On x86-64 with AVX2 all are told to use it and nothing newer.
"""

import os

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

LEVEL = "X86_V3"  # AVX2 and FMA: Intel since 2013, AMD since 2015


def can_compare() -> bool:
    """Whether this processor can compute the stored outputs to the last digit."""
    return bool(__cpu_features__.get(LEVEL))


def settings() -> dict[str, str]:
    """Environment variables for Numba, OpenBLAS and NumPy; none where AVX2 is missing."""
    if not can_compare():
        return {}
    newer = __cpu_dispatch__[__cpu_dispatch__.index(LEVEL) + 1 :]
    disabled = os.environ.get("NPY_DISABLE_CPU_FEATURES", "").split()  # where this is a kernel
    return {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "",  # those of the name
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": " ".join(
            name for name in newer if __cpu_features__.get(name) or name in disabled
        ),
    }
