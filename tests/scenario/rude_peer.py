"""A device that meets others as it should, and then says to them what a test wants: docs/peer-protocol.md in
Python's own TLS."""

import base64
import ctypes
import hashlib
import hmac
import socket
import ssl
import struct

from hubs import PATIENCE, until
from members import login, register

PROTOCOL = "kith-peer/1"
PROOF, NOMINATE, RESUME, WANT, ACK, PING, PONG, CLOSE = range(1, 9)
TALK, BULK = 16, 17


def numbers(*values):
    return struct.pack(f">{len(values)}Q", *values)


def frame(kind, payload=b""):
    return struct.pack(">IB", len(payload), kind) + payload


def text_message(number, text):
    return bytes([1]) + numbers(number) + text


def delivered(number):
    return bytes([2]) + numbers(number)


def expand(hash_name, secret, label, context, length):
    """RFC 8446, section 7.1: HKDF-Expand-Label, of one block at most."""
    label = b"tls13 " + label
    info = struct.pack(">HB", length, len(label)) + label + bytes([len(context)]) + context
    return hmac.new(secret, info + b"\1", hash_name).digest()[:length]


def exporter(tls, key_log):
    """RFC 8446, section 7.5: 32 bytes that both ends of a connection know. Python logs their source."""
    name = "sha384" if "SHA384" in tls.cipher()[0] else "sha256"
    for line in reversed(key_log.read_text().splitlines()):
        if line.startswith("EXPORTER_SECRET "):
            secret = bytes.fromhex(line.split()[2])
            break
    nothing = hashlib.new(name).digest()
    label = expand(name, secret, b"EXPORTER-kith-peer-proof", nothing, len(nothing))
    return expand(name, label, b"exporter", nothing, 32)


def context(side, folder, device=None, files=None):
    """TLS as one end has it; it logs its secrets in a file of the folder."""
    made = ssl.SSLContext(side)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_alpn_protocols([PROTOCOL])
    made.keylog_filename = str(folder / "keys")
    if device or files:
        made.load_cert_chain(*(files or (device.crt, device.key)))
    return made


def ask_for_new_keys(tls, times):
    """RFC 8446, section 4.6.3, each to be answered; how often it could be sent, until that takes
    2 s. Nothing is read."""
    libssl = ctypes.CDLL("libssl.so.3")
    tls.settimeout(None)
    tls.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 2, 0))
    native = ctypes.c_void_p.from_address(id(tls._sslobj) + object.__basicsize__ + 8)
    for asked in range(times):
        if libssl.SSL_key_update(native, 1) != 1 or libssl.SSL_do_handshake(native) != 1:
            return asked
    return times


class Introduced:
    """What the hub has told of somebody."""

    def __init__(self, told):
        self.meeting, self.id = told[1], base64.urlsafe_b64decode(told[1] + "==")
        self.name = told[2]
        self.fingerprint = base64.urlsafe_b64decode(told[3] + "=")
        self.key = base64.urlsafe_b64decode(told[4] + "=")
        self.places = [place.rsplit(":", 1) for place in told[7:]]

    def port(self):
        return int(self.places[0][1])


class RudePeer:
    """Somebody on a hub. `known`: the device has an account."""

    def __init__(self, hub, device, name, folder, known=False):
        self.device, self.name, self.folder = device, name, folder
        self.member = login(hub, device) if known else register(hub, device, name)
        self.opened = []

    def close(self):
        for path in self.opened:
            path.close()
        self.member.close()

    def meet(self, name, *places):
        """Asks to talk, and is told of who accepts."""
        meeting = self.member.ask("MEET", name, *places).decode()
        return Introduced(self.member.await_told("introduced", meeting))

    def own_fingerprint(self):
        return base64.urlsafe_b64decode(self.device.fingerprint + "=")

    def dial(self, other, room=None, **how):
        """room: in bytes, for what it does not read; else the kernel's choice."""
        s = socket.socket()
        s.settimeout(PATIENCE)
        if room:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        s.connect(("127.0.0.1", other.port()))
        tls = context(ssl.PROTOCOL_TLS_CLIENT, self.folder, self.device, **how).wrap_socket(s)
        return self.add(Path(self, other, tls, True))

    def take(self, listener, other, **how):
        """The connection that comes to a listening socket."""
        listener.settimeout(PATIENCE)
        s, _ = listener.accept()
        s.settimeout(PATIENCE)
        tls = context(ssl.PROTOCOL_TLS_SERVER, self.folder, self.device, **how).wrap_socket(
            s, server_side=True)
        return self.add(Path(self, other, tls, False))

    def add(self, path):
        self.opened.append(path)
        return path

    def talk(self, name, **how):
        """A talk with somebody, as it should be."""
        other = self.meet(name)
        path = until(lambda: self.proven(other, **how), f"{name} to expect it")
        path.settle()
        return path

    def proven(self, other, **how):
        """None while the other one has not heard of the introduction yet: it closes then."""
        path = self.dial(other, **how)
        try:
            path.prove()
        except (ConnectionError, ssl.SSLError):
            return None
        return path


class Path:
    def __init__(self, peer, other, tls, dialed):
        self.peer, self.other, self.tls, self.dialed = peer, other, tls, dialed
        self.is_first = peer.device.public < other.key
        self.heard = 0  # messages of the talk
        self.said = 0

    def close(self):
        self.tls.close()

    def proof(self, who=None):
        """What it proves, or what the other end does."""
        def side(name, fingerprint):
            return name.lower().encode().ljust(33, b"\0") + fingerprint
        own = side(self.peer.name, self.peer.own_fingerprint())
        other = side(self.other.name, self.other.fingerprint)
        sides = own + other if self.dialed else other + own
        who = who or (b"d" if self.dialed else b"a")
        key = exporter(self.tls, self.peer.folder / "keys")
        text = b"kith peer proof 1\0" + self.other.id + sides + who
        return b"\1" + hashlib.blake2b(text, key=key, digest_size=32).digest()

    def send(self, kind, payload=b""):
        self.tls.sendall(frame(kind, payload))

    def send_raw(self, data):
        self.tls.sendall(data)

    def read_exactly(self, n):
        data = b""
        while len(data) < n:
            some = self.tls.recv(n - len(data))
            if not some:
                raise ConnectionError("closed")
            data += some
        return data

    def read(self):
        length, kind = struct.unpack(">IB", self.read_exactly(5))
        return kind, self.read_exactly(length)

    def await_frame(self, wanted):
        while True:
            kind, payload = self.read()
            if kind == wanted:
                return payload

    def prove(self):
        self.send(PROOF, self.proof())
        assert self.await_frame(PROOF) == self.proof(b"a" if self.dialed else b"d")

    def settle(self):
        """Agrees that this is the connection."""
        if self.is_first:
            self.send(NOMINATE, numbers(1, 0, 0))
            self.await_frame(RESUME)
        else:
            nominated = self.await_frame(NOMINATE)
            self.send(RESUME, nominated[:8] + numbers(0, 0))

    def message(self, payload, number=None):
        self.send(TALK, numbers(self.said if number is None else number) + payload)
        self.said += 1

    def say(self, text):
        self.message(text_message(self.said + 1, text))

    def rest(self):
        """The kinds of all frames that still come, until it is closed."""
        kinds = []
        try:
            while True:
                kinds.append(self.read()[0])
        except (ConnectionError, ssl.SSLError):
            return kinds
