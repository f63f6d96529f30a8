"""Tools that fetch the screen and end, or that only show it: run again and again where it moves."""

import os
import pty
import termios

import picture
from checks import (
    EXACT,
    MOVING,
    PASSWORD,
    STILL,
    check_alike,
    in_words,
    nearest,
    served,
    wait_until_moved,
)
from processes import Failed, Process, need, run, wait_for

PASSWORD_IN_A_FILE = bytes.fromhex("0f1650c97107ddfd")
"""`PASSWORD` as vncpasswd stores it: scrambled with a key that everyone knows."""


def snapshots(name, take, enough):
    """The case of a tool that saves the screen and ends: `take(case, port, password, name)` runs it and gives the
    file."""

    def case_of_tool(case):
        for password in [None, PASSWORD]:
            with served(case, [STILL], password) as bridge:
                path = take(case, bridge.port, password, "locked" if password else "open")
                check_alike(path, STILL, name, enough)
        with served(case, MOVING) as bridge:
            wait_until_moved(lambda: picture.load(take(case, bridge.port, None, "moving")), name, case.folder, enough)
        return f"{in_words(enough)} at rest and moving, with and without a password"

    case_of_tool.__doc__ = f"{name} gets a screen at rest and one that moves, with and without a password."
    return case_of_tool


def vncsnapshot(case, port, password, name):
    """It speaks RFB 3.3, announces LastRect and counts displays from port 5900."""
    path = case.folder / f"{name}.jpg"
    scrambled = case.folder / "vncpasswd"
    scrambled.write_bytes(PASSWORD_IN_A_FILE)
    options = ["-passwd", scrambled] if password else []
    run("vncsnapshot", [need("vncsnapshot"), "-quality", "95", *options, f"127.0.0.1:{port - 5900}", path], case.folder)
    return path


def gvnccapture(case, port, password, name):
    """gtk-vnc's, which asks for the password on its terminal."""
    path = case.folder / f"{name}.png"
    path.unlink(missing_ok=True)
    command = [need("gvnccapture"), "--quiet", f"127.0.0.1:{port - 5900}", path]
    if not password:
        run("gvnccapture", command, case.folder)
        return path
    ours, its = pty.openpty()
    try:
        with Process("gvnccapture", command, case.folder, stdin=its, stdout=its) as tool:
            # Whoever asks for a password turns the echo off, and throws away what was typed before.
            wait_for("gvnccapture asks for the password", lambda: not termios.tcgetattr(ours)[3] & termios.ECHO)
            os.write(ours, password.encode() + b"\n")
            wait_for("gvnccapture ends by itself", lambda: tool.child.poll() is not None)
            if tool.child.returncode != 0:
                raise Failed(f"gvnccapture ended with status {tool.child.returncode}; see {tool.log}")
    finally:
        os.close(ours)
        os.close(its)
    return path


def gstreamer(case):
    """GStreamer's rfbsrc gives the screen as its first frame, and another frame at every change."""
    for password in [None, PASSWORD]:
        with served(case, [STILL], password) as bridge:
            (frame,) = frames(case, "still", bridge.port, password, 1)
            check_alike(frame, STILL, "rfbsrc", EXACT)
        with served(case, MOVING, password) as bridge:
            seen = set()
            for frame in frames(case, "moving", bridge.port, password, 10):
                number, likeness = nearest(picture.load(frame), MOVING)
                if likeness < EXACT:
                    raise Failed(f"rfbsrc has a picture that never was: {likeness:.1f} dB; see {frame}")
                seen.add(number)
        if len(seen) < len(MOVING):
            raise Failed(f"of {len(MOVING)} pictures rfbsrc showed only {sorted(seen)}")
    return "every pixel equal at rest and moving, with and without a password"


def frames(case, name, port, password, count):
    """The files of as many frames as were asked for."""
    folder = case.folder / f"{name}-{'locked' if password else 'open'}"
    folder.mkdir()
    locked = [f"password={password}"] if password else []
    source = ["rfbsrc", "host=127.0.0.1", f"port={port}", *locked, f"num-buffers={count}"]
    sink = ["videoconvert", "!", "pngenc", "!", "multifilesink", f"location={folder}/%02d.png"]
    run("gst-launch", [need("gst-launch-1.0"), *source, "!", *sink], case.folder)
    files = sorted(folder.glob("*.png"))
    if len(files) != count:
        raise Failed(f"rfbsrc was asked for {count} frames and gave {len(files)}; see {folder}")
    return files


CASES = {
    "vncsnapshot": snapshots("vncsnapshot", vncsnapshot, 30.0),
    "gvnccapture": snapshots("gvnccapture", gvnccapture, EXACT),
    "gstreamer": gstreamer,
}
