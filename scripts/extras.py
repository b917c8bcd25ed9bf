"""The packages of requirements-neural.txt, and what is left out where one is not installed."""

import importlib.util

NAMES = {
    "torch": "PyTorch",
    "safetensors": "safetensors",
    "optuna": "Optuna",
    "dvc": "DVC",
    "pyspark": "Spark (pyspark)",
}
# What cannot even be imported without the package: the modules, for their examples, and the tests.
NEEDED_BY = {
    "torch": ("recsys/neural", "tests/recsys/neural"),
    "pyspark": (
        "recsys/spark.py",
        "tests/recsys/test_spark.py",
        "tests/benchmarks/test_distributed.py",
    ),
}


def installed(package: str) -> bool:
    """Whether a package can be found; it is not imported."""
    return importlib.util.find_spec(package) is not None


def why_missing(package: str) -> str:
    """The sentence for a package that is not installed; empty where it is."""
    if package not in NAMES:
        raise ValueError(f"packages must be of {', '.join(NAMES)}, got {package!r}")
    return "" if installed(package) else f"needs {NAMES[package]}, which is not installed"


def left_out() -> dict[str, str]:
    """Path in the repository -> why its tests are not even collected."""
    return {
        path: why
        for package, paths in NEEDED_BY.items()
        if (why := why_missing(package))
        for path in paths
    }
