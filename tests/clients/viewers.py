"""Viewers with a window, each against a target that is fed picture by picture: what they show of it, also
after its mode has changed, what becomes of typing and clicking, and of keys held when they crash."""

import picture
import reports
from case import WORD
from processes import Display, Failed, Feed, Viewer, wait_for

SHOWN, SCALED = 30.0, 22.0
"""Decibels from which a picture counts as the wanted one: as it is, after JPEG at the quality that the viewer
asks for, or scaled down. (Another one, or one with red and blue swapped, gets 12.)"""
FIRST, SECOND, LARGER = (
    picture.screen(800, 600, 1),
    picture.screen(800, 600, 2),
    picture.screen(1024, 768, 3),
)


def follows(name, command):
    """The case of a viewer that `command(port)` starts."""

    def case_of_viewer(case):
        feed = Feed(case.folder / "target", picture.jpeg(FIRST))
        with case.serve(feed.source) as bridge, Display(case.folder) as display:
            with Viewer(display, name, command(bridge.port), case.folder) as viewer:
                place = wait_shown(case, viewer, "first", FIRST)
                typing(case, viewer, place)
                clicking(case, viewer, place)
                for name_of_picture, shown in [("second", SECOND), ("larger", LARGER), ("first-again", FIRST)]:
                    feed.show(picture.jpeg(shown))
                    wait_shown(case, viewer, name_of_picture, shown)
                crashing(case, viewer)
        return f"two pictures, two changes of mode, {WORD!r}, a click, and all released after a crash"

    case_of_viewer.__doc__ = f"{name} follows a target, and its keys and buttons arrive."
    return case_of_viewer


def wait_shown(case, viewer, name, wanted):
    """Waits until the viewer shows the picture, as it is or (if that is larger than the first one) scaled
    down to the first one's size, and gives its place on the display."""
    candidates = [(wanted, SHOWN)]
    if wanted.shape > FIRST.shape:
        candidates.append((picture.scaled(wanted, FIRST.shape[1], FIRST.shape[0]), SCALED))

    def shown():
        viewer.check_alive()
        display = picture.grab(viewer.display.name_of_display)
        picture.save(display, case.folder / f"{name}.png")
        for candidate, enough in candidates:
            place, likeness = picture.place_of(candidate, display)
            if likeness >= enough:
                return (place,)
        return None

    return wait_for(f"{viewer.name} shows the {name} picture", shown)[0]


def typing(case, viewer, place):
    def first_key():
        """A window may have the keyboard before its program has noticed."""
        viewer.focus(place[0] + 400, place[1] + 300)
        viewer.display.xdotool("key", "z")
        return reports.keyboard(case.record)

    wait_for("the first key arrives", first_key, pause=0.3)

    def released():
        return not any(reports.keyboard(case.record)[-1])

    wait_for("the first key is released", released)
    before = len(reports.keyboard(case.record))
    viewer.display.xdotool("type", "--delay", 40, WORD)

    def typed():
        return reports.text(reports.keyboard(case.record)[before:]).lstrip("z") == WORD

    wait_for(f"reports that spell {WORD!r}", typed, 10)
    wait_for("all keys released", released)


def clicking(case, viewer, place):
    x, y = 123, 456
    target = (round(x * 32767 / (FIRST.shape[1] - 1)), round(y * 32767 / (FIRST.shape[0] - 1)))
    before = len(reports.pointer(case.record))
    viewer.display.xdotool("mousemove", place[0] + x, place[1] + y)
    viewer.display.xdotool("click", 1)

    def clicked():
        got = reports.pointer(case.record)[before:]
        held = [number for number, report in enumerate(got) if report[0] == 1]
        return got if held and got[-1][0] == 0 else None

    got = wait_for("a click and its release", clicked, 10)
    wrong = [report for report in got if report[0] and max(abs(report[1] - target[0]), abs(report[2] - target[1])) > 1]
    if wrong:
        raise Failed(f"button down at {wrong}, not at {target}")


def crashing(case, viewer):
    """A viewer that dies with a key and a button down leaves nothing held."""
    viewer.display.xdotool("keydown", "Shift_L", "keydown", "a", "mousedown", "1")

    def held():
        return any(reports.keyboard(case.record)[-1][2:]) and reports.pointer(case.record)[-1][0]

    wait_for("a key and a button are down", held, 10)
    viewer.kill()

    def released():
        return not any(reports.keyboard(case.record)[-1]) and not reports.pointer(case.record)[-1][0]

    wait_for("all is released after the crash", released, 5)


CASES = {
    "tigervnc-follows": follows("xtigervncviewer", lambda port: ["xtigervncviewer", "-Shared", f"127.0.0.1::{port}"]),
    "tightvnc-follows": follows("xtightvncviewer", lambda port: ["xtightvncviewer", f"127.0.0.1::{port}"]),
    # gtk-vnc, as in virt-viewer, Vinagre and GNOME Connections. It counts displays from port 5900.
    "gtk-vnc-follows": follows("gvncviewer", lambda port: ["gvncviewer", f"127.0.0.1:{port - 5900}"]),
}
