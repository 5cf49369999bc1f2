"""Many requests at once, as browsers send them, but without browsers."""

import concurrent.futures
import importlib.util
import io
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, free_port, smooth_images
from PIL import Image

import ae_keras

_CLIENTS, _REQUESTS = 8, 200
_MOST_GROWTH = 100  # MB
_MODEL = "photo"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not importlib.util.find_spec("gradio"), reason="Gradio is not installed"),
]


@pytest.fixture
def page(tmp_path):
    """The address of a page, and the number of its process."""
    port = free_port()
    words = [sys.executable, str(ROOT / "scripts" / "app.py"), "--port", str(port)]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert "The page is at" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}", process.pid
        process.terminate()
    assert process.returncode == 0


def memory_of(process):
    """The memory of a process in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Client:
    """What a browser sends and receives."""

    def __init__(self, address):
        import httpx

        self._http = httpx.Client(base_url=address, timeout=300)
        self._session = uuid.uuid4().hex
        config = self._http.get("/config").json()
        (button,) = (
            part["id"]
            for part in config["components"]
            if part["props"].get("elem_id") == "compress"
        )
        (self._function,) = (
            each["id"] for each in config["dependencies"] if [button, "click"] in each["targets"]
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._http.close()

    def compress(self, image, quality):
        """Return the .aek file that the page makes of an image."""
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        files = {"files": ("a.png", file.getvalue())}
        (path,) = self._http.post("/gradio_api/upload", files=files).json()
        upload = {"path": path, "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}
        body = {
            "data": [upload, _MODEL, quality, "", None],
            "fn_index": self._function,
            "session_hash": self._session,
        }
        self._http.post("/gradio_api/queue/join", json=body).raise_for_status()
        data = self._wait()["output"]["data"]
        return self._http.get(f"/gradio_api/file={data[3]['value']['path']}").content

    def _wait(self):
        question = {"session_hash": self._session}
        with self._http.stream("GET", "/gradio_api/queue/data", params=question) as answer:
            for line in answer.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("msg") == "process_completed":
                    assert message["success"], message
                    return message
        raise AssertionError("no answer")


def test_many_requests_have_right_answers_in_bounded_memory(page):
    address, process = page
    images = smooth_images(np.random.default_rng(0), _REQUESTS, 192, 256, 3)
    qualities = [1 + 7 * number % 100 for number in range(_REQUESTS)]
    codec = ae_keras.load_codec(_MODEL)

    def work(numbers):
        with Client(address) as client:
            return [client.compress(images[number], qualities[number]) for number in numbers]

    with concurrent.futures.ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(work, [[number] for number in range(_CLIENTS)]))
        before = memory_of(process)
        shares = [range(first, _REQUESTS, _CLIENTS) for first in range(_CLIENTS)]
        answers = list(pool.map(work, shares))
    growth = memory_of(process) - before
    print(f"memory grew from {before:.0f} MB by {growth:.0f} MB")
    for numbers, files in zip(shares, answers, strict=True):
        for number, data in zip(numbers, files, strict=True):
            assert data == codec.compress(images[number], quality=qualities[number])
    assert growth < _MOST_GROWTH
