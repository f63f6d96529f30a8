"""Clients that send characters, and a target with the German keyboard layout: what is read there is what was typed."""

import os
import unicodedata

import reports
from case import WORD
from checks import STILL, served
from desktop import Desktop
from libraries import libvncclient
from processes import Failed, Process, need, run, wait_for
from viewers import remmina
from watching import Look, Target, follow, has_keyboard

SHIFT, ALTGR = 0x22, 0x40
GERMAN = {
    # usage: the characters of the key alone, with Shift and with AltGr; combining ones are of dead keys
    0x04: "aAæ",
    0x05: "bB“",
    0x08: "eE€",
    0x0F: "lLł",
    0x14: "qQ@",
    0x16: "sSſ",
    0x1C: "zZ←",
    0x1D: "yY»",
    0x20: "3§³",
    0x2C: "   ",
    0x2D: "ß?\\",
    0x2F: "üÜ\N{COMBINING DIAERESIS}",
    0x2E: "\N{COMBINING ACUTE ACCENT}\N{COMBINING GRAVE ACCENT}\N{COMBINING CEDILLA}",
    0x33: "öÖ\N{COMBINING DOUBLE ACUTE ACCENT}",
}
"""The keys that are used here, by hand from a German keyboard."""
TARGET = ["--keyboard-layout", "de"]
TEXT = "Zyz ßöÖ?@éa"
"""All of it is in Latin-1, which some clients do not go beyond."""


def read(got):
    """What a target with the German layout makes of these reports; other keys show as <modifiers:usage>."""
    typed, accent = "", ""
    for modifiers, usage in reports.presses(got):
        levels = {False: {False: 0, True: 2}, True: {False: 1, True: 3}}
        level = levels[bool(modifiers & SHIFT)][bool(modifiers & ALTGR)]
        keys = GERMAN.get(usage, "")
        if level >= len(keys) or modifiers & ~(SHIFT | ALTGR):
            typed += f"<{modifiers:02x}:{usage:02x}>"
        elif unicodedata.combining(keys[level]):
            accent = keys[level]
        else:
            typed += unicodedata.normalize("NFC", keys[level] + accent)
            accent = ""
    return typed


def wait_for_text(case, text, before=0):
    """`text` arrived, with nothing held; but for any z before it, see `has_keyboard`."""

    def typed():
        return reports.keyboard(case.record)[before:]

    try:
        wait_for(f"reports that say {text!r}", lambda: read(typed()).lstrip("z") == text and not any(typed()[-1]))
    except Failed as failure:
        raise Failed(f"{failure}; they say {read(typed())!r}") from None


def vncdotool(case):
    """vncdo type sends each character alone, and what is not in Latin-1 as a bare code point."""
    text = TEXT + "€"
    with served(case, [STILL], options=TARGET) as bridge:
        if case.vncdo(bridge.port, "type", text) != 0:
            raise Failed(f"vncdo could not type; see {case.folder / 'vncdo.log'}")
        wait_for_text(case, text)
    return f"{text!r} on a German layout"


def library(case):
    """libvncclient sends characters as keysyms of Latin-1, without the keys that make them."""
    characters = os.fsdecode(TEXT.encode("latin-1"))
    with served(case, [STILL], options=TARGET) as bridge:
        command = libvncclient("raw", 32, -1)(case, bridge.port, None)
        command = [characters if part == WORD else part for part in command]
        with Process("libvncclient", [*command, case.folder / "shown.ppm"], case.folder):
            wait_for_text(case, TEXT)
    return f"{TEXT!r} on a German layout"


def by_hand(case):
    """A German keyboard at a viewer that sends characters: Shift and AltGr are held by the person, too."""
    text = "Zyz ßöÖ?@€a"
    with Target(case, options=TARGET) as target:
        start = remmina(target)
        with Desktop(case.folder, start.maximised) as desktop:
            run("setxkbmap", [need("setxkbmap"), "de"], case.folder, env=desktop.surroundings)
            with desktop.viewer(start) as viewer:
                follow(target, viewer, "first", Look())
                before = has_keyboard(target, viewer)
                viewer.display.xdotool("type", "--delay", 40, text)
                wait_for_text(case, text, before)
    return f"{text!r} from a German keyboard to a German layout"


CASES = {
    "vncdotool-layout": vncdotool,
    "libvncclient-layout": library,
    "remmina-layout": by_hand,
}
