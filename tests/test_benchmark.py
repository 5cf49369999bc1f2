import time

import numpy as np

from ae_keras.benchmark import benchmark_training, compare, take_turns


def test_take_turns_alternates_after_a_warm_up():
    calls = []
    functions = {name: lambda name=name: calls.append(name) for name in "ab"}
    seconds = take_turns(functions, rounds=2)
    assert "".join(calls) == "ababab"
    assert [times.shape for times in seconds.values()] == [(2,), (2,)]


def test_take_turns_measures_the_time():
    seconds = take_turns({"short": lambda: None, "long": lambda: time.sleep(0.02)}, rounds=2)
    assert seconds["short"].max() < 0.02 <= seconds["long"].min()


def test_compare_takes_the_ratio_within_a_round():
    # A machine that is ten times slower in the second round changes nothing.
    seconds = {"ae-keras": np.array([1.0, 10.0]), "other": np.array([2.0, 20.0])}
    rows = compare(seconds, images=100)
    assert [row[2] for row in rows] == ["1.00", "2.00"]


def test_training_is_compared_with_plain_keras():
    rows = benchmark_training("cae", batch_size=16, steps=2, rounds=1)
    assert [row[0] for row in rows][:2] == ["ae-keras", "Keras fit, its defaults"]
    assert all(float(row[1].replace(",", "")) > 0 for row in rows)
