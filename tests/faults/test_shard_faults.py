"""Small versions of the faults of shards; `make faults` runs the full counts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import shard_faults as faults

from smart_customer_analysis.scale.engine import Local


def test_killed_workers_cost_their_shard_an_attempt_and_nothing_else(tmp_path):
    outcomes, wrong = faults.kill_workers(tmp_path, 1, Local(2))
    assert wrong == [] and outcomes == {"workers killed": 2}


def test_a_killed_command_goes_on_where_it_was(tmp_path):
    outcomes, wrong = faults.kill_askers(tmp_path, 1, workers=1)
    assert wrong == [] and outcomes.total() == 1
