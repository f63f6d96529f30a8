"""What a `--record` file says was typed and pointed at: HID reports read as a USB host reads them."""

import json
import struct

SHIFT = 0x22  # left or right, in the modifier byte

LETTERS = {0x04 + i: (chr(ord("a") + i), chr(ord("A") + i)) for i in range(26)}
DIGITS = dict(zip(range(0x1E, 0x28), zip("1234567890", "!@#$%^&*()")))
OTHERS = {
    0x2C: (" ", " "),
    0x2D: ("-", "_"),
    0x2E: ("=", "+"),
    0x2F: ("[", "{"),
    0x30: ("]", "}"),
    0x31: ("\\", "|"),
    0x33: (";", ":"),
    0x34: ("'", '"'),
    0x35: ("`", "~"),
    0x36: (",", "<"),
    0x37: (".", ">"),
    0x38: ("/", "?"),
}
US_LAYOUT = LETTERS | DIGITS | OTHERS


def _of(function, size, path):
    """The reports of one HID function, in order. A last line still being written is left for the next look."""
    reports = []
    if not path.exists():
        return reports
    for line in path.read_text().splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        entry = json.loads(line)
        if entry["function"] == function:
            report = bytes.fromhex(entry["report"])
            if len(report) != size:
                raise ValueError(f"{path}: {function} reports have {size} bytes, not {len(report)}: {line}")
            reports.append(report)
    return reports


def keyboard(path):
    """The reports of the boot keyboard: modifiers, a reserved byte, six usages."""
    return _of("keyboard", 8, path)


def pointer(path):
    """(buttons, x, y, wheel) of each report of the absolute pointer; x and y go from 0 to 32767."""
    return [struct.unpack("<BHHbx", report) for report in _of("absolute", 7, path)]


def mouse(path):
    """(buttons, dx, dy) of each report of the relative mouse; down and right are positive."""
    return [struct.unpack("<Bbbxx", report) for report in _of("relative", 5, path)]


def presses(reports):
    """(modifiers, usage) of each key as it went down."""
    out, held = [], set()
    for report in reports:
        now = {usage for usage in report[2:] if usage}
        out += [(report[0], usage) for usage in report[2:] if usage and usage not in held]
        held = now
    return out


def text(reports):
    """What a target with the US layout would have read; other keys show as <usage>."""
    typed = ""
    for modifiers, usage in presses(reports):
        plain, shifted = US_LAYOUT.get(usage, (f"<{usage:02x}>",) * 2)
        typed += shifted if modifiers & SHIFT else plain
    return typed


def one_at_a_time(reports):
    """Whether every key was released before the next one went down, and all is released at the end."""
    return all(sum(map(bool, r[2:])) <= 1 for r in reports) and (not reports or not any(reports[-1]))
