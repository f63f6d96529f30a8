#!/usr/bin/env python3
"""Real VNC clients against the real rfbridge: what they show, and what their keys become.

    run.py --bridge target/release/rfbridge --vncdo PATH [case…]

Pictures and logs go to target/clients/CASE/. The exit status is 0 only if every case held.
`contrib/ci/clients.sh` installs what this needs, builds rfbridge and runs it.
"""

import argparse
import pathlib
import sys
import time
import traceback

import numpy

import picture
import reports
import tigervnc
import tools
import viewers
import x2vnc
from case import ROOT, Case
from processes import Failed, wait_for


def vncdo_picture(case):
    """vncdo captures exactly the picture that is served."""
    folder = case.folder / "source"
    folder.mkdir()
    card = picture.test_card(1000, 601)
    picture.save(card, folder / "card.png")
    with case.serve(f"replay:{folder}") as bridge:

        def captured():
            return numpy.array_equal(case.capture(bridge.port, "captured"), card)

        wait_for("vncdo captures the very picture", captured, 20)
    return f"{card.shape[1]}×{card.shape[0]}, every pixel equal"


def vncdo_typing(case):
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


def vncdo_password(case):
    """The right password lets vncdo in, a wrong one does not."""
    with case.bridge("demo", "--password-file", case.secret("correct1")) as bridge:
        if case.vncdo(bridge.port, "capture", case.folder / "in.png", password="correct1") != 0:
            raise Failed("the right password was refused")
        refused = case.folder / "out.png"
        case.vncdo(bridge.port, "capture", refused, password="wrong")
        if refused.exists():
            raise Failed("a wrong password got a picture")
    return "right password in, wrong password out"


CASES = {
    "vncdo-picture": vncdo_picture,
    "vncdo-typing": vncdo_typing,
    "vncdo-password": vncdo_password,
} | tigervnc.CASES | viewers.CASES | x2vnc.CASES | tools.CASES


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bridge", type=pathlib.Path, required=True, help="the rfbridge program")
    parser.add_argument("--vncdo", default="vncdo", help="the vncdo program")
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)}; all by default")
    options = parser.parse_args()
    unknown = set(options.cases) - set(CASES)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    failed = []
    for name in options.cases or CASES:
        began = time.monotonic()
        print(f"{name} …", flush=True)
        try:
            outcome = "ok: " + CASES[name](Case(name, options))
        except Failed as failure:
            failed.append(name)
            outcome = f"FAILED: {failure}"
        except Exception:
            failed.append(name)
            outcome = "FAILED: " + traceback.format_exc()
        print(f"{name} {outcome} ({time.monotonic() - began:.1f} s)", flush=True)
    if failed:
        sys.exit(f"clients: {len(failed)} failed: {', '.join(failed)}; see {ROOT / 'target' / 'clients'}")
    print("clients: every case held")


if __name__ == "__main__":
    main()
