"""One instruction set for stored outputs, so that they do not depend on who computed them.

Compilers and numerical libraries choose their loops by the processor, and the order of a sum, with
it its last bits, follows. A model trained by stochastic gradient descent magnifies these bits into
other printed digits. On x86-64 with AVX2 all are told to use it and nothing newer.
"""

import functools
import hashlib
import os
import subprocess
import sys

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

LEVEL = "X86_V3"  # AVX2 and FMA: Intel since 2013, AMD since 2015
OTHER_TORCH = "its outputs were not compared: PyTorch rounds otherwise on this processor"
# What `train_probe` returns where the outputs were stored.
TRAINED = "de7d1e3423205f43a03dbaaee375bf7b2bb932653899da08e78b2e16033d3569"


def can_compare() -> bool:
    """Whether this processor can compute the stored outputs to the last digit."""
    return bool(__cpu_features__.get(LEVEL))


def settings() -> dict[str, str]:
    """Environment variables for Numba, OpenBLAS, NumPy and PyTorch; none where AVX2 is missing."""
    if not can_compare():
        return {}
    newer = __cpu_dispatch__[__cpu_dispatch__.index(LEVEL) + 1 :]
    disabled = os.environ.get("NPY_DISABLE_CPU_FEATURES", "").split()  # where this is a kernel
    return {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "",  # those of the name
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_CBWR": "AVX2,STRICT",  # the same bits for any number of threads
        "NPY_DISABLE_CPU_FEATURES": " ".join(
            name for name in newer if __cpu_features__.get(name) or name in disabled
        ),
    }


@functools.cache
def can_compare_torch() -> bool:
    """Whether a short training here ends at the stored weights, to the bit."""
    if not can_compare():
        return False
    command = [sys.executable, __file__]
    env = os.environ | settings()
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    return done.stdout.strip() == TRAINED


def train_probe() -> str:
    """Train a network of two layers for 20 steps of Adam; the SHA-256 of its weights and scores."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x, first, second = (
        torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
        for shape in ((256, 48), (48, 64), (64, 301))
    )
    target = torch.from_numpy(rng.integers(301, size=256))
    weights = [(0.1 * w).requires_grad_() for w in (first, second)]
    adam = torch.optim.Adam(weights, lr=0.01)
    for _ in range(20):
        adam.zero_grad()
        scores = torch.nn.functional.gelu(x @ weights[0]) @ weights[1]
        torch.nn.functional.cross_entropy(scores, target).backward()
        adam.step()
    found = hashlib.sha256()
    for array in (*weights, torch.softmax(scores, 1)):
        found.update(array.detach().numpy().tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    print(train_probe())
