#!/usr/bin/env python3
"""Measures rfbridge end to end with recorded screens, and prints a markdown table.

    contrib/bench/run.py [--bridge target/release/rfbridge] [--frames 300] [recording…]

Needs Python 3.11 and nothing else. Build first: cargo build --release.

How it measures. rfbridge serves `pipe:FIFO`. The bench writes one JPEG into the FIFO each 1/30 s, the way a
dongle delivers (a screen that stands still is the same JPEG again), and is itself the only client: it asks
for the next update as soon as one is complete, finds where updates end by their lengths, and decodes nothing.

- latency: from just before the first byte of a JPEG is written to the last byte of the update that shows it.
  When a changed frame's update is not there after 1/30 s, the next JPEG waits for it (at most 2 s), so
  that every update belongs to one frame; such frames are counted as late.
- CPU: user and system time of the rfbridge process over the whole run, per source frame, still ones too.
- bytes: all that the server sent after the first whole screen, per source frame.
"""

import argparse
import dataclasses
import os
import pathlib
import platform
import queue
import re
import select
import subprocess
import sys
import tempfile
import threading
import time

import rfbclient

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLOT = 1 / 30
PATIENCE = 2.0
WARM_UP = 10


def split_mjpeg(data):
    """The JPEGs of a concatenation. Inside a scan no FF D8 or FF D9 can occur, and these recordings have no
    thumbnails."""
    frames, at = [], 0
    while (start := data.find(b"\xff\xd8", at)) >= 0:
        at = data.index(b"\xff\xd9", start) + 2
        frames.append(data[start:at])
    return frames


def play_order(path):
    """The frames of a recording in the order they were captured. `NAME.mjpeg.idx`, if there is one, says
    which picture each frame shows; without it, each picture is one frame."""
    pictures = split_mjpeg(path.read_bytes())
    index = path.with_name(path.name + ".idx")
    if not index.exists():
        return pictures
    lines = index.read_text().splitlines()
    count, unique = map(int, lines[0].split()[-2:])
    if unique != len(pictures):
        raise SystemExit(f"{index}: speaks of {unique} pictures, {path.name} has {len(pictures)}")
    return [pictures[int(line)] for line in lines[1 + unique : 1 + unique + count]]


@dataclasses.dataclass
class Result:
    frames: int = 0
    changes: int = 0
    late: int = 0
    lost: int = 0
    bytes: int = 0
    cpu: float = 0.0
    seconds: float = 0.0
    peak_mib: float = 0.0
    latencies: list = dataclasses.field(default_factory=list)

    def row(self, recording, client):
        def milliseconds(share):
            if not self.latencies:
                return "–"
            ordered = sorted(self.latencies)
            return f"{1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.1f}"

        return (
            f"| {recording} | {client} | {1000 * self.cpu / self.frames:.2f} | {self.bytes / self.frames / 1000:.2f} "
            f"| {milliseconds(0.5)} | {milliseconds(0.99)} | {len(self.latencies)} / {self.changes} | {self.late} "
            f"| {self.frames / self.seconds:.1f} | {self.peak_mib:.0f} |"
        )


