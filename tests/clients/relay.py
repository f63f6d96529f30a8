"""Between a client and rfbridge: hands on every byte, counts the rectangles that pass, and can ask for the whole
screen anew in the client's name."""

import collections
import socket
import struct
import threading

from processes import Failed, wait_for

RAW, COPY_RECT, ZLIB, TIGHT, ZRLE, TIGHT_PNG = 0, 1, 6, 7, 16, -260
DESKTOP_SIZE, LAST_RECT, DESKTOP_NAME, LED_STATE, EXTENDED_DESKTOP_SIZE = -223, -224, -307, -261, -308
VMWARE_LED_STATE = 0x574D5668
EMPTY = (-257, -258, -316)
"""Pseudo-encodings whose rectangles have no payload."""


class Relay:
    """Listens at `port` for clients without a password, one after the other."""

    def __init__(self, server_port):
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.rectangles = collections.Counter()
        """By encoding; `JPEG` are those of Tight that are one."""
        self.bytes = 0
        self.whole = 0
        """Updates that painted all of the screen anew."""
        self.problem = None
        self._connection = None
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        if self._connection:
            self._connection.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._connection = Connection(self, client, socket.create_connection(("127.0.0.1", self._server_port)))

    def refresh(self):
        """Asks for the whole screen and waits until it has passed."""
        before = self.whole
        self._connection.ask_for_all()
        wait_for("the whole screen has passed", lambda: self.check() and self.whole > before)

    def check(self):
        if self.problem:
            raise Failed(f"between client and rfbridge: {self.problem}")
        return True


class End(Exception):
    """A connection has ended."""


class Connection:
    def __init__(self, relay, client, server):
        self.relay, self.client, self.server = relay, client, server
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.size = (0, 0)
        self.pixel = self.tight_pixel = 4
        self._extended_buttons = False
        self._to_server = threading.Lock()
        self._ready = threading.Event()
        for work in (self._follow_server, self._follow_client):
            threading.Thread(target=self._run, args=[work], daemon=True).start()

    def close(self):
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _run(self, work):
        try:
            work()
        except (End, OSError):
            pass
        except Exception as problem:
            self.relay.problem = repr(problem)
        finally:
            self._ready.set()
            self.close()

    def ask_for_all(self):
        with self._to_server:
            self.server.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, *self.size))

    # From the server.

    def _pass(self, count):
        """Hands on so many bytes of the server's, and gives them."""
        taken = bytearray()
        while len(taken) < count:
            piece = self.server.recv(min(count - len(taken), 1 << 20))
            if not piece:
                raise End
            self.client.sendall(piece)
            taken += piece
        self.relay.bytes += count
        return bytes(taken)

    def _number(self, letter):
        return struct.unpack(">" + letter, self._pass(struct.calcsize(letter)))[0]

    def _follow_server(self):
        self._pass(12)
        self._pass(self._number("B"))  # security types
        self._pass(4)  # its result
        self.size = struct.unpack(">HH", self._pass(4))
        self._set_format(self._pass(16))
        self._pass(self._number("I"))
        self._ready.set()
        while True:
            kind = self._number("B")
            if kind == 0:
                self._update()
            elif kind == 1:
                self._pass(3)
                self._pass(6 * self._number("H"))
            elif kind == 3:
                self._pass(3)
                self._pass(abs(self._number("i")))  # below zero: of the extended clipboard
            elif kind == 248:
                self._pass(7)
                self._pass(self._number("B"))
            elif kind != 150:
                raise ValueError(f"message {kind} from rfbridge")

    def _update(self):
        self._pass(1)
        painted = 0
        for _ in range(self._number("H")):
            _, _, width, height, encoding = struct.unpack(">HHHHi", self._pass(12))
            if encoding == LAST_RECT:
                break
            if encoding in (DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE):
                self.size = width, height
            if self._rectangle(width, height, encoding):
                self.relay.rectangles[encoding] += 1
                painted += width * height * (encoding != COPY_RECT)
        self.relay.whole += painted >= self.size[0] * self.size[1]

    def _rectangle(self, width, height, encoding):
        """Whether it paints something."""
        if encoding == RAW:
            self._pass(width * height * self.pixel)
        elif encoding == COPY_RECT:
            self._pass(4)
        elif encoding in (ZLIB, ZRLE):
            self._pass(self._number("I"))
        elif encoding in (TIGHT, TIGHT_PNG):
            self._tight(width, height)
        else:
            self._extension(encoding)
            return False
        return True

    def _extension(self, encoding):
        if encoding == -316:
            self._extended_buttons = True
        if encoding == EXTENDED_DESKTOP_SIZE:
            self._pass(3 + 16 * self._number("B"))
        elif encoding == DESKTOP_NAME:
            self._pass(self._number("I"))
        elif encoding in (LED_STATE, VMWARE_LED_STATE):
            self._pass(1 if encoding == LED_STATE else 4)
        elif encoding != DESKTOP_SIZE and encoding not in EMPTY:
            raise ValueError(f"encoding {encoding} from rfbridge")

    def _tight(self, width, height):
        control = self._number("B")
        kind = control >> 4
        if kind == 8:
            self._pass(self.tight_pixel)
            return
        if kind in (9, 10):
            self.relay.rectangles["JPEG"] += kind == 9
            self._pass(self._compact())
            return
        row = width * self.tight_pixel
        if kind & 4 and self._number("B") == 1:  # a palette
            colours = self._number("B") + 1
            self._pass(colours * self.tight_pixel)
            row = (width + 7) // 8 if colours == 2 else width
        self._pass(row * height if row * height < 12 else self._compact())

    def _compact(self):
        value = 0
        for shift in (0, 7, 14):
            byte = self._number("B")
            value |= (byte & (0x7F if shift < 14 else 0xFF)) << shift
            if not byte & 0x80:
                break
        return value

    def _set_format(self, data):
        bits, depth, _, true_colour, red, green, blue = struct.unpack(">BBBBHHH", data[:10])
        self.pixel = bits // 8
        is_full = bits == 32 and depth == 24 and true_colour and (red, green, blue) == (255, 255, 255)
        self.tight_pixel = 3 if is_full else self.pixel

    # From the client: message by message, so that another can go between two.

    def _take(self, count):
        while count:
            piece = self.client.recv(count)
            if not piece:
                raise End
            self._taken += piece
            count -= len(piece)
        return bytes(self._taken)

    def _send(self):
        with self._to_server:
            self.server.sendall(self._taken)
        self._taken = bytearray()

    def _follow_client(self):
        self._taken = bytearray()
        for count in (12, 1, 1):  # version, security type, ClientInit
            self._take(count)
            self._send()
        self._ready.wait()
        while True:
            self._message()
            self._send()

    def _message(self):
        [kind] = self._take(1)
        if kind == 0:
            self._set_format(self._take(19)[4:])
        elif kind == 2:
            self._take(4 * struct.unpack(">H", self._take(3)[2:])[0])
        elif kind == 5:
            has_more = self._take(5)[1] & 0x80 and self._extended_buttons
            self._take(1 if has_more else 0)
        elif kind == 6:
            self._take(abs(struct.unpack(">i", self._take(7)[4:])[0]))
        elif kind == 248:
            self._take(self._take(8)[8])
        elif kind == 251:
            self._take(16 * self._take(7)[6])
        elif kind in FIXED:
            self._take(FIXED[kind] - 1)
        else:
            raise ValueError(f"message {kind} from the client")


FIXED = {3: 10, 4: 8, 150: 10, 255: 12}
"""Messages of one length: requests, keys, continuous updates, keys by position."""
