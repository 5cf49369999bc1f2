"""The page in Chromium, as a user has it: files go up, pictures come, files go down."""

import importlib.util
import io
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

import numpy as np
import pytest
from conftest import ROOT, free_port, smooth_images
from PIL import Image

import ae_keras

_MISSING = [name for name in ("gradio", "selenium") if not importlib.util.find_spec(name)]
_MISSING += [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.thorough,
    pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}"),
]
_OPTIONS = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"),
    *("disable-background-networking", "disable-component-update", "window-size=1280,1200"),
)
# Seconds that anything may take on a machine that does other things too.
_PATIENCE = 60


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The address of a page, which ends quietly and leaves nothing behind."""
    port = free_port()
    folder = tmp_path_factory.mktemp("page")
    words = [sys.executable, str(ROOT / "scripts" / "app.py"), "--port", str(port)]
    environment = {"TMPDIR": str(folder), "PATH": "/usr/bin", "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, cwd=folder, env=environment, **pipes) as process:
        try:
            assert process.stdout.readline().startswith("The page is at http://127.0.0.1:")
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=_PATIENCE)
    assert (process.returncode, error) == (0, "")
    assert list(folder.iterdir()) == []


class User:
    """Somebody with a browser."""

    def __init__(self, page):
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        for option in (*_OPTIONS, f"user-data-dir={self._profile.name}"):
            options.add_argument(f"--{option}")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options, service)
        self.driver.get(page)
        self.wait_for("#compress")

    def close(self):
        self.driver.quit()
        self._profile.cleanup()

    def wait(self, question):
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        ignored = [StaleElementReferenceException]
        waiting = WebDriverWait(self.driver, _PATIENCE, 0.1, ignored)
        return waiting.until(lambda driver: question())

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def wait_for(self, selector):
        return self.wait(lambda: self.all(selector))[0]

    def visible(self, selector):
        found = "e => e.closest('.tabitem')?.offsetParent !== null"
        script = f"return [...document.querySelectorAll(arguments[0])].filter({found})"
        return self.driver.execute_script(script, selector)

    def text(self, selector):
        return self.wait_for(selector).text

    def open_tab(self, name):
        self.wait(lambda: [tab for tab in self.all("[role=tab]") if tab.text == name])[0].click()

    def upload(self, path):
        self.wait(lambda: self.visible("input[type=file]"))[0].send_keys(str(path))

    def press(self, selector):
        self.driver.execute_script("arguments[0].click()", self.wait_for(selector))

    def compress(self, path):
        """Compress a file, and return the table's rows by their first cell once all is there."""
        self.upload(path)
        self.wait(lambda: self.pictures())
        self.press("#compress")
        self.wait(lambda: self.all("#curve .chart") and "More is" not in self.text("#files"))
        cells = [row.text.rsplit(maxsplit=4) for row in self.all("#files tbody tr")]
        return {cell[0]: cell[1:] for cell in cells}

    def pictures(self):
        """Return the addresses of the pictures left and right of the visible line."""
        return [each.get_attribute("src") for each in self.visible(".wipe img")]

    def choose(self, name):
        label = f"//label[.//input[@type='radio']][normalize-space()='{name}']"
        self.driver.find_element("xpath", label).click()

    def requests(self):
        events = [json.loads(entry["message"])["message"] for entry in self._log()]
        sent = [event["params"] for event in events if event["method"].endswith("WillBeSent")]
        return [each["request"]["url"] for each in sent]

    def _log(self):
        return self.driver.get_log("performance")


@pytest.fixture
def users(page):
    """Make users with a browser each."""
    made = []

    def make():
        made.append(User(page))
        return made[-1]

    yield make
    for user in made:
        user.close()


@pytest.fixture
def user(users):
    return users()


def fetch(address):
    with urllib.request.urlopen(address) as answer:
        return answer.read()


def pixels_at(address):
    return np.asarray(Image.open(io.BytesIO(fetch(address))))


def write_photograph(path, seed, height=120, width=160):
    image = smooth_images(np.random.default_rng(seed), 1, height, width, 3)[0]
    Image.fromarray(image).save(path)
    return image


def test_a_photograph_goes_up_and_its_file_comes_down(user, tmp_path):
    from selenium.webdriver.common.keys import Keys

    image = write_photograph(tmp_path / "holiday.png", 1)
    rows = user.compress(tmp_path / "holiday.png")
    data = ae_keras.load_codec("photo").compress(image, quality=50)
    restored = ae_keras.load_codec("photo").decompress(data)
    assert list(rows) == [".aek, quality 50", "JPEG", "WebP", "AVIF"]
    assert rows[".aek, quality 50"][0] == f"{len(data):,}"

    original, ours = user.pictures()
    assert np.array_equal(pixels_at(original), image)
    assert np.array_equal(pixels_at(ours), restored)
    user.choose("JPEG")
    user.wait(lambda: user.pictures()[0].endswith("JPEG.png"))
    assert not np.array_equal(pixels_at(user.pictures()[0]), image)

    line = user.visible("input[type=range]")[-1]
    line.send_keys(Keys.ARROW_LEFT * 10)
    user.wait(lambda: "40%" in user.visible(".wipe img")[1].get_attribute("style"))

    allowed = {"behavior": "allow", "downloadPath": str(tmp_path / "down")}
    user.driver.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
    user.press("#download")
    file = tmp_path / "down" / "holiday.aek"
    user.wait(file.is_file)
    assert file.read_bytes() == data
    file.rename(tmp_path / "again.aek")
    user.press("[aria-label='Clear']")
    user.upload(tmp_path / "again.aek")
    user.wait(lambda: "again.aek" in user.text("#files"))
    assert np.array_equal(pixels_at(user.pictures()[1]), restored)


