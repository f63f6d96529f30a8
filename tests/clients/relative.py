"""A target that is used by its relative mouse: some viewers send movements then, and the others' positions become
movements."""

import reports
from checks import STILL, served
from desktop import Desktop
from processes import Display, Failed, wait_for
from tigervnc import TigerViewer
from viewers import gvncviewer
from watching import LOSSY, SIZE, Look, Target, follow

TARGET = ["--mouse-mode", "relative"]


class Mouse:
    """The target's mouse: what it did since one looked last."""

    def __init__(self, case):
        self.record, self.seen = case.record, 0

    def reports(self):
        if wrong := reports.pointer(self.record):
            raise Failed(f"the absolute pointer was used: {wrong}")
        return reports.mouse(self.record)[self.seen :]

    def wait_for_click(self):
        def clicked():
            buttons = [report[0] for report in self.reports()]
            return 1 in buttons and buttons[-1] == 0

        wait_for("a click and its release", clicked, 10)
        self.seen += len(self.reports())

    def wait_for_way(self, wanted, within=0):
        """It went so far to the right and down, with no button held."""

        def way():
            return [sum(report[axis] for report in self.reports()) for axis in (1, 2)]

        def there():
            return all(abs(went - far) <= within for went, far in zip(way(), wanted))

        try:
            wait_for(f"the mouse goes {wanted}", there, 10)
        except Failed as failure:
            raise Failed(f"{failure}; it went {way()}") from None
        if any(report[0] for report in self.reports()):
            raise Failed(f"a button was held: {self.reports()}")
        self.seen += len(self.reports())


def grabbing(case):
    """gtk-vnc keeps the pointer in its window from the first click on, and sends how far it was moved."""
    step, steps = (6, -4), 20
    with Target(case, options=TARGET) as target:
        start = gvncviewer(target)
        with Desktop(case.folder, start.maximised) as desktop, desktop.viewer(start) as viewer:
            follow(target, viewer, "first", Look(LOSSY, scales=True))
            mouse = Mouse(case)
            viewer.point(SIZE[0] // 2, SIZE[1] // 2)
            viewer.display.xdotool("click", 1)
            mouse.wait_for_click()
            for _ in range(steps):
                viewer.display.xdotool("mousemove_relative", "--", *step)
            # The first motion may be where it begins to count.
            mouse.wait_for_way([each * steps for each in step], max(map(abs, step)))
            viewer.display.xdotool("click", 1)
            mouse.wait_for_click()
    return f"{steps} movements by {step} and two clicks, none of them absolute"


def positions(case):
    """TigerVNC knows only positions. The first one that arrives is taken for where the target's pointer is; pushed
    into a corner, both are there."""
    width, height = SIZE
    with served(case, [STILL], options=TARGET) as bridge, Display(case.folder) as display:
        with TigerViewer(display, bridge.port, case.folder) as viewer:
            mouse = Mouse(case)

            def go(x, y):
                display.xdotool("mousemove", "--window", viewer.window, x, y)

            viewer.click(300, 200)
            mouse.wait_for_click()
            go(450, 150)
            mouse.wait_for_way((150, -50))
            go(0, 0)
            mouse.wait_for_way((-450 - width, -150 - height))
            go(10, 20)
            mouse.wait_for_way((10, 20))
            go(width - 1, height - 1)
            mouse.wait_for_way((width - 1 - 10 + width, height - 1 - 20 + height))
            viewer.click(width - 1, height - 1)
            mouse.wait_for_click()
    return "the ways between positions, to the count, and both corners pushed into"


CASES = {
    "gtk-vnc-relative": grabbing,
    "tigervnc-relative": positions,
}
