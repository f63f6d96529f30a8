"""The viewers with a window: how each is started, and what each is put through."""

from case import WORD
from desktop import Desktop, Start
from watching import (
    EXACT,
    LOSSY,
    PASSWORD,
    PASSWORD_IN_A_FILE,
    Look,
    Target,
    click,
    crash,
    follow,
    type_word,
    watch_moving,
)


def ini(section, settings):
    return f"[{section}]\n" + "".join(f"{key}={value}\n" for key, value in settings.items())


def password_file(target, option):
    """The option that names a file as vncpasswd writes it, and that file, where the target asks for a password."""
    return ([option, "password"], {"password": PASSWORD_IN_A_FILE}) if target.password else ([], {})


def tightvnc(target):
    options, files = password_file(target, "-passwd")
    return Start(["xtightvncviewer", *options, f"127.0.0.1::{target.port}"], files)


def ssvnc(target, *options):
    password, files = password_file(target, "-passwd")
    return Start(["ssvncviewer", *password, *options, f"127.0.0.1::{target.port}"], files)


def answer(title):
    """Types the password where a dialog of this title asks for it."""

    def type_password(display):
        if title in display.xdotool("getactivewindow", "getwindowname"):
            display.xdotool("type", PASSWORD)
            display.xdotool("key", "Return")

    return type_password


def gvncviewer(target):
    """It counts displays from port 5900."""
    return Start(["gvncviewer", f"127.0.0.1:{target.port - 5900}"], by_hand=answer("Authentication required"))


def vinagre(target):
    by_hand = answer("Remote Desktop Viewer") if target.password else None
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
    profile |= {"password": "XPOkY3ISRHo="} if target.password else {}
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
    answered = False

    def open_entry(display):
        nonlocal answered
        if not target.password or "disconnected" not in target.bridge.log.read_text():
            display.xdotool("mousemove", 100, 120, "click", 1)
        elif not answered:
            answered = True
            display.xdotool("type", PASSWORD)
            display.xdotool("key", "Return")

    return Start(["gnome-connections"], files, maximised=True, by_hand=open_entry)


def follows(start, look):
    """The case of a viewer that shows pictures in one way."""

    def case_of_viewer(case):
        with Target(case) as target:
            started = start(target)
            with Desktop(case.folder, started.maximised) as desktop, desktop.viewer(started) as viewer:
                follow(target, viewer, "first", look)
                click(target, viewer)
                type_word(target, viewer)
                watch_moving(target, viewer, look)
                follow(target, viewer, "larger", look)
                follow(target, viewer, "first", look, "first-again")
                crash(target, viewer)
        alike = "every pixel equal" if look.enough == EXACT else f"at least {look.enough:.0f} dB"
        return f"at rest, moving and in another mode ({alike}), {WORD!r}, a click, and all released after a crash"

    return case_of_viewer


def asks(start, look):
    """The case of a viewer that has to give a password."""

    def case_of_viewer(case):
        with Target(case, PASSWORD) as target:
            started = start(target)
            with Desktop(case.folder, started.maximised) as desktop, desktop.viewer(started) as viewer:
                follow(target, viewer, "first", look)
                click(target, viewer)
                type_word(target, viewer)
        return f"the picture and {WORD!r} with a password"

    return case_of_viewer


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
