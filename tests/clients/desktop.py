"""A desktop for viewers: a display, a window manager, a session bus, and a home that holds what a viewer is to
find configured, so that it asks nothing."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field

import picture
from processes import Display, Failed, Process, need, wait_for

WIDTH, HEIGHT = 1400, 1000
"""Room for the largest picture with menus, tool bars and a list of connections around it."""

WINDOW_MANAGER = """<openbox_config xmlns="http://openbox.org/3.4/rc">
  <applications>
    <application class="*" type="normal"><decor>no</decor>{rule}</application>
  </applications>
</openbox_config>
"""
MAXIMISED = "<maximized>yes</maximized>"

# Without folders of services: nothing is started that outlives the case or remembers anything.
SESSION_BUS = """<busconfig>
  <type>session</type>
  <listen>unix:tmpdir={folder}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass
class Start:
    """How a viewer is started, in its home: its command, the files that it finds there, whether its window gets
    all of the display, and what a person would have to do before it shows a picture."""

    command: list
    files: dict = field(default_factory=dict)
    maximised: bool = False
    by_hand: Callable | None = None


class Desktop:
    """Where viewers are shown. A viewer is started with `viewer`, any number of them one after the other."""

    def __init__(self, folder, maximised=False, size=(WIDTH, HEIGHT)):
        self.folder, self.size = folder, size
        self.home = folder / "home"
        self._rule = MAXIMISED if maximised else ""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.home.mkdir(mode=0o700, exist_ok=True)
            self.display = stack.enter_context(Display(self.folder, *self.size))
            own = ("XDG_", "WAYLAND_")
            self.surroundings = {key: value for key, value in os.environ.items() if not key.startswith(own)} | {
                "DISPLAY": self.display.name_of_display,
                "HOME": str(self.home),
                "XDG_RUNTIME_DIR": str(self.home),
                # Settings in a file of the home, no service behind them; no bus for screen readers.
                "GSETTINGS_BACKEND": "keyfile",
                "NO_AT_BRIDGE": "1",
                "LC_ALL": "C.UTF-8",
            }
            self.surroundings["DBUS_SESSION_BUS_ADDRESS"] = stack.enter_context(SessionBus(self)).address
            stack.enter_context(WindowManager(self, self._rule))
            self._ending = stack.pop_all()
        return self

    def __exit__(self, *what):
        return self._ending.__exit__(*what)

    def write(self, path, content):
        """A file in the home."""
        path = self.home / path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o600)
        return path

    def viewer(self, start):
        return Viewer(self, start)


class SessionBus(Process):
    """A D-Bus session bus, up once it has said its address."""

    def __init__(self, desktop):
        configuration = desktop.write("session-bus.conf", SESSION_BUS.format(folder=tempfile.gettempdir()))
        read, write = os.pipe()
        command = [need("dbus-daemon"), "--nofork", f"--config-file={configuration}", f"--print-address={write}"]
        try:
            super().__init__("dbus-daemon", command, desktop.folder, pass_fds=[write], env=desktop.surroundings)
        finally:
            os.close(write)
        with open(read) as ready:
            self.address = ready.readline().strip()
        if not self.address:
            raise Failed(f"the session bus did not start; see {self.log}")


class WindowManager(Process):
    """Openbox, up once it answers for the display. It gives a new window the keyboard, and no frame."""

    def __init__(self, desktop, rule):
        configuration = desktop.write("openbox.xml", WINDOW_MANAGER.format(rule=rule))
        command = [need("openbox"), "--config-file", configuration]
        super().__init__("openbox", command, desktop.folder, env=desktop.surroundings)
        wait_for("the window manager is up", lambda: self.check_alive() and desktop.display.xdotool("get_num_desktops"))


class Viewer(Process):
    """Any viewer that shows its picture on a desktop, wherever its window lies and whatever it has around it."""

    def __init__(self, desktop, start):
        for path, content in start.files.items():
            desktop.write(path, content)
        program, *arguments = start.command
        self.display, self.folder = desktop.display, desktop.folder
        self._by_hand = start.by_hand
        self.place = None
        """Where its picture was last seen on the display."""
        super().__init__(
            pathlib.Path(program).name,
            [need(program), *arguments],
            desktop.folder,
            env=desktop.surroundings,
            cwd=desktop.home,
        )

    def help(self):
        """Does what a person would have to do, as long as it shows no picture."""
        if self.place is None and self._by_hand is not None:
            self._by_hand(self.display)

    def shot(self, name):
        """What the display shows, kept as NAME.png."""
        self.check_alive()
        shown = picture.grab(self.display.name_of_display)
        picture.save(shown, self.folder / f"{name}.png")
        return shown

    def point(self, x, y):
        """Moves the pointer to (x, y) of its picture, if it shows one."""
        if self.place is not None:
            self.display.xdotool("mousemove", self.place[0] + x, self.place[1] + y)

    def kill(self):
        """Ends it as a crash would: it lets go of nothing."""
        self.check_alive()
        self.child.kill()
        self.child.wait()
