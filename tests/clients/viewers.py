"""The viewers with a window: how each is started, and what each is put through."""

import re

from checks import EXACT, PASSWORD
from desktop import Start
from tools import PASSWORD_IN_A_FILE
from watching import LOSSY, NEAR, SIZE, Look, asks, follows, ways


def ini(section, settings):
    return f"[{section}]\n" + "".join(f"{key}={value}\n" for key, value in settings.items())


def password_file(target, option):
    """The option that names a file as vncpasswd writes it, and that file, where the target asks for a password."""
    return ([option, "password"], {"password": PASSWORD_IN_A_FILE}) if target.password else ([], {})


def tightvnc(target, *options):
    password, files = password_file(target, "-passwd")
    return Start(["xtightvncviewer", *password, *options, f"127.0.0.1::{target.port}"], files)


def ssvnc(target, *options):
    password, files = password_file(target, "-passwd")
    return Start(["ssvncviewer", *password, *options, f"127.0.0.1::{target.port}"], files)


def answer(asks):
    """Types the password, once, when `asks(display)`."""
    answered = False

    def by_hand(display):
        nonlocal answered
        if not answered and asks(display):
            answered = True
            display.xdotool("type", PASSWORD)
            display.xdotool("key", "Return")

    return by_hand


def by_dialog(display):
    """A window that has the keyboard and is smaller than any picture asks for the password."""
    width = re.search(r"^WIDTH=(\d+)", display.xdotool("getactivewindow", "getwindowgeometry", "--shell"), re.M)
    return width is not None and int(width[1]) < SIZE[0] // 2


def gvncviewer(target):
    """It counts displays from port 5900."""
    by_hand = answer(by_dialog) if target.password else None
    return Start(["gvncviewer", f"127.0.0.1:{target.port - 5900}"], by_hand=by_hand)


def vinagre(target):
    by_hand = answer(by_dialog) if target.password else None
    return Start(["vinagre", f"127.0.0.1::{target.port}"], maximised=True, by_hand=by_hand)


def remote_viewer(target):
    settings = {"type": "vnc", "host": "127.0.0.1", "port": target.port}
    settings |= {"password": target.password} if target.password else {}
    return Start(["remote-viewer", "target.vv"], {"target.vv": ini("virt-viewer", settings)})