def test_what_cannot_be_taken_is_a_sentence_in_the_page(user, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no more")
    Image.new("1", (10_000, 6_000)).save(tmp_path / "large.png")
    write_photograph(tmp_path / "good.png", 1)
    (tmp_path / "damaged.aek").write_bytes(b"\x89AEK and then nothing")
    for name, words in {
        "broken.png": "not a readable image",
        "large.png": "60.0 megapixels. This page takes 24 at most",
        "damaged.aek": "",
    }.items():
        user.upload(tmp_path / name)
        user.wait(lambda words=words: words in user.text(".toast-body"))
        assert "Traceback" not in user.text(".toast-body")
        user.press(".toast-close")
        user.press("[aria-label='Clear']")
    assert len(user.compress(tmp_path / "good.png")) == 4


def test_the_keyboard_is_enough(user):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    reached = []
    while "compress" not in reached:
        ActionChains(user.driver).send_keys(Keys.TAB).perform()
        focused = user.driver.switch_to.active_element
        reached.append(focused.get_attribute("id") or focused.get_attribute("aria-label") or "")
        assert len(reached) < 40
    names = " ".join(reached)
    assert "Model" in names
    assert "Quality" in names
    ActionChains(user.driver).send_keys(Keys.ENTER).perform()
    user.wait(lambda: "Choose a photograph first" in user.text(".toast-body"))


def test_two_users_have_their_own(users, tmp_path):
    codec = ae_keras.load_codec("photo")
    both = users(), users()
    images = [write_photograph(tmp_path / f"{number}.png", number) for number in range(2)]
    for number, user in enumerate(both):
        user.upload(tmp_path / f"{number}.png")
        user.wait(lambda user=user: user.pictures())
    for user in both:
        user.press("#compress")
    for user, image in zip(both, images, strict=True):
        user.wait(lambda user=user: "quality" in user.text("#files"))
        data = codec.compress(image, quality=50)
        assert f"{len(data):,}" in user.text("#files")
        user.wait(lambda user=user: "aek.png" in user.pictures()[1])
        assert np.array_equal(pixels_at(user.pictures()[1]), codec.decompress(data))
    folders = [user.pictures()[1].rsplit("/", 2)[1] for user in both]
    assert len(set(map(len, folders))) == 1 < len(set(folders))


def test_files_are_not_listed_and_others_not_served(page, user, tmp_path):
    write_photograph(tmp_path / "a.png", 1)
    user.upload(tmp_path / "a.png")
    user.wait(lambda: user.pictures())
    folder = user.pictures()[0].rsplit("/", 1)[0]
    for address in (folder, folder.rsplit("/", 1)[0], f"{page}gradio_api/file=/etc/hostname"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            fetch(address)


def test_nothing_is_asked_of_other_machines(user, page, tmp_path):
    write_photograph(tmp_path / "a.png", 1)
    user.compress(tmp_path / "a.png")
    for name in ("Denoise", "Colourize", "Latent", "Runs"):
        user.open_tab(name)
    addresses = [each for each in user.requests() if each.startswith(("http", "ws"))]
    assert len(addresses) > 20
    assert [each for each in addresses if not each.startswith(page)] == []


def test_other_tabs_do_what_they_say(user, tmp_path):
    write_photograph(tmp_path / "a.png", 1)
    for tab, place in {"Denoise": "#denoised", "Colourize": "#colourized"}.items():
        user.open_tab(tab)
        user.upload(tmp_path / "a.png")
        user.wait(lambda: user.visible("[aria-label='a.png']"))
        user.press(f"#{tab.lower()}")
        user.wait(lambda place=place: "PSNR" in user.text(place))
        assert len(user.pictures()) == 2
    user.open_tab("Latent")
    user.press("#sample")
    user.wait_for(".pixels img")
    user.open_tab("Runs")
    user.press("#show-runs")
    user.wait(lambda: "state" in user.text("#recipes"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_whole(user, scheme, tmp_path):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    user.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    preferred = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    user.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", preferred)
    user.driver.refresh()
    user.wait_for("#compress")
    write_photograph(tmp_path / "a.png", 1)
    user.compress(tmp_path / "a.png")
    for name in ("Denoise", "Colourize", "Latent", "Runs", "Compress"):
        user.open_tab(name)
        assert user.driver.execute_script("return document.documentElement.scrollWidth") == 390
    script = "return getComputedStyle(document.querySelector('gradio-app, body')).backgroundColor"
    red = int(user.driver.execute_script(script).partition("(")[2].partition(",")[0])
    assert (red < 128) == (scheme == "dark")
