"""Small versions of the model's fault runs; `make faults` runs the full counts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import sentiment_faults as faults


def test_killed_trainings_end_as_if_nothing_had_happened(tmp_path):
    places, wrong = faults.kill_training(tmp_path, 3)
    assert wrong == [] and places.total() == 3


def test_killed_in_the_middle_of_a_write(tmp_path):
    places, wrong = faults.kill_saving(tmp_path, 4)
    assert wrong == [] and places["while the model was published"] and places["while a checkpoint was written"]


def test_a_killed_scoring_goes_on_where_it_was(tmp_path):
    outcomes, wrong = faults.kill_scoring(tmp_path, 3, n=1_500)
    assert wrong == [] and outcomes.total() == 3


def test_damaged_folders_are_refused_and_the_last_good_one_serves(tmp_path):
    assert len(faults.CASES) == 39
    outcomes, wrong = faults.damage_folders(tmp_path)
    assert wrong == [] and outcomes == {"refused in one sentence": 39, "the one before serves": 39}
