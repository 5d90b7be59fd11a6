"""Goal: who comes to a hub over TLS and is no member, or means no good, gets no further than he may, and
keeps nobody out."""

import os
import random
import socket
import ssl
import subprocess
import threading

import pytest
from elsewhere import within
from hubs import PATIENCE, until
from lying_hub import certificate, wear
from members import PASSWORD, Device, HubError, Member, grown_kib, login, register, resident_kib
from rude_peer import ask_for_new_keys
from talk import connect, is_served, resp
from test_tls import context
from machines import inside, ip

KIB = 1 << 10
HERE, THERE, THERE_TOO = "10.84.0.1", "10.84.0.2", "10.84.0.3"


@pytest.fixture
def machines():
    """Two with a cable between them; the second has two addresses."""
    here, there = f"kith-{os.getpid()}-here", f"kith-{os.getpid()}-there"
    try:
        for name in (here, there):
            ip(f"netns add {name}")
            ip(f"-n {name} link set lo up")
        ip(f"-n {here} link add cable type veth peer name cable netns {there}")
        for name, address in [(here, HERE), (there, THERE), (there, THERE_TOO)]:
            ip(f"-n {name} addr add {address}/24 dev cable")
            ip(f"-n {name} link set cable up")
        yield here, there
    finally:
        for name in (here, there):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


class FarHub:
    """A hub on the one machine, reached from the other."""

    def __init__(self, hub, there):
        self.hub, self.there, self.data = hub, there, hub.data

    def connect(self, source=THERE):
        s = within(self.there, lambda: socket.create_connection((HERE, self.hub.port), PATIENCE,
                                                                source_address=(source, 0)))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def secure(self, source=THERE):
        return context(self).wrap_socket(self.connect(source), server_hostname="localhost")


class FarMember(Member):
    def __init__(self, far, device=None, source=THERE):
        made = context(far)
        if device:
            made.load_cert_chain(device.crt, device.key)
        self.socket = made.wrap_socket(far.connect(source), server_hostname="localhost")
        self.file = self.socket.makefile("rb")
        self.told = []


@pytest.fixture
def far(start_hub, machines):
    here, there = machines
    return FarHub(start_hub(listen=f"{HERE}:0", prefix=inside(here)), there)


# ---- certificates ----


def is_refused(hub, made):
    """He is told nothing but an alert."""
    try:
        with made.wrap_socket(connect(hub), server_hostname="localhost") as tls:
            tls.sendall(b"hello\n")
            return tls.recv(100) == b""
    except OSError:
        return True


@pytest.mark.parametrize("kind", ["rsa", "chain"])
def test_a_certificate_that_is_no_devices(hub, tmp_path, kind):
    made = context(hub)
    made.load_cert_chain(*certificate(tmp_path, kind))
    assert is_refused(hub, made)
    hub.wait_log("not a single one of an Ed25519 key")
    assert is_served(hub)


def test_a_members_key_that_is_not_proven(hub, tmp_path):
    alice, eve = Device(tmp_path, "alice"), Device(tmp_path, "eve")
    with register(hub, alice, "alice"):
        pass
    made = context(hub)
    made.load_cert_chain(eve.crt, eve.key)
    wear(made, alice.crt)
    assert is_refused(hub, made)
    hub.wait_log("bad signature")
    with login(hub, alice) as member:
        assert member.ask("WHOAMI") == b"alice"


def test_a_device_is_no_other_accounts(hub, tmp_path):
    """Who shows his own key is nobody else by saying so."""
    alice, eve = Device(tmp_path, "alice"), Device(tmp_path, "eve")
    with register(hub, alice, "alice"), Member(hub, eve) as stranger:
        with pytest.raises(HubError, match="NOLOGIN"):
            stranger.ask("LOGIN")
        with pytest.raises(HubError, match="WRONGPASS"):
            stranger.ask("LOGIN", "alice", "another password")
        assert stranger.ask("WHOAMI") is None


# ---- pieces and garbage ----


def test_a_byte_at_a_time(hub, tmp_path):
    """Records cut anywhere, and records of a byte each."""
    alice = Device(tmp_path, "alice")
    with register(hub, alice, "alice"):
        pass
    made = context(hub)
    made.load_cert_chain(alice.crt, alice.key)
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = made.wrap_bio(come, go, server_hostname="localhost")
    with connect(hub) as s:
        def pass_on():
            for byte in go.read():
                s.sendall(bytes([byte]))

        def until_done(what):
            while True:
                try:
                    return what()
                except ssl.SSLWantReadError:
                    pass_on()
                    come.write(s.recv(65536))

        until_done(tls.do_handshake)
        for byte in resp("WHOAMI"):
            tls.write(bytes([byte]))
        pass_on()
        heard = b""
        while len(heard) < len(b"$5\r\nalice\r\n"):
            heard += until_done(lambda: tls.read(100))
        assert heard == b"$5\r\nalice\r\n"


