"""The tests of recsys.neural need PyTorch."""

import pytest

pytest.importorskip("torch", reason="recsys.neural needs PyTorch, which is not installed")
