"""A hub that says what a test wants, true or not, to whoever comes to it over TLS."""

import ctypes
import socket
import ssl
import subprocess
import threading

from hubs import PATIENCE, until
from people import Device, new_id, text

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
    """A connection to it, which it serves on a thread."""

    def __init__(self, hub, plain):
        self.hub, self.plain, self.asked, self.over = hub, plain, [], False
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            self.socket = self.hub.context.wrap_socket(self.plain, server_side=True)
            self.file = self.socket.makefile("rb")
            while request := self.read():
                self.asked.append(request)
                self.socket.sendall(self.hub.answer(request))
        except (OSError, ValueError):
            pass
        self.over = True

    def read(self):
        """A request: its words."""
        head = self.file.readline()
        words = []
        for _ in range(int(head[1:]) if head else 0):
            length = int(self.file.readline()[1:])
            words.append(self.file.read(length + 2)[:-2].decode())
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
        guest.socket.sendall(push(*words))

    def tell_raw(self, guest, data):
        guest.socket.sendall(data)


def invited(device, name, meeting=None):
    return "invited", meeting or new_id(), name, device.fingerprint, encoded(device)


def introduced(device, name, meeting, *candidates, seen="127.0.0.1", side="dials"):
    return "introduced", meeting, name, device.fingerprint, encoded(device), side, seen, *candidates


def encoded(device):
    return text(device.public)
