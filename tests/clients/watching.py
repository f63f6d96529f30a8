"""What every viewer with a window is put through: a target is fed picture by picture, and what the viewer shows of
it is compared; it is typed and clicked into, and what arrives is compared; it is killed with keys held."""

import re
from dataclasses import dataclass

import picture
import reports
from case import ALIKE, WORD
from checks import EXACT, PASSWORD, in_words, nearest
from desktop import Desktop
from processes import Failed, Feed, wait_for

NEAR, LOSSY, SCALED = 50.0, 30.0, 22.0
"""Decibels from which a picture counts as the wanted one: but for how coarse colours are rounded; after JPEG at the
quality that a viewer asks for by itself; scaled. (Another one, or one with red and blue swapped, gets 12.)"""
SIZE = (800, 600)
PICTURES = {
    "first": picture.screen(*SIZE, 1),
    "second": picture.screen(*SIZE, 2),
    "larger": picture.screen(1024, 768, 3),
}
MOVING = [picture.moved(PICTURES["first"], step) for step in range(8)]


@dataclass
class Look:
    """How a viewer shows what it is served: how well at least; in how many levels of red, green and blue, the highest
    of them darker than full or not; and whether it scales a larger picture down to the first one's size."""

    enough: float = EXACT
    levels: tuple = (256, 256, 256)
    darker: bool = False
    scales: bool = False

    def of(self, shown):
        return picture.reduced(shown, self.levels, self.darker)


class Target:
    """A target whose screen is one of `PICTURES` or moves, with rfbridge serving it."""

    served = {}
    """The pictures as rfbridge has decoded them, fetched without loss, once for all cases."""

    def __init__(self, case, password=None, options=()):
        self.case, self.password = case, password
        self.feed = Feed(case.folder / "target", picture.jpeg(PICTURES["first"]))
        locked = ["--password-file", case.secret(password)] if password else []
        self.bridge = case.serve(self.feed.source, *locked, *options)
        self.port = self.bridge.port

    def __enter__(self):
        return self

    def __exit__(self, *what):
        return self.bridge.__exit__(*what)

    def show(self, name):
        """Shows one picture, for good."""
        self.feed.show(picture.jpeg(PICTURES[name]))
        if name not in self.served:
            wait_for(f"the {name} picture is served", lambda: self._capture(name))

    def _capture(self, name):
        path = self.case.folder / "served.png"
        path.unlink(missing_ok=True)
        if self.case.vncdo(self.port, "capture", path, password=self.password) != 0:
            raise Failed(f"vncdo could not capture; see {self.case.folder / 'vncdo.log'}")
        captured = picture.load(path)
        if picture.psnr(captured, PICTURES[name]) < ALIKE:
            return False
        self.served[name] = captured
        return True

    def move(self):
        self.feed.play([picture.jpeg(each) for each in MOVING])

    def encodings(self):
        """What rfbridge has chosen for its clients so far."""
        return re.findall(r'encoding chosen .*encoding="([^"]+)"', self.bridge.log.read_text())

    def keyboard(self):
        return reports.keyboard(self.case.record)

    def pointer(self):
        return reports.pointer(self.case.record)


def follow(target, viewer, name, look, called=None):
    """The target shows a picture, and sooner or later the viewer does, at the same place twice: some still arrange
    their window when they have the first picture. Sets where it lies on the display, and gives the decibels."""
    target.show(name)
    wanted = look.of(target.served[name])
    candidates = [(wanted, look.enough)]
    if look.scales and wanted.shape != (*SIZE[::-1], 3):
        candidates.append((picture.scaled(wanted, *SIZE), SCALED))
    best, found = -1.0, None

    def shown():
        nonlocal best, found
        display = viewer.shot(called or name)
        for candidate, enough in candidates:
            place, likeness = picture.place_of(candidate, display)
            best = max(best, likeness)
            if likeness >= enough:
                was, found = found, place
                viewer.place = place
                return likeness if was == place else None
        found = None
        viewer.help()
        return None

    try:
        return wait_for(f"{viewer.name} shows the {called or name} picture", shown)
    except Failed as failure:
        raise Failed(f"{failure}; the nearest was {best:.1f} dB") from None


def watch_moving(target, viewer, look, called=""):
    """While the target's picture moves the viewer shows one state of it after the other, and what it shows at the
    end is what came last."""
    target.move()
    states = [look.of(state) for state in MOVING]
    seen = set()

    def several():
        x, y = viewer.place
        display = viewer.shot(f"{called}moving")
        number, likeness = nearest(display[y : y + SIZE[1], x : x + SIZE[0]], states)
        if likeness >= min(look.enough, LOSSY):
            seen.add(number)
        else:
            # Its window may have been arranged anew.
            viewer.place, _ = picture.place_of(states[0], display)
        return len(seen) >= 3

    wait_for(f"{viewer.name} shows three states of a moving picture", several, pause=0.05)
    follow(target, viewer, "second", look, f"{called}after-moving")


