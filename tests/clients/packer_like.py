"""A client that types and never looks, as Packer and other users of go-vnc do: it names no encodings, sets no
pixel format, asks for no picture, and writes each key in five pieces. Anything but silence would end its reader."""

import select
import socket
import struct
import warnings

import reports
from checks import MOVING, PASSWORD, served
from processes import Failed, wait_for

with warnings.catch_warnings():
    # DES is called decrepit, which it is; VNC's own authentication has nothing else.
    warnings.simplefilter("ignore")
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES

SHIFT = 0xFFE1
TEXT = 'linux /Boot/"vmlinuz" auto=TRUE url=http://10.0.2.2:8080/~a?b=c&d_e {x|y} <z>'
SHIFTED = '~!@#$%^&*()_+{}|:"<>?' + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BETWEEN = 0.02
"""Seconds between two key events, through which the server is listened to."""
SILENCE = 5.0
"""Seconds for which the server must be silent in all."""


class Typist:
    def __init__(self, port, password):
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._read(12) != b"RFB 003.008\n":
            raise Failed("the greeting is not that of RFB 3.8")
        self.stream.sendall(b"RFB 003.008\n")
        offered = self._read(self._read(1)[0])
        wanted = 2 if password else 1
        if wanted not in offered:
            raise Failed(f"security types {list(offered)} are offered, not {wanted}, the only one that it takes")
        self.stream.sendall(bytes([wanted]))
        if password:
            self.stream.sendall(answer(self._read(16), password))
        if self._read(4) != bytes(4):
            raise Failed("not let in")
        self.stream.sendall(b"\x01")
        self._read(20)
        self._read(*struct.unpack(">I", self._read(4)))
        self.quiet = 0.0

    def _read(self, count):
        data = b""
        while len(data) < count:
            piece = self.stream.recv(count - len(data))
            if not piece:
                raise Failed("the server closed the connection")
            data += piece
        return data

    def listen(self, seconds):
        if select.select([self.stream], [], [], seconds)[0]:
            raise Failed(f"unasked, the server sent {self.stream.recv(64).hex() or 'the end of the connection'}")
        self.quiet += seconds

    def key(self, keysym, down):
        """The type, the flag, two bytes of padding, the keysym: a write for each."""
        for piece in [b"\x04", bytes([down]), b"\x00", b"\x00", struct.pack(">I", keysym)]:
            self.stream.sendall(piece)
        self.listen(BETWEEN)

    def type(self, text):
        for character in text:
            shifted = character in SHIFTED
            if shifted:
                self.key(SHIFT, True)
            self.key(ord(character), True)
            self.key(ord(character), False)
            if shifted:
                self.key(SHIFT, False)


def answer(challenge, password):
    """VNC's: the challenge enciphered by DES with the password, the bits of each byte turned round."""
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode()[:8].ljust(8, b"\0"))
    return Cipher(TripleDES(key * 3), modes.ECB()).encryptor().update(challenge)


def packer_like(case):
    """It types through a moving screen, with and without a password, and the server is silent all the while."""
    for password in [None, PASSWORD]:
        with served(case, MOVING, password) as bridge:
            typist = Typist(bridge.port, password)
            typist.type(TEXT)

            def typed():
                got = reports.keyboard(case.record)
                return got if reports.text(got) == TEXT and not any(got[-1]) else None

            got = wait_for(f"reports that spell {TEXT!r}", typed, 20)
            check_shift(got)
            typist.listen(max(0.0, SILENCE - typist.quiet))
            typist.stream.close()
    return f"{len(TEXT)} characters, each Shift once, {SILENCE:.0f} s of silence, with and without a password"


def check_shift(got):
    """Shift goes down and up once for each character that it was sent with, and is not let go in between."""
    edges = [report[0] & reports.SHIFT for report in got]
    down = sum(1 for before, now in zip([0, *edges], edges) if now and not before)
    wanted = sum(character in SHIFTED for character in TEXT)
    if down != wanted:
        raise Failed(f"Shift went down {down} times, not {wanted}: {[report.hex() for report in got]}")


CASES = {"packer-like": packer_like}
