"""noVNC in a headless Chromium, through websockify: the page that Debian has, and npm's library in a page of ours."""

import base64
import functools
import io
import pathlib
import shutil
import socket

import numpy
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import picture
import reports
from case import ALIKE, WORD
from checks import (
    HERE,
    MOVING,
    PASSWORD,
    PLACE,
    STILL,
    served,
    wait_for_click,
    wait_for_source,
    wait_for_word,
    wait_until_moved,
    wait_until_shown,
)
from processes import Failed, Feed, Process, need, wait_for

FLAGS = [
    "--headless",
    "--no-sandbox",  # which root cannot have
    "--disable-gpu",
    "--disable-dev-shm-usage",  # which is small in a container
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",  # which are signed by nobody
    "--window-size=1400,1000",
]
CANVAS = """
    const area = (canvas) => canvas.width * canvas.height;
    const shown = [...document.querySelectorAll("canvas")].filter((canvas) => canvas.offsetParent && area(canvas));
    const canvas = shown.sort((a, b) => area(b) - area(a))[0];
"""
"""The largest that is shown: the screen, not the toolbar's or the pointer's."""
NEAR = 50.0
"""Decibels of what JPEG at its best leaves. noVNC always names a quality, and so takes JPEG."""


class Gateway(Process):
    """websockify: a web server for the page, and WebSockets in front of rfbridge."""

    def __init__(self, folder, bridge, log_folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [need("websockify"), "--web", folder, f"127.0.0.1:{self.port}", f"127.0.0.1:{bridge.port}"]
        super().__init__("websockify", command, log_folder)
        wait_for("websockify listens", self._listens)

    def _listens(self):
        self.check_alive()
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", self.port)) == 0


class Browser:
    """A Chromium of its own, at this address."""

    def __init__(self, log_folder, address):
        options = webdriver.ChromeOptions()
        options.binary_location = need("chromium")
        for flag in [*FLAGS, f"--user-data-dir={log_folder / 'profile'}"]:
            options.add_argument(flag)
        service = webdriver.ChromeService(need("chromedriver"), log_output=str(log_folder / "chromedriver.log"))
        self.driver = webdriver.Chrome(options, service)
        self.driver.get(address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def look(self):
        """The screen, or None where there is none yet."""
        data = self.driver.execute_script(CANVAS + "return canvas?.toDataURL('image/png');")
        if data is None:
            return None
        with Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))) as image:
            shown = numpy.asarray(image.convert("RGB"))
        return None if picture.is_plain(shown) else shown  # black until the first picture is there

    def click(self, x, y):
        """At this place of the screen."""
        corner = "const { x, y } = canvas.getBoundingClientRect(); return [Math.ceil(x), Math.ceil(y)];"
        left, top = self.driver.execute_script(CANVAS + corner)
        where = {"x": left + x + 0.5, "y": top + y + 0.5, "button": "left", "clickCount": 1}
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"]:
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, **where})

    def type(self, text):
        """As fingers do: Shift is a key of its own."""
        keys = ActionChains(self.driver)
        for character in text:
            if character.isupper():
                keys.key_down(Keys.SHIFT).send_keys(character).key_up(Keys.SHIFT)
            else:
                keys.send_keys(character)
        keys.perform()

    def key_down(self, code, character):
        """The key at this place of the keyboard, which has this character on it."""
        event = {"type": "keyDown", "code": code, "key": character, "text": character}
        self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", event)

    def tap(self, code, key):
        """Presses and releases a key that types nothing into the page."""
        for kind in ["rawKeyDown", "keyUp"]:
            self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, "code": code, "key": key})


def npm_page(case):
    """A folder with our page and npm's library."""
    folder = case.folder / "web"
    if not folder.exists():
        folder.mkdir()
        shutil.copy(HERE / "novnc.html", folder)
        (folder / "novnc").symlink_to(case.node_modules / "@novnc" / "novnc")
    return folder, "novnc.html?"


def debian_page(case):
    return pathlib.Path("/usr/share/novnc"), "vnc.html?autoconnect=true&resize=off&"


class Opened:
    """The page, in a browser, at the best quality."""

    def __init__(self, case, page, bridge, password=None):
        folder, address = page(case)
        self.gateway = Gateway(folder, bridge, case.folder)
        address = f"http://127.0.0.1:{self.gateway.port}/{address}quality=9"
        try:
            self.browser = Browser(case.folder, address + (f"&password={password}" if password else ""))
        except BaseException:
            self.gateway.stop()
            raise

    def __enter__(self):
        return self.browser

    def __exit__(self, *problem):
        self.browser.__exit__(*problem)
        self.gateway.stop()


def at_rest(page, case):
    """noVNC shows the picture, with and without a password; keys go by position, and a click arrives."""
    for password in [None, PASSWORD]:
        with served(case, [STILL], password) as bridge:
            with Opened(case, page, bridge, password) as browser:
                wait_until_shown(browser.look, STILL, "noVNC", NEAR)
                browser.driver.save_screenshot(str(case.folder / "page.png"))
                browser.click(*PLACE)
                wait_for_click(case)
                browser.type(WORD)
                wait_for_word(case)
                before = len(reports.keyboard(case.record))
                browser.key_down("KeyQ", "a")  # as on a French keyboard
                wait_for("the key is down", lambda: reports.presses(reports.keyboard(case.record)[before:]))
                pressed = reports.presses(reports.keyboard(case.record)[before:])
                if pressed != [(0, 0x14)]:
                    raise Failed(f"the key at the place of Q is {pressed}, not [(0, 0x14)]: (modifiers, usage)")
            wait_for("a browser that is gone lets go", lambda: not any(reports.keyboard(case.record)[-1]), 10)
    return f"above {NEAR:.0f} dB, {WORD!r}, a click, a key by position and its release, with and without a password"


def moving(page, case):
    """noVNC shows a moving screen, every picture of it whole."""
    with served(case, MOVING) as bridge, Opened(case, page, bridge) as browser:
        wait_until_moved(browser.look, "noVNC", case.folder, NEAR)
    return f"every picture above {NEAR:.0f} dB"


def modes(page, case):
    """noVNC follows a target whose mode changes, and a burst of pictures up to the last one."""
    burst = [picture.screen(1024, 768, seed) for seed in range(21, 27)]
    feed = Feed(case.folder / "target", picture.jpeg(STILL))
    with case.serve(feed.source) as bridge:
        wait_for_source(case, bridge, STILL)
        with Opened(case, page, bridge) as browser:
            wait_until_shown(browser.look, STILL, "noVNC", ALIKE)
            for shown in [*burst, STILL]:
                feed.show(picture.jpeg(shown))
                wait_until_shown(browser.look, shown, "noVNC", ALIKE)
            browser.click(*PLACE)
            wait_for_click(case)
    return f"two changes of mode and {len(burst)} pictures above {ALIKE:.0f} dB, and a click thereafter"


CASES = {
    f"novnc-{origin}-{what}": functools.partial(case, page)
    for origin, page in [("npm", npm_page), ("debian", debian_page)]
    for what, case in [("at-rest", at_rest), ("moving", moving), ("modes", modes)]
}
