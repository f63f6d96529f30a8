"""rfbridge's own page in a headless Chromium, with Debian's noVNC and npm's: no websockify in between."""

import functools
import pathlib
import re

import picture
import reports
from browser import NEAR, Browser, Opened, npm_page
from case import ALIKE, WORD
from checks import (
    MOVING,
    PASSWORD,
    PLACE,
    STILL,
    served,
    wait_for_click,
    wait_for_word,
    wait_until_moved,
    wait_until_shown,
)
from processes import Failed, run, wait_for

from selenium.webdriver.common.by import By

USERS = {"alice": ("admin", "swordfish"), "bob": ("view", "octopus!!")}


def novnc(case, origin):
    return {"debian": pathlib.Path("/usr/share/novnc"), "npm": case.node_modules / "@novnc" / "novnc"}[origin]


def options(case, origin):
    return ["--web-listen", "127.0.0.1:0", "--web-novnc", novnc(case, origin)]


def address(bridge, scheme="http"):
    def port():
        found = [re.match(r"web page on \S+:(\d+)$", line) for line in list(bridge.lines)]
        return next((int(each[1]) for each in found if each), None)

    return f"{scheme}://127.0.0.1:{wait_for('rfbridge says where the page is', port)}/"


class Page(Browser):
    """The page, and what a person does there."""

    def __init__(self, case, where):
        super().__init__(case.folder, where)
        self.folder = case.folder

    def see(self, name):
        self.driver.save_screenshot(str(self.folder / f"{name}.png"))

    def element(self, name):
        return self.driver.find_element(By.ID, name)

    def wait_for(self, name, seconds=30):
        return wait_for(f"#{name} is shown", lambda: self.element(name).is_displayed() and self.element(name), seconds)

    def text(self, name):
        return self.element(name).text

    def log_in(self, password, name=None):
        form = self.wait_for("login")
        if name is not None:
            form.find_element(By.NAME, "name").send_keys(name)
        form.find_element(By.NAME, "password").send_keys(password)
        form.find_element(By.TAG_NAME, "button").click()

    def show_every_pixel(self):
        """Not scaled, so that a pixel of the page is one of the screen."""
        self.wait_for("bar")
        self.element("fit").click()

    def check_console(self):
        """Nothing that a browser complains of: a script that breaks, a policy that forbids something."""
        severe = [line for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]
        if severe:
            raise Failed(f"the page's console has {severe}")


def at_rest(origin, case):
    """Picture, typing, a click, a text that is typed, who is connected, and a screenshot, without a password."""
    with served(case, [STILL], options=options(case, origin)) as bridge:
        with Page(case, address(bridge)) as page:
            wait_until_shown(page.look, STILL, "the page", NEAR)
            page.see("fitted")
            page.show_every_pixel()
            page.click(*PLACE)
            wait_for_click(case)
            page.type(WORD)
            wait_for_word(case)
            before = len(reports.keyboard(case.record))
            page.element("type-open").click()
            page.element("type-text").send_keys(WORD)
            page.element("type-start").click()
            wait_for("the text is typed", lambda: page.text("type-result") == f"Typed {len(WORD)} characters.")
            page.see("typed")
            wait_for_word(case, before)
            page.element("type-close").click()
            page.element("people-open").click()
            wait_for("somebody is connected", lambda: "admin yes" in page.text("people-list"))
            page.see("people")
            page.check_console()
    return f"above {NEAR:.0f} dB, {WORD!r} by keys and as a text, a click, and the list of who is there"


def moving(origin, case):
    """Every picture of a moving screen is whole, and the line's quality is told."""
    with served(case, MOVING, options=options(case, origin)) as bridge:
        with Page(case, address(bridge)) as page:
            page.show_every_pixel()
            wait_until_moved(page.look, "the page", case.folder, ALIKE)
            wait_for("what comes in is told", lambda: re.search(r"\d ms · [1-9]\d* kB/s", page.text("quality")))
            page.see("moving")
    return f"every picture above {ALIKE:.0f} dB"


def returns(origin, case):
    """The server ends and is started anew: the page says so, and shows the picture again by itself."""
    with served(case, [STILL], options=options(case, origin)) as bridge:
        where = address(bridge)
        page = Page(case, where)
        try:
            wait_until_shown(page.look, STILL, "the page", NEAR)
        except BaseException:
            page.driver.quit()
            raise
    with page:
        page.wait_for("message")
        if page.text("message-title") != "No connection":
            raise Failed(f"the page says {page.text('message-title')!r}")
        page.see("lost")
        port = int(re.search(r":(\d+)/", where)[1])
        again = ["--web-listen", f"127.0.0.1:{port}", "--web-novnc", novnc(case, origin)]
        with served(case, [STILL], options=again):
            page.wait_for("bar")
            wait_until_shown(page.look, STILL, "the page", NEAR)
            page.show_every_pixel()
            page.type(WORD)
            wait_for_word(case)
    return "the picture and the keys are back after a restart, without a click"


def password(origin, case):
    """A wrong password is told and asked for again; the right one lets in."""
    with served(case, [STILL], PASSWORD, options(case, origin)) as bridge:
        with Page(case, address(bridge)) as page:
            page.wait_for("login")
            page.see("login")
            page.log_in("wrong")
            wait_for("the page says that it was wrong", lambda: "Wrong password" in page.text("login-problem"))
            page.see("wrong")
            page.log_in(PASSWORD)
            wait_until_shown(page.look, STILL, "the page", NEAR)
            page.show_every_pixel()
            page.type(WORD)
            wait_for_word(case)
    return "a wrong password is told, the right one lets in"


