"""Runs found by name, and what is written about those that ship."""

from pathlib import Path

import ae_keras
from ae_keras.runs.loading import PRETRAINED, find_run, results_folder


def test_nothing_is_written_into_what_is_shipped(run):
    assert results_folder(run) == run.path
    shipped = find_run("cae-cifar10")
    assert shipped.path.resolve().parent == PRETRAINED.resolve()
    assert results_folder(shipped) == Path("saved_models") / "cae-cifar10"
    before = {path: path.stat().st_mtime_ns for path in PRETRAINED.rglob("*")}
    _, files = ae_keras.evaluate("cae-cifar10", dataset="skimage")
    assert {file.parent for file in files} == {Path("saved_models/cae-cifar10")}
    assert {path: path.stat().st_mtime_ns for path in PRETRAINED.rglob("*")} == before
    assert find_run("cae-cifar10").path == shipped.path
