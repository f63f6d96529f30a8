#!/usr/bin/env python3
"""Real VNC clients against the real rfbridge: what they show, and what their keys become.

    run.py --bridge target/release/rfbridge [--table | case…]

Pictures and logs go to target/clients/CASE/. The exit status is 0 only if every case held and the table of
contrib/doc/clients.md names no client that the run has not proven; --table puts the run's own table there.
`contrib/ci/clients.sh` installs what this needs, builds rfbridge and runs it.
"""

import argparse
import pathlib
import sys
import time
import traceback

import browser
import clipboard
import encrypted
import layouts
import libraries
import menu
import packer_like
import page
import recorded
import relative
import resting
import table
import tigervnc
import tools
import viewers
import vncdo
import x2vnc
from case import ROOT, Case
from processes import Failed

CLIENTS_FOLDER = ROOT / "target" / "clients"
TABLE = CLIENTS_FOLDER / "table.md"
TABLE_OF_ALL = ROOT / "contrib" / "doc" / "clients.md"


CASES = tigervnc.CASES | viewers.CASES | x2vnc.CASES
CASES |= vncdo.CASES | tools.CASES | libraries.CASES | packer_like.CASES | browser.CASES | recorded.CASES | resting.CASES
CASES |= layouts.CASES | clipboard.CASES | menu.CASES | page.CASES | relative.CASES | encrypted.CASES


def main():
    options = parse()
    held = {}
    for name in options.cases or CASES:
        began = time.monotonic()
        print(f"{name} …", flush=True)
        try:
            outcome = "ok: " + CASES[name](Case(name, options))
        except Failed as failure:
            outcome = f"FAILED: {failure}"
        except Exception:
            outcome = "FAILED: " + traceback.format_exc()
        held[name] = outcome.startswith("ok: ")
        print(f"{name} {outcome} ({time.monotonic() - began:.1f} s)", flush=True)
    if not options.cases:
        write_table(held, options)
    if failed := [name for name in held if not held[name]]:
        sys.exit(f"clients: {len(failed)} failed: {', '.join(failed)}; see {CLIENTS_FOLDER}")
    if not options.cases:
        compare_table()
    print("clients: every case held")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = pathlib.Path(sys.executable).parent
    parser.add_argument("--bridge", type=pathlib.Path, required=True, help="the rfbridge program")
    parser.add_argument("--vncdo", default=beside / "vncdo", help="the vncdo program; Python's own by default")
    parser.add_argument("--node-modules", type=pathlib.Path, default="node_modules", help="where npm has put packages")
    parser.add_argument("--os-autoinst", type=pathlib.Path, default="os-autoinst", help="where os-autoinst is unpacked")
    parser.add_argument("--table", action="store_true", help="put the table that the run makes into contrib/doc/clients.md")
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)}; all by default")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    if options.table and options.cases:
        parser.error("the table is made from a run of every case")
    for case in CASES:
        table.client_of(case)
    return options


def write_table(held, options):
    TABLE.write_text(table.table(held, options))
    if options.table and all(held.values()):
        TABLE_OF_ALL.write_text(table.with_table(TABLE_OF_ALL.read_text(), TABLE.read_text()))


def compare_table():
    """Versions move by themselves; that a client is not proven any more is to be seen at once."""
    known, made = TABLE_OF_ALL.read_text(), TABLE.read_text()
    if unproven := table.unproven(known, made):
        sys.exit(f"clients: clients.md names {', '.join(unproven)}, not proven by this run; see {TABLE}, and --table")
    if made not in known:
        print(f"clients: the table of clients.md is older than {TABLE}; --table renews it")


if __name__ == "__main__":
    main()
