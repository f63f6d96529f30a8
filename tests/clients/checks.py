"""What every client without a window is measured by: the pictures it gets of a target that stands still and of
one that moves, and what becomes of the word it types and of its click."""

from contextlib import contextmanager

import picture
import reports
from case import ALIKE, ROOT, WORD
from processes import Failed, Process, wait_for

HERE = ROOT / "tests" / "clients"
PASSWORD = "correct1"
"""Eight characters, which is what VNC's own authentication has room for."""
EXACT = float("inf")
"""Decibels of a picture that is the served one to the last pixel."""
STILL = picture.screen(800, 600, 1)
MOVING = [picture.screen(800, 600, seed) for seed in range(11, 17)]
PLACE = (123, 456)
"""Where clicks are made."""


@contextmanager
def served(case, pictures, password=None, options=()):
    """rfbridge, with these options, playing these pictures without loss, five in a second, for ever; up once the first is there."""
    folder = case.folder / ("moving" if len(pictures) > 1 else "still")
    folder.mkdir(exist_ok=True)
    for number, each in enumerate(pictures):
        picture.save(each, folder / f"{number}.png")
    locked = ["--password-file", case.secret(password)] if password else []
    with case.serve(f"replay:{folder}", "--fps", 5, *locked, *options) as bridge:
        wait_for_source(case, bridge, pictures[0], password)
        yield bridge


def wait_for_source(case, bridge, screen, password=None):
    """Until the source's first picture is there, clients are shown what is being waited for."""

    def there():
        path = case.folder / "awaited.png"
        path.unlink(missing_ok=True)
        return (
            case.vncdo(bridge.port, "capture", path, password=password) == 0
            and picture.load(path).shape == screen.shape
        )

    wait_for("the source's picture is served", there)


def nearest(shown, pictures):
    """(number, decibels) of the picture that is most like the shown one."""
    found = [(number, picture.psnr(shown, each)) for number, each in enumerate(pictures)]
    return max(found, key=lambda one: one[1])


def in_words(enough):
    return "every pixel equal" if enough == EXACT else f"above {enough:.0f} dB"


def check_alike(path, wanted, what, enough=ALIKE):
    likeness = picture.psnr(picture.load(path), wanted)
    if likeness < enough:
        raise Failed(f"{what} got a picture of {likeness:.1f} dB; see {path}")


def wait_until_shown(look, wanted, what, enough=EXACT):
    """`look()` gives the client's latest picture, or None if it has none yet."""
    best = -1.0

    def shown():
        nonlocal best
        latest = look()
        likeness = -1.0 if latest is None else picture.psnr(latest, wanted)
        best = max(best, likeness)
        return likeness >= enough

    try:
        wait_for(f"{what} has the picture", shown)
    except Failed as failure:
        raise Failed(f"{failure}; the nearest was {best:.1f} dB") from None


def wait_until_moved(look, what, log_folder, enough=EXACT, pictures=MOVING):
    """Every picture that the client gets is one of those served, never a mixture, and it gets several."""
    seen = set()

    def moved():
        shown = look()
        if shown is None:
            return None
        number, likeness = nearest(shown, pictures)
        if likeness < enough:
            path = log_folder / "mixture.png"
            picture.save(shown, path)
            raise Failed(f"{what} has a picture that never was: {likeness:.1f} dB of number {number}; see {path}")
        seen.add(number)
        return len(seen) >= 3

    wait_for(f"{what} shows three pictures of the moving screen", moved, pause=0.05)


def wait_for_word(case, reports_before=0):
    """The word arrived, with nothing held."""

    def arrived():
        got = reports.keyboard(case.record)[reports_before:]
        return got if reports.text(got) == WORD and not any(got[-1]) else None

    wait_for(f"reports that spell {WORD!r}", arrived, 20)


def wait_for_click(case, reports_before=0, size=(800, 600), place=PLACE):
    """A left button went down and up, at its place and nowhere else."""
    target = [round(at * 32767 / (length - 1)) for at, length in zip(place, size)]

    def clicked():
        got = reports.pointer(case.record)[reports_before:]
        return got if any(report[0] == 1 for report in got) and got[-1][0] == 0 else None

    got = wait_for("a click and its release", clicked, 20)
    if any(max(abs(report[1] - target[0]), abs(report[2] - target[1])) > 1 for report in got if report[0]):
        raise Failed(f"button down at {got}, not at {target}")


class Latest(Process):
    """A client that goes on saving its latest picture, each whole, under one name."""

    def __init__(self, name, command, folder, **more):
        folder.mkdir(exist_ok=True)
        self.path = folder / "latest.ppm"
        self.path.unlink(missing_ok=True)
        super().__init__(name, [*command, self.path], folder, **more)

    def look(self):
        self.check_alive()
        return picture.load(self.path) if self.path.exists() else None


def library(name, command, enough=EXACT):
    """The case of a library: `command(case, port, password)` starts a program of ours that uses it, which clicks
    at `PLACE` and types `WORD` once it has a picture, and saves what it sees under the name that follows."""

    def case_of_library(case):
        for password in [None, PASSWORD]:
            with served(case, [STILL], password) as bridge:
                with Latest(name, command(case, bridge.port, password), case.folder / "at-rest") as client:
                    wait_until_shown(client.look, STILL, name, enough)
                    wait_for_click(case)
                    wait_for_word(case)
        with served(case, MOVING) as bridge:
            with Latest(name, command(case, bridge.port, None), case.folder / "in-motion") as client:
                wait_until_moved(client.look, name, client.log.parent, enough)
        return f"{in_words(enough)} at rest and moving, {WORD!r} and a click, with and without a password"

    case_of_library.__doc__ = f"{name} shows a screen at rest and a moving one, and its keys and button arrive."
    return case_of_library


def arguments(port, password):
    """What every program of ours is told, in this order; the name to save under follows."""
    return [port, password or "", WORD, *PLACE]
