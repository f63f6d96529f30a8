"""Recorded screens that move, shown picture by picture: text that scrolls, which clients are told to copy, and a
desktop on which a window is dragged."""

import contextlib
import time

import picture
import relay
from browser import Browser, Gateway, npm_page
from case import ALIKE, FIXTURES
from checks import EXACT, Latest, wait_for_source, wait_until_moved, wait_until_shown
from desktop import Desktop
from libraries import libvncclient
from processes import Failed, Feed, wait_for
from tigervnc import preferring, tigervnc
from viewers import gvncviewer

ROOM = (2048, 1200)
"""A display for recorded screens."""
COPIES = 8
"""So many moves of the recording are to be copied at least."""
REFRESHED = 70.0
"""Decibels by which a picture that came in parts of JPEGs, some of them copied, may differ from that JPEG as a
whole: colour is smoothed across the edges of parts."""


class Watched:
    """A target with rfbridge serving it, and a relay on which clients are counted."""

    password = None

    def __init__(self, case, first, first_bytes, *arguments):
        """`first` is the first picture, `first_bytes` what says so to rfbridge."""
        self.case = case
        self.feed = Feed(case.folder / "target", first_bytes)
        self.bridge = case.serve(self.feed.source, *arguments)
        try:
            wait_for_source(case, self.bridge, first)
            self.relay = relay.Relay(self.bridge.port)
        except BaseException:
            self.bridge.stop()
            raise
        self.port = self.relay.port

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.relay.__exit__()
        return self.bridge.__exit__(*what)


class Recorded(Watched):
    """A target that shows a recording."""

    def __init__(self, case, name):
        self.jpegs = picture.split_mjpeg((FIXTURES / f"{name}.mjpeg").read_bytes())
        super().__init__(case, picture.decoded(self.jpegs[0]), self.jpegs[0])

    def show(self, number):
        """Shows this picture for good; gives it as rfbridge serves it to one who has seen nothing before."""
        self.feed.show(self.jpegs[number])
        return self.served(number)

    def play(self):
        """Shows all, one after the other; gives the last as rfbridge serves it to one who has seen nothing before."""
        self.feed.play_once(self.jpegs)
        return self.served(-1)

    def served(self, number):
        wanted = picture.decoded(self.jpegs[number])

        def captured():
            shown = self.case.capture(self.bridge.port, f"served{number}")
            return [shown] if picture.psnr(shown, wanted) >= ALIKE else None

        [shown] = wait_for("the picture is served", captured)
        return shown


class OnDisplay:
    """A viewer's picture, looked for on its display."""

    def __init__(self, viewer, size):
        self.viewer, self.size = viewer, size

    def look(self):
        display = self.viewer.shot("display")
        if self.viewer.place is None:
            self.viewer.help()
            return display
        x, y = self.viewer.place
        return display[y : y + self.size[1], x : x + self.size[0]]

    def find(self, wanted):
        """Waits until the picture is there, and sets where."""

        def found():
            self.viewer.help()
            place, likeness = picture.place_of(wanted, self.viewer.shot("display"))
            if likeness >= ALIKE:
                self.viewer.place = place
            return likeness >= ALIKE

        wait_for(f"{self.viewer.name} shows the recording", found)


def scroll(target, look, what, enough):
    """Text scrolls and comes to rest. With `enough` the client then shows the served picture that exactly; without, it
    has taken JPEG, and what it shows is what the whole JPEG would look like."""
    rectangles = target.relay.rectangles
    before = rectangles[relay.COPY_RECT]
    served = target.play()
    wait_until_shown(look, served, what, enough or ALIKE)
    target.relay.check()
    copies = rectangles[relay.COPY_RECT] - before
    if copies < COPIES:
        raise Failed(f"{what} was told to copy {copies} times")
    if enough:
        return enough
    if not rectangles["JPEG"]:
        raise Failed(f"{what} got no JPEG")
    shown = look()
    target.relay.refresh()
    likeness = EXACT
    until = time.monotonic() + 2
    while time.monotonic() < until:
        refreshed = look()
        likeness = min(likeness, picture.psnr(shown, refreshed))
        picture.save(refreshed, target.case.folder / "refreshed.png")
    if likeness < REFRESHED:
        picture.save(shown, target.case.folder / "scrolled.png")
        raise Failed(f"{what} shows {likeness:.1f} dB of the whole picture; see scrolled.png and refreshed.png")
    return likeness


