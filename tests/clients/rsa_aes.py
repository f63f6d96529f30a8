"""RSA-AES as its specification has it, written apart from rfbridge's: a client that logs in, takes the first update and
types a word. For the types that no client which can be installed here speaks."""

import hashlib
import os
import socket
import struct

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

TYPES = {"RA2": (5, 16), "RA2ne": (6, 16), "RA2_256": (129, 32), "RA2ne_256": (130, 32)}
"""Number of the type, and bytes of its keys."""


class Refused(Exception):
    pass


class Eax:
    """One direction: AES in EAX mode by hand, from CMAC and CTR."""

    def __init__(self, key):
        self.key, self.count = key, 0

    def omac(self, kind, data):
        mac = CMAC(algorithms.AES(self.key))
        mac.update(bytes(15) + bytes([kind]) + data)
        return mac.finalize()

    def message(self, header, data, encrypt):
        nonce = self.omac(0, self.count.to_bytes(16, "little"))
        self.count += 1
        crypt = Cipher(algorithms.AES(self.key), modes.CTR(nonce)).encryptor()
        out = crypt.update(data)
        mac = self.omac(2, out if encrypt else data)
        return out, bytes(a ^ b ^ c for a, b, c in zip(nonce, self.omac(1, header), mac))

    def seal(self, plain):
        header = struct.pack(">H", len(plain))
        encrypted, tag = self.message(header, plain, True)
        return header + encrypted + tag

    def open(self, header, encrypted, tag):
        plain, expected = self.message(header, encrypted, False)
        if tag != expected:
            raise Refused("a message that is not authentic")
        return plain


class Client:
    def __init__(self, port, security, password, user=None):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.sealer, self.opener, self.plain = None, None, b""
        number, size = TYPES[security]
        self.handshake(number, size, user, password)

    def read_clear(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise Refused("the connection was closed")
            data += part
        return data

    def message(self):
        header = self.read_clear(2)
        return self.opener.open(header, self.read_clear(*struct.unpack(">H", header)), self.read_clear(16))

    def read(self, count):
        if not self.opener:
            return self.read_clear(count)
        while len(self.plain) < count:
            self.plain += self.message()
        data, self.plain = self.plain[:count], self.plain[count:]
        return data

    def send(self, data):
        self.socket.sendall(self.sealer.seal(data) if self.sealer else data)

    def handshake(self, number, size, user, password):
        self.read(12)
        self.send(b"RFB 003.008\n")
        offered = self.read(*self.read(1))
        if number not in offered:
            raise Refused(f"{number} is not among {list(offered)}")
        self.send(bytes([number]))
        server_key = self.read(4)
        length = (int.from_bytes(server_key, "big") + 7) // 8
        server_key += self.read(2 * length)
        modulus, exponent = (int.from_bytes(server_key[at : at + length], "big") for at in (4, 4 + length))
        public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        self.fingerprint = "-".join(f"{byte:02x}" for byte in hashlib.sha1(server_key).digest()[:8])

        private = rsa.generate_private_key(65537, 2048)
        own = private.public_key().public_numbers()
        client_key = struct.pack(">I", 2048) + own.n.to_bytes(256, "big") + own.e.to_bytes(256, "big")
        client_random = os.urandom(size)
        self.send(client_key)
        encrypted = public.encrypt(client_random, padding.PKCS1v15())
        self.send(struct.pack(">H", len(encrypted)) + encrypted)
        server_random = private.decrypt(self.read(*struct.unpack(">H", self.read(2))), padding.PKCS1v15())

        digest = hashlib.sha1 if size == 16 else hashlib.sha256
        sealer = Eax(digest(server_random + client_random).digest()[:size])
        self.opener = Eax(digest(client_random + server_random).digest()[:size])
        self.socket.sendall(sealer.seal(digest(client_key + server_key).digest()))
        if self.message() != digest(server_key + client_key).digest():
            raise Refused("the server saw other keys")
        subtype = self.message()[0]
        name = user.encode() if subtype == 1 else b""
        secret = password.encode()
        self.socket.sendall(sealer.seal(bytes([len(name)]) + name + bytes([len(secret)]) + secret))
        if number in (6, 130):
            self.opener = None
        else:
            self.sealer = sealer
        if result := int.from_bytes(self.read(4), "big"):
            raise Refused(self.read(int.from_bytes(self.read(4), "big")).decode() + f" ({result})")
        self.send(b"\x01")
        self.width, self.height = struct.unpack(">HH", self.read(4))
        self.read(16)
        self.read(int.from_bytes(self.read(4), "big"))

    def picture(self):
        """The whole screen, raw: height × width × (blue, green, red, nothing)."""
        import numpy

        screen = numpy.zeros((self.height, self.width, 4), numpy.uint8)
        self.send(struct.pack(">BBHHHH", 3, 0, 0, 0, self.width, self.height))
        for _ in range(struct.unpack(">xxH", self.read(4))[0]):
            x, y, width, height, encoding = struct.unpack(">HHHHi", self.read(12))
            if encoding:
                raise Refused(f"encoding {encoding}")
            pixels = numpy.frombuffer(self.read(width * height * 4), numpy.uint8)
            screen[y : y + height, x : x + width] = pixels.reshape(height, width, 4)
        return screen

    def key(self, symbol):
        for down in (1, 0):
            self.send(struct.pack(">BBxxI", 4, down, symbol))

    def click(self, x, y):
        for buttons in (0, 1, 0):
            self.send(struct.pack(">BBHH", 5, buttons, x, y))
