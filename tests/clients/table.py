"""The table of clients in contrib/doc/clients.md: which there are, and what a run says about them.

A case belongs to the client whose key its name begins with; of several, to that with the longest key. A client is
proven by a run in which all of its cases held. A new client is one more line in `CLIENTS`.
"""

import dataclasses
import importlib.metadata
import json
import re
import subprocess
from typing import Callable

BEGIN, END = "<!-- clients: made by contrib/ci/clients.sh --table -->", "<!-- clients end -->"


@dataclasses.dataclass(frozen=True)
class Client:
    key: str
    name: str
    version: Callable
    """Gives the version that ran, as its package says, from the options of the run."""
    how: str
    """What one enters to connect."""
    know: str = ""


def debian(package):
    def version(_options):
        query = ["dpkg-query", "--show", "--showformat=${Version}", package]
        return subprocess.run(query, check=True, capture_output=True, text=True).stdout

    return version


def unpacked(options):
    """Of os-autoinst, which contrib/ci/clients.sh leaves unpacked, with the package's control file beside it."""
    return re.search(r"^Version: (.+)$", (options.os_autoinst / "control").read_text(), re.MULTILINE)[1]


def pip(package):
    return lambda _options: importlib.metadata.version(package)


def npm(package):
    return lambda options: json.loads((options.node_modules / package / "package.json").read_text())["version"]


def ours(_options):
    return "-"


CLIENTS = [
    Client(
        "tigervnc",
        "TigerVNC",
        debian("tigervnc-viewer"),
        "`vncviewer kvm`",
        "keys go by position, whatever the layout on either side",
    ),
    Client(
        "tightvnc",
        "TightVNC",
        debian("xtightvncviewer"),
        "`xtightvncviewer kvm`",
        "keeps its window's size: another mode is scaled to it",
    ),
    Client(
        "page",
        "Chromium, on rfbridge's page",
        debian("chromium"),
        "`http://kvm:5800`",
        "keys by position; the page is shown by noVNC, Debian's or npm's",
    ),
    Client("ssvnc", "SSVNC", debian("ssvnc"), "`ssvncviewer kvm`"),
    Client("remmina", "Remmina", debian("remmina"), "`remmina -c vnc://kvm:5900`"),
    Client("remote-viewer", "virt-viewer", debian("virt-viewer"), "`remote-viewer vnc://kvm:5900`", "keys by position"),
    Client("krdc", "KRDC", debian("krdc"), "`krdc vnc://kvm:5900`"),
    Client(
        "gnome-connections",
        "GNOME Connections",
        debian("gnome-connections"),
        "`gnome-connections vnc://kvm:5900`",
        "keys by position",
    ),
    Client("vinagre", "Vinagre", debian("vinagre"), "`vinagre vnc://kvm:5900`", "keys by position"),
    Client("gtk-vnc", "gtk-vnc", debian("gvncviewer"), "`gvncviewer kvm`", "keys by position"),
    Client("gvnccapture", "gvnccapture", debian("gvncviewer"), "`gvnccapture kvm screen.png`", "asks for the password"),
    Client(
        "x2vnc",
        "x2vnc",
        debian("x2vnc"),
        "`x2vnc -east kvm:5900`",
        "shows nothing; the pointer leaves your screen for the target's",
    ),
    Client(
        "novnc-npm",
        "noVNC (npm)",
        npm("@novnc/novnc"),
        "`websockify 6080 kvm:5900`, `new RFB(element, \"ws://…:6080\")`",
        "keys by position",
    ),
    Client(
        "novnc-debian",
        "noVNC (Debian)",
        debian("novnc"),
        "`websockify --web /usr/share/novnc 6080 kvm:5900`",
        "keys by position",
    ),
    Client(
        "vncdotool",
        "vncdotool",
        pip("vncdotool"),
        "`vncdo -s kvm -p SECRET type hello key enter capture screen.png`",
        "`kvm::5901` for another port",
    ),
    Client(
        "os-autoinst",
        "os-autoinst",
        unpacked,
        "`consoles::VNC`",
        "at its own depth for hardware, 16, and at 24",
    ),
    Client("pytest-vnc", "pytest-vnc", pip("pytest-vnc"), "`vnc_host`, `vnc_port`, `vnc_passwd` in pytest's settings"),
    Client("asyncvnc", "asyncvnc", pip("asyncvnc"), "`asyncvnc.connect(\"kvm\", 5900, password=…)`"),
    Client("net-vnc", "Net::VNC", debian("libnet-vnc-perl"), "`Net::VNC->new({ hostname => \"kvm\", password => … })`"),
    Client("libvncclient", "libvncclient", debian("libvncclient1"), "`serverHost`, `serverPort`, `GetPassword`"),
    Client("rfb2", "rfb2", npm("rfb2"), "`rfb2.createConnection({ host, port, password })`"),
    Client(
        "vnc-rfb-client",
        "vnc-rfb-client",
        npm("vnc-rfb-client"),
        "`new VncClient({ fps: 10 }).connect({ host, port, password })`",
        "a password needs `node --openssl-legacy-provider`",
    ),
    Client("vncsnapshot", "vncsnapshot", debian("vncsnapshot"), "`vncsnapshot kvm:0 screen.jpg`"),
    Client(
        "gstreamer",
        "GStreamer",
        debian("gstreamer1.0-plugins-bad"),
        "`gst-launch-1.0 rfbsrc host=kvm password=SECRET ! …`",
        "gives a frame when the screen changes",
    ),
    Client(
        "rsa-aes",
        "a script that speaks RSA-AES",
        ours,
        "as `RA2`, `RA2ne`, `RA2_256`, `RA2ne_256`",
        "written from the specification, for want of a client in Debian",
    ),
    Client(
        "packer-like",
        "a script that does as Packer does",
        ours,
        "as for a `boot_command`",
        "types and never asks for a picture",
    ),
]


def client_of(case):
    found = [client for client in CLIENTS if f"{case}-".startswith(f"{client.key}-")]
    if not found:
        raise ValueError(f"case {case} begins with the key of no client; see CLIENTS in {__file__}")
    return max(found, key=lambda client: len(client.key))


def table(held, options):
    """The rows of the clients that were run; `held` says of each case whether it did."""
    cases = {}
    for case in held:
        cases.setdefault(client_of(case).key, []).append(case)
    rows = ["| client | version | how | to know |", "|---|---|---|---|"]
    for client in CLIENTS:
        if client.key not in cases:
            continue
        failed = [case for case in cases[client.key] if not held[case]]
        how, know = (f"**failed**: {', '.join(failed)}", "") if failed else (client.how, client.know)
        cells = [client.name, short(client.version(options)), how, know]
        rows.append("|" + "".join(f" {cell} |" if cell else " |" for cell in cells))
    return "\n".join(rows) + "\n"


def short(version):
    """The first two numbers of a package's version: the rest is packaging, or moves every week."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)?)", version)
    return found[1] if found else version


def unproven(text, made):
    """The clients that the table names and the one just made does not, or not as proven."""

    def names(rows):
        rows = [row.split(" | ") for row in rows.splitlines()]
        return [row[0].strip("| ") for row in rows if len(row) > 1 and "**failed**" not in row[2]]

    return [name for name in names(parts(text)[1]) if name not in names(made)]


def with_table(text, made):
    before, _, after = parts(text)
    return before + made + after


def parts(text):
    """The text before, in and after the table, the markers apart from it."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"it has not one {BEGIN} and one {END}")
    before, rest = text.split(BEGIN + "\n")
    inside, after = rest.split(END)
    return before + BEGIN + "\n", inside, END + after
