import shutil

import pytest

from ae_keras.codec import CLASSICAL
from ae_keras.evaluation.contenders import load_contenders

QUALITIES = (30, 60)


def load(run, *against):
    return load_contenders(run, run.recipe, against, QUALITIES)


def test_qualities_are_those_of_each_codec(run):
    names = ("jpeg", "png", "pca", "svd-3")
    contenders = load(run, *names)
    assert [contender.name for contender in contenders] == ["cae", *names]
    assert [contender.qualities for contender in contenders] == [
        *(QUALITIES, CLASSICAL["jpeg"].qualities, (None,), QUALITIES, QUALITIES)
    ]


def test_a_run_is_found_by_name_and_by_path(run):
    for against in ("mine", str(run.path)):
        contenders = load(run, against)
        assert [contender.name for contender in contenders] == ["cae", "mine"]
        digests = {contender.codec.entropy_model.digest for contender in contenders}
        assert len(digests) == 1


def test_a_classical_codec_goes_before_a_run_of_its_name(run):
    shutil.copytree(run.path, run.path.parent / "png")
    assert load(run, "png")[1].codec.is_lossless
    assert not load(run, str(run.path.parent / "png"))[1].codec.is_lossless


def test_training_images_are_read_only_where_they_are_needed(run, monkeypatch):
    monkeypatch.setattr("ae_keras.evaluation.contenders.load_training_images", None)
    assert len(load(run, "jpeg", "png", "mine")) == 4
    with pytest.raises(TypeError):
        load(run, "svd-3")


def test_names_that_are_nothing_are_told(run):
    with pytest.raises(
        ValueError, match=r"Unknown codec 'gif'\. Expected one of: jpeg, .+ of a run"
    ):
        load(run, "gif")
    with pytest.raises(FileNotFoundError, match="No trained model at '/nowhere/gif'"):
        load(run, "/nowhere/gif")
    shutil.copytree(run.path, run.path.parent / "bare")
    (run.path.parent / "bare" / "entropy_tables.npz").unlink()
    with pytest.raises(FileNotFoundError, match="no entropy tables"):
        load(run, "bare")
