"""x2vnc, which shows no picture and asks for none: beyond the edge of its display lie the target's keyboard and
pointer."""

from case import WORD
from checks import PASSWORD
from desktop import HEIGHT, WIDTH, Desktop, Start
from processes import wait_for
from viewers import password_file
from watching import Target, crash, type_word

SETTINGS = {
    # How the target is served, by the case's name.
    "x2vnc-follows": None,
    "x2vnc-password": PASSWORD,
}


def x2vnc(target):
    """Told not to connect anew it is one process."""
    password, files = password_file(target, "-passwdfile")
    return Start(["x2vnc", "-east", "-noreconnect", *password, f"127.0.0.1:{target.port}"], files)


def crosses(password):
    """The case of x2vnc with this password, or none."""

    def case_of_x2vnc(case):
        with Target(case, password) as target, Desktop(case.folder) as desktop:
            with desktop.viewer(x2vnc(target)) as viewer:
                cross(target, viewer)
                move(target, viewer)
                target.move()
                type_word(target, viewer)
                viewer.display.xdotool("click", 1)
                wait_for("a click and its release", lambda: clicks(target) == [1, 0], 10)
                crash(target, viewer)
        return f"moves, {WORD!r}, a click, and all released after a crash, the picture moving all the while"

    return case_of_x2vnc


def cross(target, viewer):
    """Takes the pointer over the edge, to where the target is. Before, x2vnc has it parked at the right; it comes in
    at the left, and from then on any move is one on the target."""

    def there():
        viewer.check_alive()
        if any(report[1] == 0 for report in target.pointer()):
            return True
        viewer.display.xdotool("mousemove", WIDTH - 20, HEIGHT // 2, "mousemove_relative", 19, 0)
        return False

    wait_for("the pointer is on the target", there, pause=1)


def move(target, viewer):
    """A move to one side arrives as one to that side."""
    for dx, dy, axis, sign in [(60, 0, 1, 1), (-40, 0, 1, -1), (0, 50, 2, 1), (0, -30, 2, -1)]:
        before = target.pointer()[-1][axis]
        viewer.display.xdotool("mousemove_relative", "--", dx, dy)
        wait_for(f"a move by {dx},{dy}", lambda: (target.pointer()[-1][axis] - before) * sign > 0, 10)


def clicks(target):
    """Each change of the left button."""
    held = [report[0] for report in target.pointer()]
    return [now for before, now in zip([0, *held], held) if now != before]


CASES = {name: crosses(password) for name, password in SETTINGS.items()}
