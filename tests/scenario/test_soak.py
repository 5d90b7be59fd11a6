"""Goal: nothing lasts of what has passed: no memory, no descriptor, no thread, no log. The same at length is
./dev soak."""

import soak


def test_a_short_soak(tmp_path, build):
    assert soak.run(tmp_path, pauses=4, seed=1, round_s=1.5)["answers"] > 1000
