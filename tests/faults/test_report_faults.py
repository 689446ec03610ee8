"Small versions of the faults of report runs; `benchmarks/faults_reports.py` runs the full counts."

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import report_faults as faults


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return faults.plant(tmp_path_factory.mktemp("shop"))


@pytest.mark.parametrize("fault", faults.FAULTS)
def test_a_fault_publishes_nothing_and_is_recorded_with_its_reason(settings, fault):
    assert faults.FAULTS[fault](settings, 2) == []
