"""The Ray engine on a Ray of its own. Runs where the extra `ray` is installed; CI leaves out its 200 MB."""

import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import shard_faults as faults

from smart_customer_analysis.scale.engine import Ray

if not find_spec("ray"):
    why = "the Ray engine is NOT TESTED here: pip install 'smart_customer_analysis[ray]'"
    warnings.warn(why, stacklevel=1)
    pytest.skip(why, allow_module_level=True)


def test_actors_killed_before_their_receipt_leave_the_manifest_of_this_process(tmp_path):
    outcomes, wrong = faults.kill_workers(tmp_path, 1, Ray(2))
    assert wrong == [] and outcomes == {"workers killed": 2}
