"""TigerVNC's viewer: against the demo, against recordings, and in every encoding and depth that it has."""

import os
import socket
import time

import picture
import reports
from case import ALIKE, FIXTURES, WORD
from checks import EXACT
from desktop import Start
from processes import Display, Failed, Process, need, wait_for
from viewers import password_file
from watching import LOSSY, NEAR, Look, asks, follows, ways

# How one gets from the demo's first screen into its text field.
TO_TEXT_FIELD = []


def tigervnc_demo(case):
    """A TigerVNC viewer shows the demo's screen, and a word typed into it arrives."""
    with case.bridge("demo") as bridge, Display(case.folder) as display:
        with TigerViewer(display, bridge.port, case.folder) as viewer:
            likeness = wait_for_same_screen(case, bridge, display, viewer, "first")
            viewer.focus()
            for name in TO_TEXT_FIELD:
                viewer.keys(name)
            wait_for(
                f"the reports of {len(TO_TEXT_FIELD)} keys",
                lambda: len(reports.presses(reports.keyboard(case.record))) >= len(TO_TEXT_FIELD),
            )
            wait_for_same_screen(case, bridge, display, viewer, "field")
            steady, before = steady_cells(case, bridge.port)
            shown_before = case.shown(display, viewer)
            seen = len(reports.keyboard(case.record))

            viewer.type(WORD)

            def typed():
                return reports.keyboard(case.record)[seen:]

            wait_for(f"reports that spell {WORD!r}", lambda: reports.text(typed()) == WORD)
            wait_for("all keys released", lambda: not any(typed()[-1]))

            def word_is_shown():
                after = case.capture(bridge.port, "typed-vncdo")
                shown = case.shown(display, viewer)
                picture.save(shown, case.folder / "typed-viewer.png")
                cells = picture.changed_cells(before, after) & steady
                if cells.sum() < 2:
                    return None
                of = picture.cell_pixels
                now = picture.psnr(of(after, cells), of(shown, cells))
                then = picture.psnr(of(shown_before, cells), of(shown, cells))
                # The viewer shows what is there now, and there it is not what it showed before.
                return (int(cells.sum()), now, then) if now >= ALIKE and then < ALIKE else None

            cells, now, then = wait_for("the typed word is on the viewer's screen", word_is_shown)
    return (
        f"screen {likeness:.1f} dB; {WORD!r} in the reports; its {cells} cells of 16×16 are at "
        f"{now:.1f} dB of the screen, {then:.1f} dB of before"
    )


