"""What pytest leaves out where a package is not installed; scripts/check.py names it as skipped."""

from pathlib import Path

from extras import left_out

ABSENT = {Path(__file__).parent / path for path in left_out()}


def pytest_ignore_collect(collection_path):
    """True for a path that needs a missing package; None leaves it to pytest."""
    return True if ABSENT & {collection_path, *collection_path.parents} else None