def in_words(counts, results):
    rows = ", ".join(f"{name} {'equal' if likeness == EXACT else f'{likeness:.1f} dB'}" for name, likeness in results)
    return f"{counts[relay.COPY_RECT]} moves copied; {rows}"


def on_display(start, ways, act, name):
    """The case of a viewer with a window, in each of its `ways`: name, what `start` is told, what `act` is told."""

    def case_of_viewer(case):
        results = []
        with Recorded(case, name) as target, Desktop(case.folder, size=ROOM) as desktop:
            first = picture.decoded(target.jpegs[0])
            for called, options, enough in ways:
                target.show(0)
                with desktop.viewer(start(target, *options)) as viewer:
                    shown = OnDisplay(viewer, first.shape[1::-1])
                    shown.find(first)
                    results.append((called, act(target, shown.look, f"{viewer.name} ({called})", enough)))
            return in_words(target.relay.rectangles, results)

    return case_of_viewer


@contextlib.contextmanager
def novnc(target, quality):
    """noVNC showing the target, through the relay."""
    folder, address = npm_page(target.case)
    with Gateway(folder, target.relay, target.case.folder) as gateway:
        with Browser(target.case.folder, f"http://127.0.0.1:{gateway.port}/{address}quality={quality}") as browser:
            wait_for("noVNC shows something", lambda: browser.look() is not None)
            yield browser


def novnc_scrolls(case):
    """noVNC copies what scrolls."""
    with Recorded(case, "console-scroll") as target, novnc(target, 8) as browser:
        likeness = scroll(target, browser.look, "noVNC", None)
        return in_words(target.relay.rectangles, [("JPEG", likeness)])


LIBVNCCLIENT = [("copyrect tight", -1, EXACT), ("copyrect zrle", -1, EXACT), ("copyrect tight", 8, None)]


def with_libvncclient(case, target, encodings, quality):
    name = f"{encodings} {quality}".replace(" ", "-")
    return Latest(name, libvncclient(encodings, 32, quality)(case, target.port, None), case.folder / name)


def libvncclient_scrolls(case):
    """libvncclient copies what scrolls, with JPEG and without."""
    results = []
    with Recorded(case, "console-scroll") as target:
        for encodings, quality, enough in LIBVNCCLIENT:
            with with_libvncclient(case, target, encodings, quality) as client:
                wait_for("it shows something", lambda: client.look() is not None)
                results.append((client.name, scroll(target, client.look, client.name, enough)))
        return in_words(target.relay.rectangles, results)


def drag(target, look, what, enough):
    """A window is dragged about; at its end all is exact."""
    before = target.relay.rectangles.total()
    wait_until_shown(look, target.play(), what, enough)
    target.relay.check()
    if target.relay.rectangles.total() < before + len(target.jpegs):
        raise Failed(f"{what} did not follow")
    return enough


def libvncclient_desktop(case):
    """libvncclient without JPEG has each picture of a moving desktop as it was, and the last one."""
    results = []
    with Recorded(case, "desktop") as target:
        served = [target.show(number) for number in range(len(target.jpegs))]
        for encodings, quality, enough in LIBVNCCLIENT[:2]:
            with with_libvncclient(case, target, encodings, quality) as client:
                wait_until_shown(client.look, served[-1], client.name, enough)
                target.feed.play(target.jpegs)
                wait_until_moved(client.look, client.name, client.log.parent, enough, served)
                wait_until_shown(client.look, target.show(-1), client.name, enough)
                results.append((client.name, enough))
        return in_words(target.relay.rectangles, results)


LOSSLESS = [
    ("Tight", preferring("Tight", "-NoJPEG"), EXACT),
    ("ZRLE", preferring("ZRLE", "-NoJPEG"), EXACT),
]
JPEG = [("JPEG", preferring("Tight", "-QualityLevel=8"), None)]
CASES = {
    "tigervnc-scrolls": on_display(tigervnc, LOSSLESS + JPEG, scroll, "console-scroll"),
    "gtk-vnc-scrolls": on_display(gvncviewer, [("JPEG", (), None)], scroll, "console-scroll"),
    "novnc-npm-scrolls": novnc_scrolls,
    "libvncclient-scrolls": libvncclient_scrolls,
    "tigervnc-desktop": on_display(tigervnc, LOSSLESS, drag, "desktop"),
    "libvncclient-desktop": libvncclient_desktop,
}