def has_keyboard(target, viewer):
    """Waits until keys arrive, and gives how many reports there are then. A window may have the keyboard before its
    program has noticed, so there may be several of the key that is pressed for this, z, some of them late."""

    def first_key():
        viewer.point(SIZE[0] // 2, SIZE[1] // 2)
        viewer.display.xdotool("key", "z")
        return target.keyboard()

    wait_for("the first key arrives", first_key, pause=0.3)
    wait_for("the first key is released", lambda: not any(target.keyboard()[-1]))
    return len(target.keyboard())


def type_word(target, viewer):
    """A word typed into the viewer arrives, and nothing stays held."""
    before = has_keyboard(target, viewer)
    viewer.display.xdotool("type", "--delay", 40, WORD)

    def typed():
        return reports.text(target.keyboard()[before:]).lstrip("z") == WORD

    wait_for(f"reports that spell {WORD!r}", typed, 10)
    wait_for("all keys released", lambda: not any(target.keyboard()[-1]))


def click(target, viewer, x=123, y=456):
    """A click arrives where it was made."""
    goal = (round(x * 32767 / (SIZE[0] - 1)), round(y * 32767 / (SIZE[1] - 1)))
    before = len(target.pointer())
    viewer.point(x, y)
    viewer.display.xdotool("click", 1)

    def clicked():
        got = target.pointer()[before:]
        return got if any(report[0] == 1 for report in got) and got[-1][0] == 0 else None

    got = wait_for("a click and its release", clicked, 10)
    wrong = [report for report in got if report[0] and max(abs(report[1] - goal[0]), abs(report[2] - goal[1])) > 1]
    if wrong:
        raise Failed(f"button down at {wrong}, not at {goal}")


def crash(target, viewer):
    """A viewer that dies with a key and a button down leaves nothing held."""
    viewer.display.xdotool("keydown", "Shift_L", "keydown", "a", "mousedown", "1")

    def held():
        return any(target.keyboard()[-1][2:]) and target.pointer()[-1][0]

    wait_for("a key and a button are down", held, 10)
    viewer.kill()

    def released():
        return not any(target.keyboard()[-1]) and not target.pointer()[-1][0]

    wait_for("all is released after the crash", released, 5)


def follows(start, look):
    """The case of a viewer that follows a target through everything."""

    def case_of_viewer(case):
        with Target(case) as target:
            started = start(target)
            with Desktop(case.folder, started.maximised) as desktop, desktop.viewer(started) as viewer:
                follow(target, viewer, "first", look)
                click(target, viewer)
                type_word(target, viewer)
                watch_moving(target, viewer, look)
                follow(target, viewer, "larger", look)
                follow(target, viewer, "first", look, "first-again")
                crash(target, viewer)
        return f"at rest, moving and in another mode ({in_words(look.enough)}), {WORD!r}, a click, and all released after a crash"

    return case_of_viewer


def asks(start, look):
    """The case of a viewer that has to give a password."""

    def case_of_viewer(case):
        with Target(case, PASSWORD) as target:
            started = start(target)
            with Desktop(case.folder, started.maximised) as desktop, desktop.viewer(started) as viewer:
                follow(target, viewer, "first", look)
                click(target, viewer)
                type_word(target, viewer)
        return f"the picture, {WORD!r} and a click, with a password"

    return case_of_viewer


def ways(start, of_viewer):
    """The case of a viewer that has several ways to show pictures: for each its name, what `start` is told, the
    encoding that rfbridge must choose, and how it looks."""

    def case_of_viewer(case):
        with Target(case) as target, Desktop(case.folder, start(target).maximised) as desktop:
            for number, (name, options, encoding, look) in enumerate(of_viewer):
                chosen_before = target.encodings()
                with desktop.viewer(start(target, *options)) as viewer:
                    try:
                        follow(target, viewer, "first", look, f"{number:02}-first")
                        watch_moving(target, viewer, look, f"{number:02}")
                    except Failed as failure:
                        raise Failed(f"{name}: {failure}") from None
                chosen = target.encodings()[len(chosen_before) :]
                if encoding not in chosen:
                    raise Failed(f"{name}: rfbridge chose {chosen}, not {encoding}")
        exact = [name for name, _, _, look in of_viewer if look.enough == EXACT]
        others = [f"{name} {look.enough:.0f} dB" for name, _, _, look in of_viewer if look.enough != EXACT]
        return f"every pixel equal: {', '.join(exact)}; above: {', '.join(others)}; each at rest and moving"

    return case_of_viewer