def https(origin, case):
    """Over HTTPS, as users: one who may do everything, and one who may only look."""
    users = case.folder / "users"
    for name, (role, secret) in USERS.items():
        command = [case.bridge_path, "user", "add", name, "--role", role, "--file", users]
        with open(case.folder / "secret", "w+") as given:
            given.write(secret)
            given.seek(0)
            run("user", command, case.folder, stdin=given)
    run("cert", [case.bridge_path, "cert", "--directory", case.folder, "--name", "127.0.0.1"], case.folder)
    security = [f"--security-users={users}", f"--security-certificate={case.folder / 'certificate.pem'}"]
    security += [f"--security-key={case.folder / 'key.pem'}"]
    folder = case.folder / "still"
    folder.mkdir()
    picture.save(STILL, folder / "0.png")
    with case.serve(f"replay:{folder}", "--fps", 5, *security, *options(case, origin)) as bridge:
        for name, (role, secret) in USERS.items():
            with Page(case, address(bridge, "https")) as page:
                before = len(reports.keyboard(case.record))
                page.log_in("wrong", name)
                wait_for("the page says that it was wrong", lambda: "Wrong user" in page.text("login-problem"))
                page.driver.find_element(By.NAME, "name").clear()
                page.log_in(secret, name)
                wait_until_shown(page.look, STILL, "the page", NEAR)
                page.show_every_pixel()
                if role == "admin":
                    page.type(WORD)
                    wait_for_word(case)
                else:
                    page.type(WORD)
                    page.element("type-open").click()
                    page.element("type-text").send_keys(WORD)
                    page.element("type-start").click()
                    wait_for("the page says why not", lambda: "role" in page.text("type-result"))
                    page.see("may-only-look")
                    if len(reports.keyboard(case.record)) != before:
                        raise Failed("who may only look typed")
    return "users over HTTPS: one types, the other is told that it may only look"


def phone(origin, case):
    """On a small touch screen: the bar can be reached, the screen fits, and the phone's keyboard types."""
    with served(case, [STILL], options=options(case, origin)) as bridge:
        with Page(case, address(bridge)) as page:
            metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
            page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
            page.driver.refresh()
            wait_until_shown(page.look, STILL, "the page", NEAR)
            page.wait_for("touch-keyboard").click()
            page.driver.execute_cdp_cmd("Input.insertText", {"text": WORD})
            wait_for_word(case)
            size = "return ['#screen canvas', '#bar'].map((it) => document.querySelector(it).getBoundingClientRect().width)"
            canvas, bar = page.driver.execute_script(size)
            if canvas > 390 or bar > 390:
                raise Failed(f"the screen is {canvas} wide and the bar {bar}, on 390")
            page.see("phone")
    return f"the screen fits into 390 pixels, and {WORD!r} is typed with the phone's keyboard"


def switch(case):
    """What writes down that it is told `off` or `reset`, of which the second fails; and the flags that have it told."""
    switched, script = case.folder / "switched", case.folder / "switch"
    script.write_text(f'#!/bin/sh\necho "$1" >>{switched}\n[ "$1" != reset ] || {{ echo "the fuse is gone" >&2; exit 1; }}\n')
    script.chmod(0o755)
    return switched, [f"--power-{action}=command:{script} {action}" for action in ["off", "reset"]]


def xvp(case):
    """noVNC is offered xvp, what it asks for is done, and the desktop's name tells what is not."""
    switched, ways = switch(case)
    with served(case, [STILL], options=ways) as bridge, Opened(case, npm_page, bridge) as browser:
        ask = browser.driver.execute_script
        wait_for("noVNC is offered xvp", lambda: ask("return window.rfb.capabilities.power"))
        ask("window.rfb.machineShutdown()")
        wait_for("it is done", lambda: any("off done" in name for name in ask("return window.names")))
        ask("window.rfb.machineReset()")
        wait_for("the name says why not", lambda: any("the fuse is gone" in name for name in ask("return window.names")))
    if switched.read_text() != "off\nreset\n":
        raise Failed(f"the switch was told {switched.read_text()!r}")
    return "shut down is done, a reset that fails says why"


def power(origin, case):
    """What is set up for the machine's power can be done from the page, and what fails says why."""
    switched, ways = switch(case)
    with served(case, [STILL], options=[*options(case, origin), *ways]) as bridge:
        with Page(case, address(bridge)) as page:
            wait_until_shown(page.look, STILL, "the page", NEAR)
            page.wait_for("power-open").click()
            buttons = {button.text: button for button in page.element("power-list").find_elements(By.TAG_NAME, "button")}
            if set(buttons) != {"Shut down", "Reset"}:
                raise Failed(f"the page offers {list(buttons)}")
            buttons["Shut down"].click()
            wait_for("it is done", lambda: page.text("power-result") == "Shut down: done.")
            buttons["Reset"].click()
            wait_for("the page says why not", lambda: "the fuse is gone" in page.text("power-result"))
            page.see("power")
    if switched.read_text() != "off\nreset\n":
        raise Failed(f"the switch was told {switched.read_text()!r}")
    return "shut down is done, a reset that fails says why"


CASES = {
    f"page-{origin}-{what}": functools.partial(case, origin)
    for origin in ["debian", "npm"]
    for what, case in [
        ("at-rest", at_rest),
        ("moving", moving),
        ("returns", returns),
        ("password", password),
        ("https", https),
    ]
} | {"page-npm-phone": functools.partial(phone, "npm"), "page-npm-power": functools.partial(power, "npm"), "novnc-npm-xvp": xvp}
