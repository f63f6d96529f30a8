"""A client's clipboard: nothing of it is typed by itself, and all of it when the right Ctrl key is tapped twice and
then v pressed. The desktop's name tells of it meanwhile."""

import os
import re

from vncdotool import api

import layouts
import reports
from browser import NEAR, Opened, npm_page
from checks import STILL, served, wait_until_shown
from processes import Display, Failed, Process, need, wait_for
from tigervnc import TigerViewer

TEXT = "Sold: 3 [x] at ~2.50! Ring \"Bridge42\"."
BEFORE = "b"
"""Pressed behind the clipboard: once it has arrived, the clipboard has."""
NAME = "box"
RIGHT_CONTROL = "105"
"""By its key code: by its name xdotool would press the left one with it."""
SLOWLY = ["--name", NAME, "--keyboard-type-delay", 50]
"""So that one sees the text being typed."""
TELLS = re.compile(rf"{NAME} - (typing \d+/{{0}}|typed {{0}} characters)")


def check_nothing_is_typed(case, bridge, read=reports.text):
    """Nothing arrived but the key that was pressed, and rfbridge has not begun to type."""
    wait_for("a key arrives", lambda: reports.presses(reports.keyboard(case.record)))
    got = read(reports.keyboard(case.record))
    if got != BEFORE or times_begun(bridge):
        raise Failed(f"the clipboard was typed though nobody had asked for it: {got!r}; see {bridge.log}")


def wait_until_typed(case, bridge, text, read=reports.text, meanwhile=lambda: None):
    def got():
        meanwhile()
        return read(reports.keyboard(case.record))

    try:
        wait_for(f"reports that say {text!r}", lambda: got() == BEFORE + text)
    except Failed as failure:
        raise Failed(f"{failure}; they say {got()!r}") from None
    wait_for("all keys released", lambda: not any(reports.keyboard(case.record)[-1]))
    if times_begun(bridge) != 1:
        raise Failed(f"typed {times_begun(bridge)} times; see {bridge.log}")


def times_begun(bridge):
    return bridge.log.read_text().count("typing the clipboard")


def tells(name, text):
    return re.search(TELLS.pattern.format(len(text)), name)


def vncdotool(case):
    """vncdotool sends its clipboard whole, in Latin-1."""
    with served(case, [STILL]) as bridge:
        client = api.connect(f"127.0.0.1::{bridge.port}", timeout=30)
        try:
            client.paste(TEXT)
            client.keyPress(BEFORE)
            check_nothing_is_typed(case, bridge)
            for key in ["rctrl", "rctrl", "v"]:
                client.keyPress(key)
            wait_until_typed(case, bridge, TEXT)
        finally:
            client.disconnect()
    return f"{TEXT!r}, once, and only when asked for"


def tigervnc(case):
    """TigerVNC announces what is copied, and gives it when it is asked for."""
    copied = case.folder / "copied"
    copied.write_text(TEXT)
    names = []
    with served(case, [STILL], options=SLOWLY) as bridge, Display(case.folder) as display:
        copy = [need("xclip"), "-selection", "clipboard", "-quiet", "-in", copied]
        with (
            TigerViewer(display, bridge.port, case.folder, ["-Log", "*:stderr:100"]) as viewer,
            Process("xclip", copy, case.folder, env=os.environ | {"DISPLAY": display.name_of_display}),
        ):
            wait_for("it has noticed", lambda: "Local clipboard changed" in viewer.log.read_text())
            viewer.focus()
            viewer.keys(BEFORE)
            check_nothing_is_typed(case, bridge)
            viewer.keys(RIGHT_CONTROL, RIGHT_CONTROL, "v")

            def title():
                names.append(display.xdotool("getwindowname", viewer.window))
                return names[-1]

            wait_until_typed(case, bridge, TEXT, meanwhile=title)
            if not any(tells(name, TEXT) for name in names):
                raise Failed(f"the window's title told nothing of the typing: {sorted(set(names))}")
            wait_for("the title is what it was", lambda: title().startswith(f"{NAME} - TigerVNC"))
    return f"{TEXT!r}, once, and only when asked for; the title told of it"


def novnc(case):
    """noVNC announces what it is given, in Unicode, and gives it when it is asked for."""
    text = "Öl @ 3 €? Süß"
    german = [*SLOWLY, *layouts.TARGET]
    with served(case, [STILL], options=german) as bridge, Opened(case, npm_page, bridge) as browser:
        wait_until_shown(browser.look, STILL, "noVNC", NEAR)
        browser.driver.execute_script("rfb.clipboardPasteFrom(arguments[0]);", text)
        browser.tap("KeyB", BEFORE)
        check_nothing_is_typed(case, bridge, layouts.read)
        browser.tap("ControlRight", "Control")
        browser.tap("ControlRight", "Control")
        browser.tap("KeyV", "v")
        wait_until_typed(case, bridge, text, layouts.read)

        def names():
            return browser.driver.execute_script("return names;")

        wait_for("the name is what it was", lambda: len(names()) > 2 and names()[-1] == NAME)
        if not any(tells(name, text) for name in names()):
            raise Failed(f"the desktop's names told nothing of the typing: {names()}")
    return f"{text!r}, once, and only when asked for; desktopname told of it"


CASES = {
    "vncdotool-clipboard": vncdotool,
    "tigervnc-clipboard": tigervnc,
    "novnc-npm-clipboard": novnc,
}
