"""The menu in a client's own picture: it opens by the right Ctrl key tapped twice, nobody else sees it, what is chosen
in it reaches the target and nothing else of it does, and the picture behind it is whole again."""

import picture
import reports
from browser import NEAR, Opened, npm_page
from checks import EXACT, STILL, served, wait_until_shown
from clipboard import RIGHT_CONTROL
from processes import Display, Failed, wait_for
from tigervnc import TigerViewer, preferring

CTRL, ALT, DELETE = 0x01, 0x04, 0x4C
RIGHT_CTRL = 0x10
MIDDLE = (slice(180, 420), slice(200, 600))
"""Rows and columns of the screen outside which there is none of the menu, and which it fills in good part."""
FIRST_ROW = (400, 240)
"""Ctrl+Alt+Del is the first that is offered."""


def covered(shown, enough):
    """Whether something lies over the middle of STILL, and nothing over the rest."""
    around = shown.copy()
    around[MIDDLE] = STILL[MIDDLE]
    return picture.psnr(around, STILL) >= enough and picture.psnr(shown[MIDDLE], STILL[MIDDLE]) < 15


def check_reports(case):
    """Two taps of the right Ctrl key, Ctrl+Alt+Del, and nothing else."""

    def pressed():
        got = reports.keyboard(case.record)
        held = {(report[0], tuple(key for key in report[2:] if key)) for report in got}
        return got if (CTRL | ALT, (DELETE,)) in held and not any(got[-1]) else None

    got = wait_for("Ctrl+Alt+Del, and its release", pressed)
    known = {(0, ()), (RIGHT_CTRL, ()), (CTRL, ()), (CTRL | ALT, ()), (CTRL | ALT, (DELETE,)), (ALT, ())}
    other = {(report[0], tuple(key for key in report[2:] if key)) for report in got} - known
    clicks = [report for report in reports.pointer(case.record) if report[0]]
    if other or clicks:
        raise Failed(f"the target was sent something else: keys {sorted(other)}, buttons {clicks}")


def check_nobody_else_sees_it(case, bridge):
    likeness = picture.psnr(case.capture(bridge.port, "meanwhile"), STILL)
    if likeness < EXACT:
        raise Failed(f"another client's picture is at {likeness:.1f} dB while the menu is open")


def tigervnc(case):
    """Walked through with the arrow keys, and a row clicked at."""
    lossless = [*preferring("ZRLE"), "-MenuKey="]
    with served(case, [STILL]) as bridge, Display(case.folder) as display:
        with TigerViewer(display, bridge.port, case.folder, lossless) as viewer:

            def look():
                return case.shown(display, viewer)

            wait_until_shown(look, STILL, "the viewer")
            viewer.focus()
            viewer.keys(RIGHT_CONTROL, RIGHT_CONTROL)
            wait_for("the menu is there", lambda: covered(look(), EXACT))
            first = look()
            picture.save(first, case.folder / "menu.png")
            check_nobody_else_sees_it(case, bridge)
            viewer.keys("Down")
            wait_for("another row is marked", lambda: picture.psnr(look(), first) < EXACT)
            viewer.click(*FIRST_ROW)
            wait_until_shown(look, STILL, "the viewer, after it was closed,")
            check_reports(case)
    return "seen by this client alone; a click at Ctrl+Alt+Del pressed that and nothing else; every pixel equal afterwards"


def novnc(case):
    """Chosen by its letter; what was chosen last is answered in the picture."""
    with served(case, [STILL]) as bridge, Opened(case, npm_page, bridge) as browser:
        wait_until_shown(browser.look, STILL, "noVNC", NEAR)

        def open_menu():
            browser.tap("ControlRight", "Control")
            browser.tap("ControlRight", "Control")
            wait_for("the menu is there", lambda: covered(browser.look(), NEAR))

        open_menu()
        picture.save(browser.look(), case.folder / "menu.png")
        check_nobody_else_sees_it(case, bridge)
        browser.tap("KeyD", "d")
        wait_until_shown(browser.look, STILL, "noVNC, after it was closed,", NEAR)
        check_reports(case)
        open_menu()
        menu = browser.look()
        browser.tap("KeyV", "v")
        wait_for(
            "it says that there is nothing to type",
            lambda: picture.psnr(browser.look(), menu) < 20 and picture.psnr(browser.look(), STILL) < NEAR,
        )
        picture.save(browser.look(), case.folder / "answer.png")
        wait_until_shown(browser.look, STILL, "noVNC, after a while,", NEAR)
    return "seen by this client alone; d pressed Ctrl+Alt+Del; why nothing was typed was read in the picture"


CASES = {
    "tigervnc-menu": tigervnc,
    "novnc-npm-menu": novnc,
}