def test_a_guest_says_4_kib_at_once(far):
    for question, answer in [(b"x" * 4096 + b"\n", b"x" * 4096 + b"\n"),
                             (b"x" * 4097 + b"\n", b"ERROR: the line is too long\n"),
                             (b"x" * 100000, b"ERROR: the line is too long\n"),
                             (resp("ECHO", "x" * 4000), b"$4000\r\n" + b"x" * 4000 + b"\r\n")]:
        with far.secure() as s:
            s.sendall(question)
            heard = b""
            while len(heard) < len(answer):
                heard += s.recv(65536)
            assert heard == answer
    for question in [resp("ECHO", "x" * 1000000), resp("AUTH", "alice", "x" * 5000), b"*1000000\r\n" * 100,
                     resp("REGISTER", "alice", "x" * 4096), b"*2\r\n$-1\r\n", b"*1\r\n$999999999999\r\n"]:
        with far.secure() as s:
            s.sendall(question)
            assert s.recv(65536).startswith(b"-ERR Protocol error: ")


@pytest.mark.parametrize("seed", range(3))
def test_garbage_before_a_login(far, tmp_path, seed):
    chance = random.Random(seed)
    words = [b"AUTH", b"LOGIN", b"REGISTER", b"HELLO", b"3", b"SETUP", b"INVITE", b"a/b", b"\x1b[2J", b"",
             "\u202e".encode(), b"x" * 33, b"x" * 1025, b"\0", b"MEET", b"RELAY", b"LETTER", b"DEVICES", b"SIGN"]
    for _ in range(60):
        data = bytearray(b"".join(resp(*chance.choices(words, k=chance.randint(1, 6))) for _ in range(5)))
        for _ in range(chance.randint(0, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            data = bytearray(chance.randbytes(300))
        with far.secure() as s:
            s.sendall(data)
            s.settimeout(0.01)
            try:
                s.recv(65536)
            except (OSError, TimeoutError):
                pass
    with FarMember(far, Device(tmp_path, "alice")) as alice:
        assert alice.ask("REGISTER", "alice", PASSWORD) == "OK"
        assert alice.ask("GET_CLIENT_LIST") == "CLIENT_LIST<alice>"
    assert far.hub.is_running()


# ---- many ----


def test_a_flood_of_logins_keeps_others_out_of_nothing(far, tmp_path):
    """From one address, while from another one somebody comes in by his device, and one by password."""
    alice = Device(tmp_path, "alice")
    with FarMember(far, alice, THERE_TOO) as member:
        assert member.ask("REGISTER", "alice", PASSWORD) == "OK"
    answers = []

    def guess(i):
        with FarMember(far) as guest:
            try:
                guest.ask("LOGIN", f"somebody-{i}", "a wrong password")
            except HubError as e:
                answers.append(str(e).split()[0])

    crowd = [threading.Thread(target=guess, args=[i]) for i in range(100)]
    for one in crowd:
        one.start()
    until(lambda: "TRYAGAIN" in answers, "an address that has guessed enough")
    with FarMember(far, alice, THERE_TOO) as member:
        assert member.ask("LOGIN") == "OK"
    with FarMember(far, Device(tmp_path, "new"), THERE_TOO) as member:
        assert member.ask("LOGIN", "alice", PASSWORD) == "OK"
    for one in crowd:
        one.join()
    assert set(answers) == {"WRONGPASS", "TRYAGAIN"} and len(answers) == 100
    assert answers.count("WRONGPASS") <= 25


def test_handshakes_that_are_never_ended_keep_nobody_out(far, tmp_path):
    with secure_hello(far) as hello:
        begun = hello.recv(65536)
    waiting = [far.connect() for _ in range(300)]
    for i, s in enumerate(waiting):
        s.sendall(begun[:1 + i % (len(begun) - 1)])
    with FarMember(far, Device(tmp_path, "alice"), THERE_TOO) as alice:
        assert alice.ask("REGISTER", "alice", PASSWORD) == "OK"
    for s in waiting:
        s.close()


def secure_hello(far):
    """A socket to read the first message of a handshake from."""
    here, there = socket.socketpair()
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context(far).wrap_bio(come, go, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    there.sendall(go.read())
    there.close()
    return here


def test_who_asks_for_keys_and_reads_nothing_is_not_answered_without_end(hub):
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect(("127.0.0.1", hub.port))
        with context(hub).wrap_socket(plain, server_hostname="localhost") as tls:
            before = resident_kib(hub)
            assert ask_for_new_keys(tls, 1000 * 1000) < 1000 * 1000
            assert grown_kib(hub, before) < 16 * KIB
    assert is_served(hub)
