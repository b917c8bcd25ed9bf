"""The list of faults that `scripts/plant_faults.py` plants still fits the code."""

import pytest

from execute import ROOT
from plant_faults import read_faults


@pytest.mark.parametrize("fault", read_faults(), ids=lambda fault: fault.name)
def test_fault_can_be_planted(fault):
    text = (ROOT / fault.file).read_text()
    assert fault.planted(text) != text
    assert all((ROOT / test).exists() for test in fault.tests)
