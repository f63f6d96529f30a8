"""Clients without a window: libraries and tools, each fetching the screen in its own way and typing a word."""

import sys

import numpy

import picture
import reports
from case import ALIKE, ROOT, WORD
from processes import Failed, Feed, Process, need, run, wait_for

PASSWORD = "correct1"
PASSWORD_IN_A_FILE = bytes.fromhex("0f1650c97107ddfd")
"""`PASSWORD` as vncpasswd stores it: scrambled with a key that everyone knows."""
HERE = ROOT / "tests" / "clients"


def still(case, name, shown):
    """A source that shows one picture for ever, without loss."""
    folder = case.folder / name
    folder.mkdir()
    picture.save(shown, folder / "screen.png")
    return f"replay:{folder}"


def expect_alike(path, wanted, what, enough=ALIKE):
    likeness = picture.psnr(picture.load(path), wanted)
    if likeness < enough:
        raise Failed(f"{what} got a picture of {likeness:.1f} dB; see {path}")


def expect_word(case, reports_before=0):
    """The word arrived, with nothing held."""

    def arrived():
        got = reports.keyboard(case.record)[reports_before:]
        return got if reports.text(got) == WORD and not any(got[-1]) else None

    wait_for(f"reports that spell {WORD!r}", arrived, 10)


def vncsnapshot(case):
    """vncsnapshot, which speaks RFB 3.3 and announces LastRect, gets the picture, with and without a password."""
    screen = picture.screen(800, 600, 1)
    source = still(case, "source", screen)
    password = case.folder / "vncpasswd"
    password.write_bytes(PASSWORD_IN_A_FILE)
    arguments = {"open": ([], []), "locked": (["--password-file", case.secret(PASSWORD)], ["-passwd", password])}
    for name, (for_bridge, for_client) in arguments.items():
        with case.serve(source, *for_bridge) as bridge:
            wait_for_source(case, bridge, screen, PASSWORD if for_bridge else None)
            path = case.folder / f"{name}.jpg"
            display = f"127.0.0.1:{bridge.port - 5900}"
            command = [need("vncsnapshot"), "-quality", "95", *for_client, display, path]
            run("vncsnapshot", command, case.folder)
            expect_alike(path, screen, f"vncsnapshot ({name})", enough=30.0)
    return "the picture, with and without a password"


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


def asyncvnc(case):
    """asyncvnc, which takes Zlib alone and asks once, gets the very picture, and what it types arrives."""
    screen = picture.screen(800, 600, 1)
    with case.serve(still(case, "source", screen), "--password-file", case.secret(PASSWORD)) as bridge:
        wait_for_source(case, bridge, screen, PASSWORD)
        path = case.folder / "captured.png"
        script = HERE / "asyncvnc_client.py"
        run("asyncvnc", [sys.executable, script, bridge.port, PASSWORD, WORD, path], case.folder)
        if not numpy.array_equal(picture.load(path), screen):
            raise Failed(f"asyncvnc got another picture; see {path}")
        expect_word(case)
    return f"every pixel equal, {WORD!r}"


def net_vnc(case):
    """Net::VNC gets the picture in 24 and 16 bits and through a colour map."""
    screen = picture.screen(800, 600, 1)
    with case.serve(still(case, "source", screen)) as bridge:
        wait_for_source(case, bridge, screen)
        for depth, enough in [(24, 60.0), (16, 30.0), (8, 20.0)]:
            path = case.folder / f"depth-{depth}.png"
            before = len(reports.keyboard(case.record))
            command = [need("perl"), HERE / "net_vnc_client.pl", bridge.port, depth, WORD, path]
            run(f"net-vnc-{depth}", command, case.folder)
            expect_alike(path, screen, f"Net::VNC at depth {depth}", enough)
            expect_word(case, before)
    return f"24, 16 and 8 bits, {WORD!r} each time"


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


def libvncclient(case):
    """libvncclient (Remmina, KRDC, Guacamole) reads every encoding in its formats, also after a change of mode."""
    program = case.folder / "libvncclient_client"
    run("gcc", [need("gcc"), "-O1", "-o", program, HERE / "libvncclient_client.c", "-lvncclient"], case.folder)
    shown, other = picture.screen(800, 600, 1), picture.screen(1024, 768, 3)
    feed = Feed(case.folder / "target", picture.jpeg(shown))
    with case.serve(feed.source) as bridge:
        wait_for_source(case, bridge, shown)
        for number, (encodings, bits, quality, enough) in enumerate(LIBVNCCLIENT):
            name = f"{number:02}-{encodings}-{bits}"
            folder = case.folder / name
            folder.mkdir()
            before = len(reports.keyboard(case.record))
            size = f"{other.shape[1]}x{other.shape[0]}"
            command = [program, bridge.port, encodings, bits, quality, size, WORD]
            with Process(name, command, case.folder, cwd=folder) as client:
                wait_for(f"{name} has the first picture", (folder / "before.ppm").exists, 10)
                feed.show(picture.jpeg(other))
                wait_for(f"{name} ends by itself", lambda: client.child.poll() is not None, 15)
                if client.child.returncode != 0:
                    raise Failed(f"{name} ended with status {client.child.returncode}; see {client.log}")
            expect_alike(folder / "before.ppm", shown, f"{name}, first,", enough)
            expect_alike(folder / "after.ppm", other, f"{name}, after the change of mode,", enough)
            expect_word(case, before)
            shown, other = other, shown
    return f"{len(LIBVNCCLIENT)} ways, each through a change of mode"


CASES = {
    "vncsnapshot": vncsnapshot,
    "asyncvnc": asyncvnc,
    "net-vnc": net_vnc,
    "libvncclient": libvncclient,
}
