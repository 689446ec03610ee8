"""Small version of the attack through the tools; `make faults` makes 10,000 calls and asks 200 scripted questions."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import hidden_faults
import mcp_faults as faults
from test_hidden import nobody_is_found

CALLS = 50


def test_no_hidden_group_is_recovered_from_the_answers_of_tools(tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    hidden_faults.plant(url)
    recovered = faults.attack(url, tmp_path, CALLS)
    assert recovered.pop("calls") >= CALLS
    nobody_is_found(recovered)
