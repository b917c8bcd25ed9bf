"""What pytest leaves out where PyTorch is not installed; scripts/check.py names it as skipped."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["recsys/neural", "tests/recsys/neural"]
