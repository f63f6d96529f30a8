"""A VNC client that measures: it finds the end of every update by its lengths and decodes nothing."""

import dataclasses
import socket
import struct
import threading
import time

RAW, TIGHT, ZRLE = 0, 7, 16
LAST_RECT, DESKTOP_SIZE = -224, -223
QUALITY_8, COMPRESSION_2 = -24, -254

# What a client that wants this encoding lists, in its order.
LISTS = {
    "Tight+JPEG q8": (TIGHT, RAW, LAST_RECT, DESKTOP_SIZE, QUALITY_8, COMPRESSION_2),
    "Tight lossless": (TIGHT, RAW, LAST_RECT, DESKTOP_SIZE, COMPRESSION_2),
    "ZRLE": (ZRLE, RAW, LAST_RECT, DESKTOP_SIZE, COMPRESSION_2),
    "Raw": (RAW, LAST_RECT, DESKTOP_SIZE),
}

BYTES_PER_PIXEL = 4
BYTES_PER_TPIXEL = 3


@dataclasses.dataclass
class Update:
    """One FramebufferUpdate: when its last byte was there (time.perf_counter), and what it held."""

    done: float
    bytes: int
    pixels: int
    rects: dict


class ProtocolError(Exception):
    pass


class Client:
    """Connects, asks for the whole screen once and for changes from then on, each time when an update is
    complete. `updates` is called in the reading thread with each Update."""

    def __init__(self, host, port, encodings, updates):
        self.socket = socket.create_connection((host, port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = memoryview(bytearray(1 << 20))
        self.start = self.end = 0
        self.consumed = 0
        self.failure = None
        self.closing = False
        self._handshake()
        self.socket.settimeout(None)
        self.socket.sendall(struct.pack(f">BxH{len(encodings)}i", 2, len(encodings), *encodings))
        self.updates = updates
        self._request(incremental=0)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.closing = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(5)
        self.socket.close()

    def _handshake(self):
        version = self._take(12)
        if not version.startswith(b"RFB 003."):
            raise ProtocolError(f"not a VNC server: {version!r}")
        self.socket.sendall(b"RFB 003.008\n")
        types = self._take(self._number("B"))
        if 1 not in types:
            raise ProtocolError(f"the server wants a password (security types {list(types)})")
        self.socket.sendall(b"\x01")
        if self._number("I") != 0:
            raise ProtocolError("refused: " + self._take(self._number("I")).decode("utf-8", "replace"))
        self.socket.sendall(b"\x01")
        self.width, self.height = self._numbers("HH")
        pixel_format = self._take(16)
        if pixel_format[0] != 32 or pixel_format[1] != 24 or not pixel_format[3]:
            raise ProtocolError(f"32 bits a pixel, depth 24 expected, not {pixel_format.hex()}")
        self._skip(self._number("I"))

    def _request(self, incremental):
        self.socket.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def _run(self):
        try:
            while True:
                self._message()
        except (OSError, EOFError, ProtocolError, struct.error) as failure:
            if not self.closing:
                self.failure = f"{type(failure).__name__}: {failure}"

    def _message(self):
        kind = self._number("B")
        if kind == 0:
            self._update()
        elif kind == 1:
            _, _, count = self._numbers("BHH")
            self._skip(6 * count)
        elif kind == 2:
            pass
        elif kind == 3:
            self._skip(3)
            self._skip(self._number("I"))
        else:
            raise ProtocolError(f"unknown message {kind}")

    def _update(self):
        before = self.consumed - 1
        _, count = self._numbers("BH")
        pixels, rects = 0, {}
        for _ in range(count):
            x, y, width, height, encoding = self._numbers("HHHHi")
            if encoding == LAST_RECT:
                break
            rects[encoding] = rects.get(encoding, 0) + 1
            if encoding == DESKTOP_SIZE:
                self.width, self.height = width, height
                continue
            if x + width > self.width or y + height > self.height:
                raise ProtocolError(f"{width}×{height} at {x},{y} leaves the {self.width}×{self.height} screen")
            pixels += width * height
            if encoding == RAW:
                self._skip(width * height * BYTES_PER_PIXEL)
            elif encoding == ZRLE:
                self._skip(self._number("I"))
            elif encoding == TIGHT:
                self._tight(width, height)
            else:
                raise ProtocolError(f"encoding {encoding} was not asked for")
        done = time.perf_counter()
        self._request(incremental=1)
        self.updates(Update(done, self.consumed - before, pixels, rects))

    def _tight(self, width, height):
        control = self._number("B")
        kind = control >> 4
        if kind == 8:  # fill
            self._skip(BYTES_PER_TPIXEL)
        elif kind == 9:  # JPEG
            self._skip(self._compact())
        elif kind < 8:
            size = width * height * BYTES_PER_TPIXEL
            if kind & 4:
                filter_id = self._number("B")
                if filter_id == 1:
                    colours = self._number("B") + 1
                    self._skip(colours * BYTES_PER_TPIXEL)
                    size = height * ((width + 7) // 8 if colours == 2 else width)
                elif filter_id not in (0, 2):
                    raise ProtocolError(f"unknown Tight filter {filter_id}")
            self._skip(size if size < 12 else self._compact())
        else:
            raise ProtocolError(f"unknown Tight control byte {control:#04x}")

    def _compact(self):
        length = 0
        for shift in (0, 7, 14):
            byte = self._number("B")
            if shift == 14:
                return length | byte << 14
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                return length

    def _number(self, form):
        return self._numbers(form)[0]

    def _numbers(self, form):
        form = ">" + form
        return struct.unpack(form, self._take(struct.calcsize(form)))

    def _take(self, count):
        """The next bytes; for small things."""
        out = bytearray()
        while len(out) < count:
            self._fill()
            part = self.buffer[self.start : min(self.end, self.start + count - len(out))]
            out += part
            self.start += len(part)
        self.consumed += count
        return bytes(out)

    def _skip(self, count):
        self.consumed += count
        while count:
            self._fill()
            step = min(count, self.end - self.start)
            self.start += step
            count -= step

    def _fill(self):
        if self.start == self.end:
            received = self.socket.recv_into(self.buffer)
            if received == 0:
                raise EOFError("the server closed the connection")
            self.start, self.end = 0, received
