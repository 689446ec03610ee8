"""Small version of the attack on hidden groups; `make faults` asks 10,000 pairs of questions."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import hidden_faults as faults

PAIRS = 60


def nobody_is_found(told: dict[str, int]) -> None:
    "No small cell, no person, and no answer about few people."
    assert told.pop("hidden cells") > 0, "an attack on a shop without small cells shows nothing"
    assert not any(told.values()), {kind: n for kind, n in told.items() if n}


def test_no_hidden_group_is_recovered_from_pairs_of_answers(tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    faults.plant(url)
    with faults.served(url, tmp_path) as client:
        recovered = faults.attack(client, url, PAIRS)[1]
    assert recovered.pop("pairs") == PAIRS
    nobody_is_found(recovered)
