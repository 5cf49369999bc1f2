import threading
import time

import pytest

from ae_keras.system.threads import map_in_threads


@pytest.mark.parametrize("threads", [1, 3])
def test_outcomes_come_in_order(threads):
    def square(number):
        time.sleep(0.01 if number == 0 else 0)
        return number**2

    assert list(map_in_threads(square, range(6), threads)) == [0, 1, 4, 9, 16, 25]


def test_an_error_is_passed_on():
    def fail(number):
        raise ValueError(f"{number} is wrong")

    with pytest.raises(ValueError, match="0 is wrong"):
        list(map_in_threads(fail, range(4), 2))


def test_an_interruption_ends_what_is_in_work_and_begins_nothing_more():
    begun, ended, ready = [], [], threading.Barrier(2, timeout=10)

    def work(number):
        if number == 0:
            return number
        begun.append(number)
        try:
            ready.wait()
            while True:
                time.sleep(0.001)
        finally:
            ended.append(number)

    outcomes = map_in_threads(work, range(9), 2)
    assert next(outcomes) == 0
    while len(begun) < 2 or ready.n_waiting:
        time.sleep(0.001)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        outcomes.throw(KeyboardInterrupt())
    assert time.monotonic() - start < 1
    assert sorted(begun) == sorted(ended) == [1, 2]


def test_threads_end_with_a_loop_that_breaks_off():
    running = threading.active_count()
    for outcome in map_in_threads(lambda number: number, range(100), 4):
        if outcome == 3:
            break
    deadline = time.monotonic() + 5
    while threading.active_count() > running and time.monotonic() < deadline:
        time.sleep(0.001)
    assert threading.active_count() == running
