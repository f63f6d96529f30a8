"""vncdotool: one command line that captures, waits for a screen, types and clicks."""

import numpy

import picture
import reports
from case import WORD
from checks import EXACT, MOVING, PASSWORD, PLACE, STILL, nearest, served, wait_for_click, wait_for_word
from processes import Failed, wait_for


def picture_at_rest(case):
    """vncdo captures exactly the picture that is served, of whatever size."""
    card = picture.test_card(1000, 601)
    with served(case, [card]) as bridge:
        if not numpy.array_equal(case.capture(bridge.port, "captured"), card):
            raise Failed(f"vncdo captured another picture; see {case.folder}")
    return f"{card.shape[1]}×{card.shape[0]}, every pixel equal"


def script(case):
    """What scripts do: wait for a screen among those that pass by, and for a part of one, click, type, capture."""
    awaited = case.folder / "awaited-screen.png"
    part, (x, y, width, height) = case.folder / "awaited-part.png", (0, 60, 500, 300)
    picture.save(MOVING[4], awaited)
    picture.save(MOVING[2][y : y + height, x : x + width], part)
    captured = case.folder / "captured.png"
    with served(case, MOVING) as bridge:
        actions = ["expect", awaited, 0, "move", *PLACE, "click", 1, "rexpect", part, x, y, 0, "type", WORD]
        if case.vncdo(bridge.port, *actions, "capture", captured) != 0:
            raise Failed(f"vncdo did not come to its end; see {case.folder / 'vncdo.log'}")
        number, likeness = nearest(picture.load(captured), MOVING)
        if likeness < EXACT:
            raise Failed(f"captured a picture that never was: {likeness:.1f} dB of number {number}; see {captured}")
        wait_for_click(case)
        wait_for_word(case)
        picture.save(STILL, awaited)
        if case.vncdo(bridge.port, "--timeout", 3, "expect", awaited, 0) == 0:
            raise Failed("vncdo found a screen that was never served")
    return f"waited for a screen and for a part of one, clicked, typed {WORD!r}, every pixel equal"


def typing(case):
    """vncdo, which sends keysyms without Shift, types "aA!?" as a US keyboard would."""
    text = "aA!?"
    with case.bridge("demo") as bridge:
        if case.vncdo(bridge.port, "type", text) != 0:
            raise Failed(f"vncdo could not type; see {case.folder / 'vncdo.log'}")

        def arrived():
            got = reports.keyboard(case.record)
            return got if len(reports.presses(got)) >= len(text) and not any(got[-1]) else None

        got = wait_for("the reports of four keys, all released", arrived)
        pressed = [(bool(m & reports.SHIFT), usage) for m, usage in reports.presses(got)]
        expected = [(False, 0x04), (True, 0x04), (True, 0x1E), (True, 0x38)]
        if pressed != expected:
            raise Failed(f"pressed {pressed}, not {expected}: (Shift, usage)")
        if not reports.one_at_a_time(got):
            raise Failed(f"a key went down before the one before was up: {[r.hex() for r in got]}")
        others = [m for m, _ in reports.presses(got) if m & ~reports.SHIFT]
        if others:
            raise Failed(f"modifiers other than Shift were held: {others}")
    return " ".join(f"Shift+{u:02x}" if s else f"{u:02x}" for s, u in pressed) + ", each released"


def password(case):
    """The right password lets vncdo in, a wrong one does not."""
    with served(case, [STILL], PASSWORD) as bridge:
        captured, refused = case.folder / "in.png", case.folder / "out.png"
        if case.vncdo(bridge.port, "capture", captured, password=PASSWORD) != 0:
            raise Failed("the right password was refused")
        if not numpy.array_equal(picture.load(captured), STILL):
            raise Failed(f"vncdo captured another picture; see {captured}")
        case.vncdo(bridge.port, "capture", refused, password="wrong")
        if refused.exists():
            raise Failed("a wrong password got a picture")
    return "right password in, wrong password out"


CASES = {
    "vncdotool-picture": picture_at_rest,
    "vncdotool-script": script,
    "vncdotool-typing": typing,
    "vncdotool-password": password,
}
