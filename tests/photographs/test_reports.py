import csv

import pytest

from ae_keras.photographs.jobs import Job, Result
from ae_keras.photographs.reports import collect

DONE = Result(Job("a.png", "a.aek"), input_size=100, size=40, shape=(2, 3, 3), psnr=30.61)
FAILED = Result(Job("b\nc.png", "b.aek"), error="it is\nno image")
SKIPPED = Result(Job("a.png", "a.aek"), is_skipped=True, input_size=100, size=40)


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_file(tmp_path):
    path = tmp_path / "deep" / "report.csv"
    scored = Result(Job("s.png", "t.png"), shape=(4, 5), scores={"PSNR [dB]": 20.0, "ab-RMSE": 9.5})
    results = [DONE, FAILED, scored]
    assert collect(iter(results), str(path), False, False) == results
    first, second, third = read(path)
    assert first == {
        "source": "a.png",
        "target": "a.aek",
        "status": "done",
        "error": "",
        "input bytes": "100",
        "output bytes": "40",
        "width": "3",
        "height": "2",
        "PSNR [dB]": "30.6100",
        "ab-RMSE": "",
    }
    assert (second["source"], second["status"]) == ("b\nc.png", "failed")
    assert (second["error"], second["width"]) == ("it is no image", "")
    assert (third["PSNR [dB]"], third["ab-RMSE"], third["height"]) == ("20.0000", "9.5000", "4")


def test_no_report_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert collect(iter([DONE]), None, False, False) == [DONE]
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_there_is_replaced_or_added_to_only_if_asked(tmp_path):
    path = tmp_path / "report.csv"
    collect([DONE, FAILED], str(path), False, False)
    before = path.read_text()
    with pytest.raises(FileExistsError, match=r"report\.csv' exists\. Replace it with --force, or"):
        collect([DONE], str(path), False, False)
    assert path.read_text() == before
    again = Result(FAILED.job, size=7)
    collect([SKIPPED, again], str(path), False, True)
    first, second = read(path)
    assert (first["status"], first["PSNR [dB]"]) == ("done", "30.6100")
    assert (second["status"], second["output bytes"]) == ("done", "7")
    collect([SKIPPED], str(path), True, False)
    (row,) = read(path)
    assert (row["status"], row["output bytes"], row["PSNR [dB]"]) == ("skipped", "40", "")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\0\xff", b"source,target\n1,2\n"])
@pytest.mark.parametrize("options", [(True, False), (False, True), (False, False)])
def test_a_file_that_is_no_report_stays(content, options, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)

    def never():
        pytest.fail("Nothing is done before.")
        yield

    with pytest.raises(ValueError, match="is no report"):
        collect(never(), str(path), *options)
    with pytest.raises(ValueError, match="is no report"):
        collect(never(), str(tmp_path), *options)
    assert path.read_bytes() == content


def test_an_interruption_leaves_the_report_of_what_was_done(tmp_path):
    def interrupted():
        yield DONE
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(interrupted(), str(tmp_path / "report.csv"), False, False)
    assert [row["source"] for row in read(tmp_path / "report.csv")] == ["a.png"]
