import concurrent.futures
import sys

from ae_keras.system import notices


def said(capsys, program=None):
    notices.say(program)
    return capsys.readouterr().err


def test_a_sentence_is_said_once_of_all_its_files(capsys):
    for _ in range(2):
        notices.note("{count} frames are left out", "a.gif", 11)
        notices.note("{count} frames are left out", "b.gif")
        notices.note("its {braces} are no field", "a.gif")
    assert said(capsys) == (
        "a.gif and 1 more: 12 frames are left out.\na.gif: its {braces} are no field.\n"
    )
    notices.note("{count} frames are left out", "a.gif", 11)
    assert said(capsys) == ""
    notices.note("{count} frames are left out", "c.gif", 2)
    assert said(capsys, "train.py") == "train.py: c.gif: 2 frames are left out.\n"


def test_another_command_says_it_again(capsys):
    for _ in range(2):
        notices.forget()
        notices.note("it is large", "d.png")
        assert said(capsys) == "d.png: it is large.\n"


def test_what_another_process_noted_is_said_here(capsys):
    notices.note("it is large", "d.png")
    taken = notices.take()
    assert said(capsys) == ""
    notices.add(taken)
    assert said(capsys) == "d.png: it is large.\n"


def test_threads_lose_no_notices():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    count, taken = 20_000, []

    def work(thread):
        for number in range(count):
            notices.note("a sentence", f"{thread}-{number}")
            if number % 200 == thread:
                taken.extend(notices.take())

    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
    finally:
        sys.setswitchinterval(before)
    taken.extend(notices.take())
    assert len(taken) == len(set(taken)) == 4 * count


def test_a_name_of_several_lines_is_said_in_one(capsys):
    notices.note("it is odd", "a\n\udcff.png")
    assert said(capsys) == "a\\n\\udcff.png: it is odd.\n"
