"""The processes of a test: each with its log, awaited by condition, ended by its own id."""

import os
import re
import shutil
import subprocess
import threading
import time


class Failed(Exception):
    """A check that did not hold, in words."""


def wait_for(what, condition, seconds=30.0, pause=0.1):
    """Polls `condition` until it gives something true, and gives that. `what` says what was awaited."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not so after {seconds:.0f} s")
        time.sleep(pause)


def need(tool):
    path = shutil.which(tool)
    if path is None:
        raise Failed(f"{tool} is not installed; contrib/ci/clients.sh installs what is needed")
    return path


class Process:
    """A child with standard error in a file, ended when the case ends."""

    def __init__(self, name, command, log_folder, **more):
        self.name = name
        self.log = log_folder / f"{name}.log"
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.DEVNULL)
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen([str(part) for part in command], stderr=log, **more)

    def check_alive(self):
        if self.child.poll() is not None:
            raise Failed(f"{self.name} ended with status {self.child.returncode}; see {self.log}")
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode


class Bridge(Process):
    """rfbridge, up once its `listening on` line is read."""

    def __init__(self, binary, arguments, log_folder):
        command = [binary, *arguments, "--listen", "127.0.0.1:0"]
        super().__init__("rfbridge", command, log_folder, stdout=subprocess.PIPE, text=True)
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()
        self.port = wait_for("rfbridge says where it listens", self._port, 20)

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line)

    def _port(self):
        for line in list(self.lines):
            if found := re.match(r"listening on \S+:(\d+)$", line):
                return int(found[1])
        self.check_alive()
        return None

    def __exit__(self, kind, *_):
        already_dead = self.child.poll() is not None
        status = self.stop()
        if kind is None and (already_dead or status != 0):
            raise Failed(f"rfbridge ended with status {status}, not 0 at SIGTERM; see {self.log}")


class Display(Process):
    """An X server without a screen, on a display number that it chooses itself."""

    def __init__(self, log_folder, width=2048, height=1200):
        read, write = os.pipe()
        # Without -noreset it starts anew, refusing connections, whenever its last client leaves: xdotool, say.
        command = [need("Xvfb"), "-displayfd", write, "-noreset", "-nolisten", "tcp"]
        command += ["-screen", "0", f"{width}x{height}x24"]
        try:
            super().__init__("xvfb", command, log_folder, pass_fds=[write])
        finally:
            os.close(write)
        with open(read) as ready:
            number = ready.readline().strip()
        if not number:
            raise Failed(f"Xvfb did not start; see {self.log}")
        self.name_of_display = f":{number}"

    def xdotool(self, *arguments):
        result = subprocess.run(
            [need("xdotool"), *map(str, arguments)],
            env=os.environ | {"DISPLAY": self.name_of_display},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return result.stdout if result.returncode == 0 else ""


class TigerViewer(Process):
    """TigerVNC's viewer with its defaults. Without a window manager its window lies at its own place,
    has no frame, and gets the keyboard when told."""

    def __init__(self, display, port, log_folder, options=()):
        home = log_folder / "home"
        home.mkdir(exist_ok=True)
        self.display = display
        super().__init__(
            "vncviewer",
            [need("xtigervncviewer"), "-Shared", *options, f"127.0.0.1::{port}"],
            log_folder,
            env=os.environ | {"DISPLAY": display.name_of_display, "HOME": str(home)},
        )
        self.window = wait_for("the viewer opens its window", self._window)

    def _window(self):
        self.check_alive()
        found = self.display.xdotool("search", "--onlyvisible", "--name", " TigerVNC$").split()
        return found[0] if found else None

    def box(self):
        """(x, y, width, height) of its picture on the display."""
        self.check_alive()
        shell = self.display.xdotool("getwindowgeometry", "--shell", self.window)
        value = dict(line.split("=") for line in shell.split())
        if "HEIGHT" not in value:
            raise Failed(f"the viewer's window is gone; see {self.log}")
        return tuple(int(value[key]) for key in ("X", "Y", "WIDTH", "HEIGHT"))

    def focus(self):
        def focused():
            self.display.xdotool("windowfocus", self.window)
            return self.display.xdotool("getwindowfocus").strip() == self.window

        wait_for("the viewer has the keyboard", focused)

    def type(self, text):
        self.display.xdotool("type", "--delay", 40, text)

    def click(self, x, y, button=1):
        """At (x, y) of its picture. Buttons 4 and 5 are the wheel, up and down."""
        self.display.xdotool("mousemove", "--window", self.window, x, y)
        self.display.xdotool("click", button)

    def keys(self, *names):
        self.display.xdotool("key", "--delay", 80, *names)


class Viewer(Process):
    """Any viewer that shows its picture on a display, wherever its window lies and whatever it has around it."""

    def __init__(self, display, name, command, log_folder):
        home = log_folder / "home"
        home.mkdir(exist_ok=True, mode=0o700)
        surroundings = {"DISPLAY": display.name_of_display, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
        super().__init__(name, [need(command[0]), *command[1:]], log_folder, env=os.environ | surroundings)
        self.display = display

    def focus(self, x, y):
        """Gives the keyboard to what lies at (x, y) of the display. The program may pass it on within itself."""
        self.check_alive()
        self.display.xdotool("mousemove", x, y)
        found = re.search(r"WINDOW=(\d+)", self.display.xdotool("getmouselocation", "--shell"))
        if found is not None:
            self.display.xdotool("windowfocus", found[1])

    def kill(self):
        """Ends it as a crash would: it lets go of nothing."""
        self.check_alive()
        self.child.kill()
        self.child.wait()


class Feed:
    """A target's screen through a FIFO, as JPEGs, five in a second."""

    def __init__(self, path, jpeg):
        os.mkfifo(path)
        self.source = f"pipe:{path}"
        self._path, self._jpeg = path, jpeg
        threading.Thread(target=self._write, daemon=True).start()

    def show(self, jpeg):
        self._jpeg = jpeg

    def _write(self):
        try:
            with open(self._path, "wb", buffering=0) as fifo:
                while True:
                    jpeg = memoryview(self._jpeg)
                    while jpeg:
                        jpeg = jpeg[fifo.write(jpeg) :]
                    time.sleep(0.2)
        except BrokenPipeError:
            pass  # rfbridge has ended


def run(name, command, log_folder, seconds=30, **more):
    """Runs a tool to its end and gives what it printed; its failure is the case's."""
    log = log_folder / f"{name}.log"
    more.setdefault("stdin", subprocess.DEVNULL)
    with open(log, "wb") as output:
        try:
            status = subprocess.run(
                [str(part) for part in command],
                stdout=output,
                stderr=output,
                timeout=seconds,
                **more,
            ).returncode
        except subprocess.TimeoutExpired:
            raise Failed(f"{name}: not done after {seconds} s; see {log}") from None
    if status != 0:
        raise Failed(f"{name} ended with status {status}; see {log}")
    return log.read_text(errors="replace")


def vncdo(vncdo_path, port, log_folder, *actions, password=None):
    """Runs vncdo and gives its exit status."""
    command = [vncdo_path, "-s", f"127.0.0.1::{port}", "--delay", "40"]
    command += ["-p", password] if password else []
    with open(log_folder / "vncdo.log", "ab") as log:
        try:
            return subprocess.run(
                [str(part) for part in command + list(actions)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=60,
            ).returncode
        except subprocess.TimeoutExpired:
            raise Failed(f"vncdo {' '.join(map(str, actions))}: not done after 60 s") from None
