"""A hub that says what a test wants, true or not, to whoever comes to it over TLS."""

import ctypes
import select
import socket
import ssl
import subprocess
import threading

from hubs import PATIENCE, until
from members import Device, new_id, text

PROTOCOL = "kith-hub/1"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=PATIENCE)


def certificate(folder, kind):
    """A file of certificates and one of the first one's key: 'ed25519', as a hub has; 'rsa', 'chain' of
    two, 'expired'."""
    if kind == "rsa":
        key, crt = folder / "rsa.key", folder / "rsa.crt"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", crt,
                "-subj", "/CN=hub", "-days", "1")
        return crt, key
    own = Device(folder, kind)
    if kind == "chain":
        other = Device(folder, "above")
        own.crt.write_bytes(own.crt.read_bytes() + other.crt.read_bytes())
    if kind == "expired":
        request = folder / "request"
        openssl("req", "-new", "-key", own.key, "-subj", "/CN=hub", "-out", request)
        openssl("x509", "-req", "-in", request, "-signkey", own.key, "-days", "-1", "-out", own.crt)
    return own.crt, own.key


def wear(context, crt):
    """The context shows the public key of that certificate, and proves its own."""
    libssl, libcrypto = ctypes.CDLL("libssl.so.3"), ctypes.CDLL("libcrypto.so.3")
    for function in [libssl.SSL_CTX_get0_certificate, libcrypto.X509_get0_pubkey, libcrypto.BIO_new_file,
                     libcrypto.PEM_read_bio_X509]:
        function.restype = ctypes.c_void_p
    native = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    bio = ctypes.c_void_p(libcrypto.BIO_new_file(str(crt).encode(), b"r"))
    other = ctypes.c_void_p(libcrypto.PEM_read_bio_X509(bio, None, None, None))
    key = ctypes.c_void_p(libcrypto.X509_get0_pubkey(other))
    own = ctypes.c_void_p(libssl.SSL_CTX_get0_certificate(native))
    assert libcrypto.X509_set_pubkey(own, key) == 1
    assert libcrypto.i2d_re_X509_tbs(own, None) > 0  # it is encoded anew


def bulk(word):
    word = word if isinstance(word, bytes) else str(word).encode()
    return b"$%d\r\n%s\r\n" % (len(word), word)


def push(*words):
    return b">%d\r\n" % len(words) + b"".join(map(bulk, words))


class Guest:
    """A connection to it, which it serves on a thread. Others write to it meanwhile; TLS is for one at
    a time."""

    def __init__(self, hub, plain):
        self.hub, self.plain, self.asked, self.over = hub, plain, [], False
        self.tls, self.writing, self.come = threading.Lock(), threading.Lock(), bytearray()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            self.socket = self.hub.context.wrap_socket(self.plain, server_side=True)
            self.socket.setblocking(False)
            while request := self.read():
                self.asked.append(request)
                self.write(self.hub.answer(request))
        except (OSError, ValueError):
            pass
        self.over = True

    def try_tls(self, what, *data):
        """What TLS does now; where it cannot, waits until it may."""
        while True:
            try:
                with self.tls:
                    return what(*data)
            except ssl.SSLWantReadError:
                select.select([self.socket], [], [])
            except ssl.SSLWantWriteError:
                select.select([], [self.socket], [])

    def write(self, data):
        data = memoryview(data)
        with self.writing:
            while data:
                data = data[self.try_tls(self.socket.send, data):]

    def take(self, is_enough):
        """What has come, up to where that says there is enough; nothing at the end."""
        while (n := is_enough(self.come)) <= 0:
            some = self.try_tls(self.socket.recv, 65536)
            if not some:
                return b""
            self.come += some
        taken = bytes(self.come[:n])
        del self.come[:n]
        return taken

    def line(self):
        return self.take(lambda come: come.find(b"\n") + 1)

    def read(self):
        """A request: its words."""
        head = self.line()
        words = []
        for _ in range(int(head[1:]) if head else 0):
            length = int(self.line()[1:]) + 2
            words.append(self.take(lambda come: length if len(come) >= length else 0)[:-2].decode())
        return words

    def has_asked(self, word):
        return next((words for words in self.asked if words[0] == word), None)


class LyingHub:
    """Its answers, by the request's first word, are texts or functions of the request; anybody is
    `name` to it. What it is asked is kept."""

    def __init__(self, folder, name, address=("127.0.0.1", 0), kind="ed25519", listener=None):
        self.folder, self.name, self.guests = folder, name, []
        self.answers = {"HELLO": b"%1\r\n+server\r\n+kith\r\n", "WHOAMI": lambda _: bulk(self.name),
                        "GET_CLIENT_LIST": b"+CLIENT_LIST<>\r\n"}
        self.listener = listener or socket.create_server(address)
        self.where = "%s:%d" % self.listener.getsockname()[:2]
        self.show(*certificate(folder, kind))
        self.listening = threading.Thread(target=self.listen)
        self.listening.start()

    def show(self, crt, key):
        """This certificate, from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, key)
        context.set_alpn_protocols([PROTOCOL])
        self.context = context

    def listen(self):
        while True:
            try:
                self.guests.append(Guest(self, self.listener.accept()[0]))
            except OSError:
                return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for somebody
        self.listening.join()
        self.listener.close()

    def answer(self, request):
        said = self.answers.get(request[0], b"+OK\r\n")
        return said(request) if callable(said) else said

    def is_told(self, word):
        """Waits until it is asked that; (who asks, the request)."""
        def found():
            return next(((g, g.has_asked(word)) for g in self.guests if g.has_asked(word)), None)
        return until(found, f"a request {word}")

    def tell(self, guest, *words):
        guest.write(push(*words))

    def tell_raw(self, guest, data):
        guest.write(data)


def invited(device, name, meeting=None):
    return "invited", meeting or new_id(), name, device.fingerprint, encoded(device)


def introduced(device, name, meeting, *candidates, seen="127.0.0.1", side="dials"):
    return "introduced", meeting, name, device.fingerprint, encoded(device), side, seen, *candidates


def encoded(device):
    return text(device.public)
