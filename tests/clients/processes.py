"""The processes of a test: each with its log, awaited by condition, ended by its own id."""

import itertools
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
    """rfbridge, up once its `listening on` line is read. Without a control socket unless one is named: several run at
    the same time, and root's is the same for all of them."""

    def __init__(self, binary, arguments, log_folder):
        command = [binary, *arguments, "--listen", "127.0.0.1:0"]
        command += [] if "--control-socket" in arguments else ["--control-socket", "none"]
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


class Feed:
    """A target's screen through a FIFO, as JPEGs, five in a second: one for as long as it is shown, or several
    played once or over and over."""

    def __init__(self, path, jpeg):
        os.mkfifo(path)
        self.source = f"pipe:{path}"
        self._path = path
        self.show(jpeg)
        threading.Thread(target=self._write, daemon=True).start()

    def show(self, jpeg):
        self.play([jpeg])

    def play(self, jpegs):
        self._next = itertools.cycle(jpegs)

    def play_once(self, jpegs):
        """From the first to the last, which then stays."""
        self._next = itertools.chain(jpegs, itertools.repeat(jpegs[-1]))

    def _write(self):
        try:
            with open(self._path, "wb", buffering=0) as fifo:
                while True:
                    jpeg = memoryview(next(self._next))
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
