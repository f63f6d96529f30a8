"""Libraries, each through a small program of ours that uses it as its users do."""

import sys

import picture
import reports
from case import ALIKE
from checks import (
    EXACT,
    HERE,
    MOVING,
    PASSWORD,
    STILL,
    Latest,
    arguments,
    library,
    served,
    wait_for_click,
    wait_for_source,
    wait_for_word,
    wait_until_moved,
    wait_until_shown,
)
from processes import Failed, Feed, need, run, wait_for


def python(script):
    def command(case, port, password):
        return [sys.executable, HERE / script, *arguments(port, password)]

    return command


def net_vnc(depth):
    def command(case, port, password):
        return [need("perl"), HERE / "net_vnc_client.pl", depth, *arguments(port, password)]

    return command


def os_autoinst(depth):
    """At this depth; 0 is the server's own."""

    def command(case, port, password):
        modules = [case.os_autoinst / "usr/lib/os-autoinst"]
        modules += [found.parent for found in case.os_autoinst.glob("usr/lib/*/perl5/*/tinycv.pm")]
        if len(modules) < 2:
            raise Failed(f"{case.os_autoinst}: no os-autoinst; contrib/ci/clients.sh unpacks it")
        with_modules = [part for folder in modules for part in ("-I", folder)]
        return [need("perl"), *with_modules, HERE / "os_autoinst_client.pl", depth, *arguments(port, password)]

    return command


def os_autoinst_waits(case):
    """Before a screen that stands still, os-autoinst asks for a sign of life every two seconds, and logs in anew
    when it gets none."""
    with served(case, [STILL]) as bridge:
        command = os_autoinst(0)(case, bridge.port, None)
        with Latest("os-autoinst", command, case.folder / "at-rest") as client:
            wait_until_shown(client.look, STILL, "os-autoinst")

            def said():
                client.check_alive()
                return client.log.read_text(errors="replace")

            wait_for("three signs of life", lambda: said().count("a sign of life") >= 3)
            if "stalled" in said():
                raise Failed(f"os-autoinst waited for a sign of life in vain; see {client.log}")
            wait_until_shown(client.look, STILL, "os-autoinst")
    return "three signs of life asked for and given"


def javascript(script, *options):
    def command(case, port, password):
        return [need("node"), *options, HERE / script, case.node_modules, *arguments(port, password)]

    return command


def libvncclient(encodings, bits, quality):
    def command(case, port, password):
        program = case.folder / "libvncclient_client"
        if not program.exists():
            source = HERE / "libvncclient_client.c"
            run("gcc", [need("gcc"), "-O1", "-Wall", "-o", program, source, "-lvncclient"], case.folder, 60)
        return [program, encodings, bits, quality, *arguments(port, password)]

    return command


LIBVNCCLIENT = [
    # (encodings, bits per pixel, JPEG quality or -1, decibels)
    ("default", 32, 5, ALIKE),
    ("tight", 32, -1, ALIKE),
    ("zrle", 32, -1, ALIKE),
    ("trle", 32, -1, ALIKE),
    ("zlib", 32, -1, ALIKE),
    ("hextile", 32, -1, ALIKE),
    ("rre", 32, -1, ALIKE),
    ("raw", 32, -1, ALIKE),
    ("tight", 16, 5, 28.0),
    ("zrle", 16, -1, 28.0),
    ("tight", 8, 5, 20.0),
    ("zlib", 8, -1, 20.0),
]


def libvncclient_modes(case):
    """libvncclient reads every encoding in its formats, before and after a change of mode."""
    shown, other = STILL, picture.screen(1024, 768, 3)
    feed = Feed(case.folder / "target", picture.jpeg(shown))
    with case.serve(feed.source) as bridge:
        wait_for_source(case, bridge, shown)
        for number, (encodings, bits, quality, enough) in enumerate(LIBVNCCLIENT):
            name = f"{number:02}-{encodings}-{bits}"
            before = len(reports.keyboard(case.record)), len(reports.pointer(case.record))
            command = libvncclient(encodings, bits, quality)(case, bridge.port, None)
            with Latest(name, command, case.folder / name) as client:
                wait_until_shown(client.look, shown, name, enough)
                height, width = shown.shape[:2]
                wait_for_click(case, before[1], (width, height))
                wait_for_word(case, before[0])
                feed.show(picture.jpeg(other))
                wait_until_shown(client.look, other, f"{name}, after the change of mode,", enough)
            shown, other = other, shown
    return f"{len(LIBVNCCLIENT)} ways, each through a change of mode"


def libvncclient_moving(case):
    """libvncclient shows a moving screen in each lossless encoding, every picture of it whole."""
    ways = [way for way in LIBVNCCLIENT if way[1:3] == (32, -1)]
    with served(case, MOVING, PASSWORD) as bridge:
        for encodings, bits, quality, _ in ways:
            command = libvncclient(encodings, bits, quality)(case, bridge.port, PASSWORD)
            with Latest(encodings, command, case.folder / encodings) as client:
                wait_until_moved(client.look, encodings, client.log.parent, EXACT)
    return f"every pixel equal in {', '.join(way[0] for way in ways)}, with a password"


CASES = {
    "asyncvnc": library("asyncvnc", python("asyncvnc_client.py")),
    "pytest-vnc": library("pytest-vnc", python("pytest_vnc_client.py")),
    "net-vnc-24": library("Net::VNC", net_vnc(24)),
    "net-vnc-16": library("Net::VNC at depth 16", net_vnc(16), 30.0),
    "net-vnc-8": library("Net::VNC with a colour map", net_vnc(8), 20.0),
    "libvncclient-modes": libvncclient_modes,
    "libvncclient-moving": libvncclient_moving,
    "os-autoinst-24": library("os-autoinst", os_autoinst(0)),
    "os-autoinst-16": library("os-autoinst at its default depth for hardware", os_autoinst(16), 30.0),
    "os-autoinst-waits": os_autoinst_waits,
    "rfb2": library("rfb2", javascript("rfb2_client.js")),
    # Node's OpenSSL has DES, which VNC's password needs, among the legacy algorithms.
    "vnc-rfb-client": library("vnc-rfb-client", javascript("vnc_rfb_client.js", "--openssl-legacy-provider")),
}
