"A daily close is killed; nothing is lost, loaded twice, told twice or sent under another name."

from close_faults import killed_closes


def test_nothing_is_lost_or_done_twice_when_closes_are_killed(tmp_path):
    hit, _, _, wrong = killed_closes(tmp_path / "shop", 3, seed=1)
    assert hit.total() == 3 and not wrong
