"""What every case is given, and what all of them measure by."""

import pathlib
import shutil

import picture
from processes import Bridge, Failed, vncdo

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures" / "screens"
ALIKE = 36.0
"""Decibels from which two pictures count as the same screen, one of them having gone through JPEG. (A dark
screen with red and blue swapped still gets 31.)"""
WORD = "Bridge42"
"""What is typed where only letters and digits are wanted."""


class Case:
    """What a case is given: the tools, and a folder of its own."""

    def __init__(self, name, options):
        self.folder = ROOT / "target" / "clients" / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.bridge_path, self.vncdo_path = options.bridge, options.vncdo
        self.node_modules, self.os_autoinst = options.node_modules.resolve(), options.os_autoinst.resolve()
        self.record = self.folder / "reports.jsonl"

    def bridge(self, *arguments):
        return Bridge(self.bridge_path, [*arguments, "--record", self.record], self.folder)

    def serve(self, source, *arguments):
        return self.bridge("serve", "--source", source, "--sink", "null", *arguments)

    def vncdo(self, port, *actions, password=None):
        return vncdo(self.vncdo_path, port, self.folder, *actions, password=password)

    def capture(self, port, name):
        """The screen as vncdo gets it, lossless."""
        path = self.folder / f"{name}.png"
        path.unlink(missing_ok=True)
        if self.vncdo(port, "capture", path) != 0:
            raise Failed(f"vncdo could not capture; see {self.folder / 'vncdo.log'}")
        return picture.load(path)

    def shown(self, display, viewer):
        return picture.grab(display.name_of_display, viewer.box())

    def secret(self, password):
        """A file for `--password-file`."""
        path = self.folder / "password"
        path.touch(mode=0o600)
        path.write_text(password + "\n")
        return path