def remmina(target, quality=9, depth=32):
    """Qualities are 0 (poor), 1, 2 and 9 (best). It stores a password encrypted, with a secret of its own."""
    profile = {
        "name": "target",
        "protocol": "VNC",
        "server": f"127.0.0.1:{target.port}",
        "quality": quality,
        "colordepth": depth,
        "viewmode": 1,
        "window_maximize": 1,
    }
    profile |= {"password": "XPOkY3ISRHq0u6CAqc/uYw=="} if target.password else {}
    preferences = {"secret": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="}
    files = {
        "target.remmina": ini("remmina", profile),
        ".config/remmina/remmina.pref": ini("remmina_pref", preferences),
    }
    return Start(["remmina", "-c", "target.remmina"], files)


def krdc(target, quality=0):
    """Qualities are 0 (high), 1 and 2 (low). Bookmarks that it finds nowhere it makes in the system's folders,
    where it may, so it finds some."""
    general = {"ShowPreferencesForNewConnections": "false", "WalletSupport": "false", "ResizeOnConnect": "false"}
    files = {
        ".config/krdcrc": ini("General", general) + ini("VNC", {"Quality": quality}),
        ".local/share/krdc/bookmarks.xml": "<!DOCTYPE xbel>\n<xbel/>\n",
    }
    password = f":{target.password}@" if target.password else ""
    return Start(["krdc", f"vnc://{password}127.0.0.1:{target.port}"], files, maximised=True)


def gnome_connections(target):
    """It takes an address on its command line, but then scales every picture to its window: so its list has an
    entry that says otherwise, and that is opened. When asked for a password it hangs up and asks in turn."""
    entry = {"protocol": "vnc", "host": "127.0.0.1", "port": target.port, "uri": f"vnc://127.0.0.1:{target.port}"}
    entry |= {"display-name": "target", "scale-mode": "original"}
    files = {
        ".config/connections.db": ini("00000000-0000-4000-8000-000000000000", entry),
        ".config/glib-2.0/settings/keyfile": ini("org/gnome/Connections", {"first-run": "false"}),
    }
    def hung_up(_):
        return "disconnected" in target.bridge.log.read_text()

    give_password = answer(hung_up)

    def by_hand(display):
        if target.password and hung_up(display):
            give_password(display)
        else:
            display.xdotool("mousemove", 100, 120, "click", 1)

    return Start(["gnome-connections"], files, maximised=True, by_hand=by_hand)


VIEWERS = {
    "tightvnc": (tightvnc, Look(LOSSY, scales=True)),
    "ssvnc": (ssvnc, Look(LOSSY)),
    "gtk-vnc": (gvncviewer, Look(LOSSY, scales=True)),
    "remote-viewer": (remote_viewer, Look()),
    "gnome-connections": (gnome_connections, Look()),
    "vinagre": (vinagre, Look()),
    "remmina": (remmina, Look()),
    "krdc": (krdc, Look()),
}
CASES = {f"{name}-follows": follows(*viewer) for name, viewer in VIEWERS.items()}
CASES |= {f"{name}-password": asks(*viewer) for name, viewer in VIEWERS.items()}

TIGHTVNC = [
    # (name, options, encoding, look)
    ("Tight", ("-encodings", "tight", "-nojpeg"), "Tight", Look(EXACT, scales=True)),
    ("Zlib", ("-encodings", "zlib", "-nojpeg"), "Zlib", Look(EXACT, scales=True)),
    ("Hextile", ("-encodings", "hextile", "-nojpeg"), "Hextile", Look(EXACT, scales=True)),
    ("RRE", ("-encodings", "rre", "-nojpeg"), "RRE", Look(EXACT, scales=True)),
    ("8 bits", ("-encodings", "tight", "-bgr233"), "Tight", Look(NEAR, levels=(8, 8, 4), scales=True)),
]
SSVNC = [
    # With encodings of its own it asks for JPEG whatever else it is told, where Tight is among them.
    ("Tight", ("-nojpeg",), "Tight", Look(EXACT)),
    ("JPEG", ("-encodings", "tight", "-quality", "5"), "Tight", Look(LOSSY)),
    ("ZRLE", ("-encodings", "zrle"), "ZRLE", Look(EXACT)),
    ("Zlib", ("-encodings", "zlib"), "Zlib", Look(EXACT)),
    ("8 bits", ("-encodings", "tight", "-bgr233"), "Tight", Look(NEAR, levels=(8, 8, 4))),
]
REMMINA = [
    # (name, (quality, depth), encoding, look)
    ("quality 0", (0, 32), "ZRLE", Look(EXACT)),
    ("quality 1", (1, 32), "Tight", Look(LOSSY)),
    ("quality 2", (2, 32), "Tight", Look(LOSSY)),
    ("quality 9", (9, 32), "Zlib", Look(EXACT)),
    ("24 bits", (9, 24), "Zlib", Look(EXACT)),
    ("16 bits", (9, 16), "Zlib", Look(NEAR, levels=(32, 32, 32))),
    ("8 bits", (9, 8), "Zlib", Look(EXACT, levels=(8, 8, 4))),
    ("quality 0 in 8 bits", (0, 8), "ZRLE", Look(EXACT, levels=(8, 8, 4))),
]
KRDC = [
    ("high", (0,), "Zlib", Look(EXACT)),
    ("medium", (1,), "Tight", Look(38.0, levels=(32, 64, 32))),
    ("low", (2,), "ZRLE", Look(EXACT, levels=(8, 8, 4), darker=True)),
]
CASES |= {
    "tightvnc-encodings": ways(tightvnc, TIGHTVNC),
    "ssvnc-encodings": ways(ssvnc, SSVNC),
    "remmina-qualities": ways(remmina, REMMINA),
    "krdc-qualities": ways(krdc, KRDC),
}
