import concurrent.futures
import threading
import warnings

import pytest
from PIL import Image

from ae_keras.system.pillow_warnings import warnings_as_errors, warnings_ignored


def say(text, category=UserWarning):
    """Warn as Pillow does, from one of its own modules."""
    place = {"filename": Image.__file__, "lineno": 1, "module": "PIL.Image"}
    warnings.warn_explicit(text, category, **place)


def test_the_innermost_rule_holds():
    with warnings_ignored(UserWarning):
        say("ignored")
        with warnings_as_errors(), pytest.raises(UserWarning, match="raised"):
            say("raised")
        say("ignored")


def test_other_warnings_are_shown():
    with pytest.warns(Image.DecompressionBombWarning, match="large"):  # noqa: SIM117
        with warnings_ignored(UserWarning):
            say("large", Image.DecompressionBombWarning)


def test_nothing_is_left_behind():
    before, show = list(warnings.filters), warnings.showwarning
    with warnings_ignored(UserWarning), warnings_as_errors():
        assert warnings.showwarning is not show
    assert (warnings.filters, warnings.showwarning) == (before, show)


def test_each_thread_has_its_own_rules():
    """Contexts that overlap, and end in another order than they began."""
    before = list(warnings.filters)
    meet = threading.Barrier(2, timeout=10)

    def ignore():
        with warnings_ignored(UserWarning):
            meet.wait()  # both are in
            say("ignored")
            meet.wait()
        meet.wait()

    def refuse():
        with warnings_as_errors():
            meet.wait()
            with pytest.raises(UserWarning, match="raised"):
                say("raised")
            meet.wait()
            meet.wait()  # the other is out
            with pytest.raises(UserWarning, match="raised"):
                say("raised")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(ignore), pool.submit(refuse)]:
            done.result()
    assert warnings.filters == before
