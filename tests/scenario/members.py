"""Members of a hub: clients with a device's key and certificate, over TLS."""

import base64
import hashlib
import os
import re
import ssl
import subprocess
import threading
import time

from hubs import PATIENCE
from talk import connect

PASSWORD = "correct horse"


class Device:
    """An Ed25519 key and a certificate of it, made by openssl."""

    def __init__(self, folder, name):
        folder.mkdir(parents=True, exist_ok=True)
        self.key, self.crt = folder / f"{name}.key", folder / f"{name}.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", self.key,
                        "-out", self.crt, "-subj", f"/CN={name}", "-days", "1"],
                       check=True, capture_output=True, timeout=PATIENCE)
        pem = subprocess.run(["openssl", "x509", "-in", self.crt, "-noout", "-pubkey"], check=True,
                             capture_output=True, timeout=PATIENCE).stdout
        der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
        self.fingerprint = text(hashlib.sha256(der).digest())
        self.public = der[-32:]

    def sign(self, message):
        """Ed25519, 64 bytes."""
        what = self.key.with_suffix(".signed")
        what.write_bytes(message)
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", what],
                              check=True, capture_output=True, timeout=PATIENCE).stdout


def text(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def new_id():
    return text(os.urandom(16))


class HubError(Exception):
    pass


class Member:
    """A connection of a device that speaks RESP3; what is told unasked is kept in order."""

    def __init__(self, hub, device=None):
        context = ssl.create_default_context(cafile=hub.data / "hub.crt")
        if device:
            context.load_cert_chain(device.crt, device.key)
        self.socket = context.wrap_socket(connect(hub), server_hostname="localhost")
        self.file = self.socket.makefile("rb")
        self.told = []
        self.ask("HELLO", "3")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *words):
        out = b"*%d\r\n" % len(words)
        for word in words:
            word = word if isinstance(word, bytes) else str(word).encode()
            out += b"$%d\r\n%s\r\n" % (len(word), word)
        self.socket.sendall(out)

    def read(self):
        """One reply, or one thing told: (kind, value)."""
        line = self.file.readline()
        assert line.endswith(b"\r\n"), f"closed: {line}"
        kind, rest = line[:1], line[1:-2]
        if kind in b"*>":
            return kind, [self.read()[1] for _ in range(int(rest))]
        if kind == b"%":
            return kind, [self.read()[1] for _ in range(2 * int(rest))]
        if kind == b"$":
            return kind, self.file.read(int(rest) + 2)[:-2] if int(rest) >= 0 else None
        if kind == b":":
            return kind, int(rest)
        return kind, None if kind == b"_" else rest.decode()

    def answer(self):
        while True:
            kind, value = self.read()
            if kind == b">":
                self.told.append([word.decode() for word in value])
            elif kind == b"-":
                raise HubError(value)
            else:
                return value

    def ask(self, *words):
        self.send(*words)
        return self.answer()

    def await_told(self, *beginning):
        """The next thing told that begins so; what came before it is dropped."""
        while True:
            while self.told:
                told = self.told.pop(0)
                if told[:len(beginning)] == list(beginning):
                    return told
            kind, value = self.read()
            assert kind == b">", value
            self.told.append([word.decode() for word in value])


def register(hub, device, name):
    member = Member(hub, device)
    assert member.ask("REGISTER", name, PASSWORD) == "OK"
    return member


def login(hub, device):
    member = Member(hub, device)
    assert member.ask("LOGIN") == "OK"
    return member


def introduce(one, name, other):
    """Each gets to know the other; the id they were introduced under."""
    meeting = one.ask("MEET", name).decode()
    other.await_told("invited", meeting)
    assert other.ask("ACCEPT", meeting) == "OK"
    one.await_told("introduced", meeting)
    other.await_told("introduced", meeting)
    return meeting


def relay(hub, device, meeting, other):
    """Two sockets, the ends of a pipe."""
    ends = [Member(hub, device), Member(hub, other)]
    for end in ends:
        end.send("RELAY", meeting)
    for end in ends:
        assert end.answer() == "RELAY"
    return ends


def resident_kib(process, which="VmRSS"):
    with open(f"/proc/{process.pid}/status") as status:
        return int(re.search(rf"{which}:\s+(\d+)", status.read()).group(1))


# What a sanitizer's own memory grows by, as blocks that are free are kept aside.
OWN_KIB = 24 * 1024 if "quarantine_size_mb" in os.environ.get("ASAN_OPTIONS", "") else 0


def grown_kib(process, before):
    return resident_kib(process) - before - OWN_KIB


class Pump(threading.Thread):
    """Sends bytes on a thread of its own, and says how many have been taken."""

    def __init__(self, member, data):
        super().__init__(daemon=True)
        self.member, self.data, self.sent = member, memoryview(data), 0
        self.start()

    def run(self):
        while self.sent < len(self.data):
            self.sent += self.member.socket.send(self.data[self.sent:self.sent + 65536])

    def is_stuck(self):
        before = self.sent
        time.sleep(0.05)
        return before > 0 and before == self.sent < len(self.data)