HEADER = """\
| recording | client | CPU ms / frame | KB / frame | p50 ms | p99 ms | shown / changes | late | frames/s | peak RSS MiB |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


class Bridge:
    """rfbridge on a FIFO, without HID."""

    def __init__(self, binary, fifo, log):
        command = [binary, "serve", "--source", f"pipe:{fifo}", "--sink", "null", "--listen", "127.0.0.1:0"]
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
        )
        self.lines = queue.Queue()
        threading.Thread(target=lambda: [self.lines.put(line) for line in self.child.stdout], daemon=True).start()
        deadline = time.monotonic() + 20
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self.stop()
                raise SystemExit(f"{' '.join(map(str, command))}: did not say where it listens; see {log.name}") from None
            if found := re.match(r"listening on \S+:(\d+)$", line):
                self.port = int(found[1])
                return

    def cpu(self):
        """User and system time in seconds, to the nanosecond, of threads that have ended too."""
        return time.clock_gettime((~self.child.pid << 3) | 2)  # CPUCLOCK_SCHED of that process

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def write_all(pipe, data):
    view = memoryview(data)
    while view:
        if not select.select([], [pipe], [], 10)[1]:
            raise SystemExit("rfbridge has taken nothing from the FIFO for 10 s")
        view = view[os.write(pipe, view) :]


def measure(binary, frames, encodings, count, log):
    with tempfile.TemporaryDirectory() as folder:
        fifo = pathlib.Path(folder) / "frames"
        os.mkfifo(fifo)
        bridge = Bridge(binary, fifo, log)
        # Read-write, so that opening does not wait for the reader, nor writing fail while it reopens.
        pipe = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        try:
            return feed(bridge, pipe, frames, encodings, count)
        finally:
            bridge.stop()
            os.close(pipe)


def feed(bridge, pipe, frames, encodings, count):
    updates = queue.Queue()
    # The first picture stands before the client comes, so that its first update is that picture.
    write_all(pipe, frames[0])
    client = rfbclient.Client("127.0.0.1", bridge.port, encodings, updates.put)
    result, previous, warm_until = Result(), frames[0], min(WARM_UP, count)
    try:
        while True:  # the first whole screen, and a slate before it perhaps
            try:
                updates.get(timeout=1.0)
            except queue.Empty:
                break
        for number in range(-warm_until, count):
            if number == 0:
                result = Result()
                cpu, began = bridge.cpu(), time.perf_counter()
            frame = frames[(number + warm_until) % len(frames)]
            start = time.perf_counter()
            write_all(pipe, frame)
            changed, previous = frame != previous, frame
            shown = collect(updates, client, start, changed, result)
            result.frames += 1
            if changed:
                result.changes += 1
                result.latencies += [shown - start] if shown else []
        result.cpu, result.seconds = bridge.cpu() - cpu, time.perf_counter() - began
        result.peak_mib = bridge.peak_mib()
        return result
    finally:
        client.close()


def collect(updates, client, start, changed, result):
    """Takes the updates of one slot and gives when the last one was complete."""
    shown, slot_end = None, start + SLOT
    while True:
        now = time.perf_counter()
        waiting = changed and shown is None
        until = start + PATIENCE if waiting else slot_end
        if client.failure:
            raise SystemExit(f"the client stopped: {client.failure}")
        if now >= until:
            break
        try:
            update = updates.get(timeout=until - now)
        except queue.Empty:
            break
        result.bytes += update.bytes
        if update.pixels:
            shown = update.done
    if changed and shown is None:
        result.lost += 1
    if changed and (shown is None or shown > slot_end):
        result.late += 1
    return shown


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} × {model[1] if model else platform.machine()}, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bridge", type=pathlib.Path, default=ROOT / "target" / "release" / "rfbridge")
    parser.add_argument("--frames", type=int, default=300, help="frames measured of each (default 300)")
    parser.add_argument("--client", action="append", choices=list(rfbclient.LISTS), help="repeatable; all by default")
    parser.add_argument("recordings", nargs="*", type=pathlib.Path, help="default: fixtures/screens/*.mjpeg")
    options = parser.parse_args()
    if not options.bridge.exists():
        parser.error(f"{options.bridge} does not exist: run cargo build --release")
    recordings = options.recordings or sorted((ROOT / "fixtures" / "screens").glob("*.mjpeg"))
    if not recordings:
        parser.error("no recordings in fixtures/screens")
    print(f"{time.strftime('%Y-%m-%d')}, {machine()}, load {os.getloadavg()[0]:.1f} at the start, {options.frames} frames each\n")
    print(HEADER, flush=True)
    with open(pathlib.Path(tempfile.gettempdir()) / f"rfbridge-bench-{os.getpid()}.log", "w") as log:
        for path in recordings:
            frames = play_order(path)
            for name in options.client or rfbclient.LISTS:
                result = measure(options.bridge, frames, rfbclient.LISTS[name], options.frames, log)
                print(result.row(path.stem, name), flush=True)
                if result.lost:
                    print(f"{path.stem}, {name}: {result.lost} changed frames brought no update", file=sys.stderr)


if __name__ == "__main__":
    main()
