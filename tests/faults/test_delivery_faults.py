"A process that makes and sends reports is killed; nothing is lost, recorded twice or sent under another name."

from delivery_faults import killed_runs


def test_nothing_is_lost_and_nothing_recorded_twice_when_the_sender_is_killed(tmp_path):
    hit, _, wrong = killed_runs(tmp_path, 6, seed=1)
    assert hit.total() == 6 and not wrong
