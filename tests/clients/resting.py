"""A target whose dongle does not compress, for clients that take poor JPEG: while its picture moves they get that, and
soon after it has come to rest they have it without loss."""

import numpy

import picture
from checks import EXACT, nearest, wait_until_shown
from desktop import Desktop
from processes import Failed, wait_for
from recorded import OnDisplay, Watched, novnc, with_libvncclient
from tigervnc import preferring, tigervnc

SIZE = (800, 600)
CARD = picture.test_card(*SIZE)
MOVED = [numpy.roll(CARD, 40 * step, axis=0) for step in range(8)]
POOR = 40.0
"""Decibels that JPEG of the lowest quality does not reach."""
SEEN = 20.0
"""Decibels by which a poor picture is known all the same."""


class Raw(Watched):
    def __init__(self, case):
        arguments = ["--format", "rgb24", "--size", "{}x{}".format(*SIZE)]
        super().__init__(case, CARD, CARD.tobytes(), *arguments)

    def moves(self):
        self.feed.play([moved.tobytes() for moved in MOVED])

    def rests(self):
        self.feed.show(MOVED[3].tobytes())
        return MOVED[3]


def rest(target, look, what):
    """What is shown while it moves has been through JPEG, what is shown at rest has not."""
    target.moves()

    def poor():
        likeness = nearest(look(), MOVED)[1]
        return likeness if SEEN <= likeness <= POOR else None

    likeness = wait_for(f"{what} shows a poor picture while it moves", poor, pause=0.05)
    target.relay.check()
    if not target.relay.rectangles["JPEG"]:
        raise Failed(f"{what} got no JPEG")
    wait_until_shown(look, target.rests(), what, EXACT)
    return f"{likeness:.1f} dB while it moves, every pixel equal at rest"


def tigervnc_rests(case):
    with Raw(case) as target, Desktop(case.folder) as desktop:
        with desktop.viewer(tigervnc(target, *preferring("Tight", "-QualityLevel=0"))) as viewer:
            shown = OnDisplay(viewer, SIZE)
            shown.find(CARD)
            return rest(target, shown.look, "TigerVNC")


def novnc_rests(case):
    with Raw(case) as target, novnc(target, 0) as browser:
        return rest(target, browser.look, "noVNC")


def libvncclient_rests(case):
    with Raw(case) as target, with_libvncclient(case, target, "tight", 0) as client:
        wait_for("it shows something", lambda: client.look() is not None)
        return rest(target, client.look, "libvncclient")


CASES = {
    "tigervnc-rests": tigervnc_rests,
    "novnc-npm-rests": novnc_rests,
    "libvncclient-rests": libvncclient_rests,
}
