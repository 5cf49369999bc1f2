from ae_keras.system import notices


def said(capsys):
    notices.say()
    return capsys.readouterr().err


def test_a_sentence_is_said_once_of_all_its_files(capsys):
    for _ in range(2):
        notices.note("left out: {count} frames of {files}", "a.gif", 11)
        notices.note("left out: {count} frames of {files}", "b.gif")
        notices.note("left out: {braces} that are no field")
    assert said(capsys) == (
        "left out: 12 frames of 2 files, the first 'a.gif'\nleft out: {braces} that are no field\n"
    )
    notices.note("left out: {count} frames of {files}", "a.gif", 11)
    assert said(capsys) == ""
    notices.note("left out: {count} frames of {files}", "c.gif", 2)
    assert said(capsys) == "left out: 2 frames of 'c.gif'\n"


def test_what_another_process_noted_is_said_here(capsys):
    notices.note("laid over white: {files}", "d.png")
    taken = notices.take()
    assert said(capsys) == ""
    notices.add(taken)
    assert said(capsys) == "laid over white: 'd.png'\n"