def tigervnc_mouse(case):
    """Clicks and wheel steps in a TigerVNC viewer arrive at the right place, the move before the click."""
    with case.bridge("demo") as bridge, Display(case.folder) as display:
        with TigerViewer(display, bridge.port, case.folder) as viewer:
            wait_for_same_screen(case, bridge, display, viewer, "first")
            _, _, width, height = viewer.box()
            viewer.focus()
            places = [(width // 3, height // 4), (0, 0), (width - 1, height - 1), (width - 2, height // 2)]
            for number, (x, y) in enumerate(places):
                button = 3 if number == 1 else 1
                target = (round(x * 32767 / (width - 1)), round(y * 32767 / (height - 1)))
                seen = len(reports.pointer(case.record))
                viewer.click(x, y, button)

                def clicked():
                    got = reports.pointer(case.record)[seen:]
                    down = 1 if button == 1 else 2
                    held = [i for i, report in enumerate(got) if report[0] == down]
                    return got if held and any(report[0] == 0 for report in got[held[0] :]) else None

                got = wait_for(f"a click with button {button} at {x},{y}, and its release", clicked, 10)
                wrong = [r for r in got if r[0] and max(abs(r[1] - target[0]), abs(r[2] - target[1])) > 1]
                if wrong:
                    raise Failed(f"button down at {wrong}, not at {target}, which is {x},{y} of {width}×{height}")
                if got[0][0]:
                    raise Failed(f"the button went down before the pointer was there: {got}")
            x, y = places[0]
            seen = len(reports.pointer(case.record))
            viewer.click(x, y, 4)
            viewer.click(x, y, 5)

            def steps():
                return [report[3] for report in reports.pointer(case.record)[seen:] if report[3]]

            wait_for("two wheel steps", lambda: len(steps()) >= 2, 10)
            if steps() != [1, -1]:
                raise Failed(f"the wheel went up and down once; the reports say {steps()}")
    return f"{len(places)} clicks where they were made, wheel up and down"


def tigervnc_listens(case):
    """A TigerVNC viewer that listens is called by `rfbridge connect`, shows the screen, and a word typed into it arrives."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    control = case.folder / "control.sock"
    with case.bridge("demo", "--control-socket", control) as bridge, Display(case.folder) as display:
        call = [case.bridge_path, "connect", f"127.0.0.1:{port}", "--socket", control]
        with Process("connect", call, case.folder), ListeningViewer(display, port, case.folder) as viewer:
            likeness = wait_for_same_screen(case, bridge, display, viewer, "called")
            viewer.focus()
            viewer.type(WORD)
            wait_for(f"reports that spell {WORD!r}", lambda: reports.text(reports.keyboard(case.record)) == WORD)
    return f"called while it listened; screen {likeness:.1f} dB; {WORD!r} in the reports"


def wait_for_same_screen(case, bridge, display, viewer, name):
    """Waits until the viewer shows what vncdo captures. A clock that ticked between the two costs little."""

    def same():
        captured = case.capture(bridge.port, f"{name}-vncdo")
        shown = case.shown(display, viewer)
        picture.save(shown, case.folder / f"{name}-viewer.png")
        if picture.is_plain(captured):
            raise Failed(f"the captured screen is one colour; see {case.folder / name}-vncdo.png")
        likeness = picture.psnr(captured, shown)
        return likeness if likeness >= ALIKE else None

    return wait_for(f"the viewer shows the screen ({name})", same)


def steady_cells(case, port):
    """The cells that stand still while nothing is typed (not the clock, not a blinking cursor), and the
    screen. Two seconds is what a clock needs to show itself."""
    first = case.capture(port, "still")
    steady = ~picture.changed_cells(first, first)
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        latest = case.capture(port, "still")
        steady &= ~picture.changed_cells(first, latest)
    return steady, latest


def tigervnc_replay(case):
    """A TigerVNC viewer shows every recorded screen, and more than one picture of it."""
    recordings = sorted(FIXTURES.glob("*.mjpeg"))
    if len(recordings) < 4:
        raise Failed(f"{FIXTURES}: four recordings are expected, {len(recordings)} are there")
    results = []
    for path in recordings:
        recording = picture.Recording(path)
        folder = case.folder / path.stem
        folder.mkdir()
        with case.serve(f"replay:{path}") as bridge, Display(folder) as display:
            with TigerViewer(display, bridge.port, folder) as viewer:
                results.append(f"{path.stem} " + watch(case, display, viewer, recording, folder))
    return "; ".join(results)


def watch(case, display, viewer, recording, folder):
    """Waits until the viewer has shown two of the recording's pictures, as they are in the file."""
    seen, nearest = {}, (None, -1.0)
    wanted = min(2, len(recording.jpegs))

    def shown_as_recorded():
        nonlocal nearest
        shown = case.shown(display, viewer)
        index, likeness = recording.best_match(shown)
        if likeness > nearest[1]:
            nearest = (index, likeness)
            picture.save(shown, folder / "viewer.png")
        if likeness >= ALIKE:
            seen[index] = max(likeness, seen.get(index, -1.0))
        return len(seen) >= wanted

    try:
        wait_for("the viewer shows the recorded pictures", shown_as_recorded, 40, pause=0.3)
    except Failed as failure:
        width, height = recording.size()
        raise Failed(
            f"{folder.name}: {failure}; the nearest was picture {nearest[0]} at {nearest[1]:.1f} dB, "
            f"{len(seen)} of {wanted} were seen; the recording is {width}×{height}, the window {viewer.box()}"
        ) from None
    return f"{nearest[1]:.1f} dB"


class TigerViewer(Process):
    """TigerVNC's viewer with its defaults. Without a window manager its window lies at its own place,
    has no frame, and gets the keyboard when told."""

    def __init__(self, display, port, log_folder, options=()):
        home = log_folder / "home"
        home.mkdir(exist_ok=True)
        self.display = display
        super().__init__(
            "vncviewer",
            [need("xtigervncviewer"), "-Shared", *options, *self.where(port)],
            log_folder,
            env=os.environ | {"DISPLAY": display.name_of_display, "HOME": str(home)},
        )
        self.window = wait_for("the viewer opens its window", self._window)

    def where(self, port):
        return [f"127.0.0.1::{port}"]

    def _window(self):
        self.check_alive()
        found = self.display.xdotool("search", "--onlyvisible", "--name", " TigerVNC$").split()
        return found[0] if found else None

    def box(self):
        """(x, y, width, height) of its picture on the display."""
        self.check_alive()
        shell = self.display.xdotool("getwindowgeometry", "--shell", self.window)
        value = dict(line.split("=") for line in shell.split())
        if "HEIGHT" not in value:
            raise Failed(f"the viewer's window is gone; see {self.log}")
        return tuple(int(value[key]) for key in ("X", "Y", "WIDTH", "HEIGHT"))

    def focus(self):
        def focused():
            self.display.xdotool("windowfocus", self.window)
            return self.display.xdotool("getwindowfocus").strip() == self.window

        wait_for("the viewer has the keyboard", focused)

    def type(self, text):
        self.display.xdotool("type", "--delay", 40, text)

    def click(self, x, y, button=1):
        """At (x, y) of its picture. Buttons 4 and 5 are the wheel, up and down."""
        self.display.xdotool("mousemove", "--window", self.window, x, y)
        self.display.xdotool("click", button)

    def keys(self, *names):
        self.display.xdotool("key", "--delay", 80, *names)


class ListeningViewer(TigerViewer):
    """One that waits to be called at this port."""

    def where(self, port):
        return ["-listen", port]


def tigervnc(target, *options):
    """Without its menu key it does not lay a hint about it over the picture for a while."""
    password, files = password_file(target, "-passwd")
    return Start(["xtigervncviewer", "-Shared", "-MenuKey=", *password, *options, f"127.0.0.1::{target.port}"], files)


def preferring(encoding, *options):
    return ("-AutoSelect=0", f"-PreferredEncoding={encoding}", *options)


def few_colours(encoding, level):
    return preferring(encoding, "-FullColor=0", f"-LowColorLevel={level}")


WAYS = [
    # (name, options, encoding, look). A source's own JPEG is passed on whatever quality is asked for.
    ("Tight", preferring("Tight", "-NoJPEG"), "Tight", Look(EXACT)),
    ("ZRLE", preferring("ZRLE", "-NoJPEG"), "ZRLE", Look(EXACT)),
    ("Hextile", preferring("Hextile", "-NoJPEG"), "Hextile", Look(EXACT)),
    ("Raw", preferring("Raw", "-NoJPEG"), "Raw", Look(EXACT)),
    ("ZRLE and JPEG", preferring("ZRLE"), "ZRLE", Look(NEAR)),
    ("Hextile and JPEG", preferring("Hextile"), "Hextile", Look(NEAR)),
    ("Raw and JPEG", preferring("Raw"), "Raw", Look(NEAR)),
    ("AutoSelect", (), "Tight", Look(LOSSY)),
    ("JPEG quality 0", preferring("Tight", "-QualityLevel=0"), "Tight", Look(LOSSY)),
    ("JPEG quality 9", preferring("Tight", "-QualityLevel=9"), "Tight", Look(NEAR)),
    ("8 colours", few_colours("Tight", 0), "Tight", Look(EXACT, levels=(2, 2, 2))),
    ("64 colours", few_colours("ZRLE", 1), "ZRLE", Look(EXACT, levels=(4, 4, 4))),
    ("256 colours", few_colours("Hextile", 2), "Hextile", Look(NEAR, levels=(8, 8, 4))),
    ("256 colours raw", few_colours("Raw", 2), "Raw", Look(NEAR, levels=(8, 8, 4))),
]
CASES = {
    "tigervnc-demo": tigervnc_demo,
    "tigervnc-mouse": tigervnc_mouse,
    "tigervnc-listens": tigervnc_listens,
    "tigervnc-replay": tigervnc_replay,
    "tigervnc-follows": follows(tigervnc, Look(LOSSY)),
    "tigervnc-password": asks(tigervnc, Look(LOSSY)),
    "tigervnc-encodings": ways(tigervnc, WAYS),
}
