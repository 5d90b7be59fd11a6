"""Clients as small as the origins' own."""

import socket
import subprocess
import threading

from hubs import PATIENCE


def connect(to):
    """A plain socket to a hub, a port of this machine, (address, port), or the path of a Unix
    socket."""
    if hasattr(to, "port"):
        to = to.port
    if isinstance(to, int):
        to = ("127.0.0.1", to)
    if isinstance(to, tuple):
        s = socket.create_connection(to, timeout=PATIENCE)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    s.connect(str(to))
    return s


def as_bytes(message):
    return message if isinstance(message, bytes) else message.encode(errors="surrogateescape")


def bare(to, *messages):
    """The origins' client: send() without a terminator, one recv() as the answer, to each
    message in turn. The last answer is returned."""
    with connect(to) as s:
        for message in messages:
            s.sendall(as_bytes(message))
            answer = s.recv(65536)
    return answer.decode()


def read_all(s):
    """Everything until the other side closes, be it rudely."""
    out = b""
    while True:
        try:
            some = s.recv(1 << 20)
        except ConnectionResetError:
            return out
        if not some:
            return out
        out += some


def read_exactly(s, n):
    out = bytearray()
    while len(out) < n:
        some = s.recv(min(n - len(out), 1 << 20))
        assert some, f"closed after {len(out)} bytes of {n}: {bytes(out[-200:])}"
        out += some
    return bytes(out)


def exchange(to, data):
    """Sends everything, ends the input, and returns everything that came back."""
    with connect(to) as s:
        s.sendall(as_bytes(data))
        s.shutdown(socket.SHUT_WR)
        return read_all(s)


class Lines:
    """A client that ends its messages, and reads answers that end the same way."""

    def __init__(self, to, ending=b"\n"):
        self.socket = connect(to)
        self.file = self.socket.makefile("rb")
        self.ending = ending

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, message):
        self.socket.sendall(as_bytes(message) + self.ending)

    def read(self):
        answer = self.file.readline()
        assert answer.endswith(self.ending), answer
        return answer[:-len(self.ending)].decode()

    def ask(self, message):
        self.send(message)
        return self.read()


class Resp:
    """A client that speaks RESP. Strings come as text, null as None, and errors as text that begins
    with a minus sign."""

    def __init__(self, to):
        self.socket = connect(to)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *commands):
        self.socket.sendall(b"".join(resp(*c) for c in commands))

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError(f"closed within a reply, after {line}")
        kind, rest = line[:1], line[1:-2].decode()
        if kind in b"+-":
            return rest if kind == b"+" else "-" + rest
        number = int(rest)
        if kind == b":":
            return number
        if number < 0:
            return None
        if kind == b"*":
            return [self.read() for _ in range(number)]
        assert kind == b"$", line
        value = self.file.read(number + 2)
        if len(value) < number + 2:
            raise ConnectionError("closed within a value")
        return value[:-2].decode(errors="surrogateescape")

    def ask(self, *command):
        self.send(command)
        return self.read()


def nc(hub, data):
    """What nc prints when its input is piped into it."""
    done = subprocess.run(["nc", "-N", "127.0.0.1", str(hub.port)], input=as_bytes(data),
                          capture_output=True, timeout=PATIENCE, check=True)
    return done.stdout.decode()


def resp(*argv):
    """A command as RESP carries it."""
    parts = [as_bytes(a) for a in argv]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def is_served(hub):
    """That the hub is alive and serves a client like any other."""
    assert hub.is_running()
    with Lines(hub) as client:
        assert client.ask("is anybody there?") == "is anybody there?"
    return True


def answer_once(answer):
    """A server that is no hub: it reads a little and answers one client; its address."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with server, server.accept()[0] as client:
            client.recv(1)
            client.sendall(answer)
            client.shutdown(socket.SHUT_WR)
            read_all(client)

    threading.Thread(target=serve, daemon=True).start()
    return "127.0.0.1:%d" % server.getsockname()[1]
