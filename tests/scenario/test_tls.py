"""TLS on the same port: who gets in, who does not, and who the hub says it is."""

import base64
import hashlib
import os
import re
import socket
import ssl
import subprocess
import threading

import pytest
import redis

from hubs import PATIENCE, until
from talk import connect, read_all, read_exactly, resp

MIB = 1 << 20


def context(hub, protocols=()):
    """A client that trusts the hub's certificate and nothing else."""
    c = ssl.create_default_context(cafile=hub.data / "hub.crt")
    if protocols:
        c.set_alpn_protocols(protocols)
    return c


def secure(hub, **how):
    s = connect(hub)
    return context(hub, **how).wrap_socket(s, server_hostname="localhost")


def openssl(*words, **how):
    p = subprocess.run(["openssl", *map(str, words)], capture_output=True, timeout=PATIENCE, **how)
    assert p.returncode == 0, p.stderr
    return p.stdout


def fingerprint(hub):
    """What the certificate in the hub's folder says, worked out by openssl."""
    key = openssl("x509", "-in", hub.data / "hub.crt", "-noout", "-pubkey")
    der = openssl("pkey", "-pubin", "-outform", "DER", input=key)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def logged_fingerprints(hub):
    return re.findall(r"fingerprint=(\S+)", hub.log())


# ---- who gets in

def test_redis_cli(hub):
    def cli(*words):
        return subprocess.run(["redis-cli", "--tls", "--cacert", hub.data / "hub.crt",
                               "-p", str(hub.port), *words], capture_output=True, text=True,
                              timeout=PATIENCE).stdout
    assert cli("SET", "color", "blue") == "OK\n"
    assert cli("GET", "color") == "blue\n"
    assert cli("-3", "INCR", "n") == "1\n"


def test_openssl(hub):
    with subprocess.Popen(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{hub.port}",
                           "-CAfile", hub.data / "hub.crt", "-verify_return_error"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, bufsize=0) as client:
        client.stdin.write(b"STORE k = v\nGET k\nhello\n")
        assert [client.stdout.readline() for _ in range(3)] == [b"1\n", b"v\n", b"hello\n"]
        client.terminate()


def test_redis_py(hub):
    with redis.Redis("127.0.0.1", port=hub.port, ssl=True, ssl_ca_certs=str(hub.data / "hub.crt")) as r:
        large = bytes(range(256)) * (20 * MIB // 256)
        assert r.set("large", large)
        assert r.get("large") == large
        with r.pipeline(transaction=True) as p:
            for i in range(2000):
                p.set(f"key-{i}", i)
            assert p.execute() == [True] * 2000
        assert sorted(r.scan_iter("key-19*", 100)) == sorted(
            f"key-{i}".encode() for i in range(2000) if str(i).startswith("19"))
        with r.pubsub() as listener:
            listener.subscribe("news")
            assert listener.get_message(timeout=PATIENCE)["type"] == "subscribe"
            r.publish("news", "hello")
            assert listener.get_message(timeout=PATIENCE)["data"] == b"hello"


def test_a_protocol_of_ours_may_be_asked_for(hub):
    with secure(hub, protocols=["h2", "kith-hub/1"]) as s:
        assert s.selected_alpn_protocol() == "kith-hub/1"
        s.sendall(b"hello\n")
        assert read_exactly(s, 6) == b"hello\n"


def test_the_end_is_said(hub):
    with secure(hub) as s:
        s.sendall(b"hello\n")
        assert read_exactly(s, 6) == b"hello\n"
        s.unwrap()  # a close_notify, and another one in answer


def test_many_at_once(start_hub):
    hub = start_hub("--workers", "2")
    wrong = []

    def ask(i):
        with secure(hub) as s:
            for j in range(20):
                s.sendall(f"STORE k{i} = {j}\nGET k{i}\n".encode())
                answer = read_exactly(s, len(f"1\n{j}\n"))
                if answer != f"1\n{j}\n".encode():
                    wrong.append(answer)

    threads = [threading.Thread(target=ask, args=[i]) for i in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


# ---- who does not

@pytest.mark.parametrize("protocols", [["h2"], ["kith-peer/1", "http/1.1"]])
def test_another_protocol_is_refused(hub, protocols):
    with pytest.raises(ssl.SSLError):
        secure(hub, protocols=protocols)
    hub.wait_log("closed a TLS connection")


def test_an_older_version_is_refused(hub):
    c = context(hub)
    c.maximum_version = ssl.TLSVersion.TLSv1_2
    with connect(hub) as s, pytest.raises(ssl.SSLError):
        c.wrap_socket(s, server_hostname="localhost")


def certificate(folder, *kind):
    """A client's own, of another kind than ours."""
    key, crt = folder / "c.key", folder / "c.crt"
    openssl("req", "-x509", "-newkey", *kind, "-nodes", "-keyout", key, "-out", crt,
            "-subj", "/CN=alice", "-days", "1")
    return crt, key


@pytest.mark.parametrize("kind", [["rsa:2048"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
                         ids=["rsa", "ec"])
def test_a_certificate_of_another_kind_is_refused(hub, tmp_path, kind):
    c = context(hub)
    c.load_cert_chain(*certificate(tmp_path, *kind))
    with pytest.raises(OSError):
        with c.wrap_socket(connect(hub), server_hostname="localhost") as s:
            s.sendall(b"hello\n")
            if not s.recv(100):
                raise ConnectionResetError
    hub.wait_log("not a single one of an Ed25519 key")


def test_a_certificate_of_ours_gets_in(hub, tmp_path):
    c = context(hub)
    c.load_cert_chain(*certificate(tmp_path, "ed25519"))
    with c.wrap_socket(connect(hub), server_hostname="localhost") as s:
        s.sendall(b"hello\n")
        assert read_exactly(s, 6) == b"hello\n"


@pytest.mark.parametrize("opening", [
    b"\x16", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff" + b"x" * 70000,
    b"\x16\x03\x03\x00\x00" * 100, b"\x16GET / HTTP/1.1\r\n\r\n"], ids=range(5))
def test_what_only_looks_like_tls(hub, opening):
    with connect(hub) as s:
        try:
            s.sendall(opening)
            s.shutdown(socket.SHUT_WR)
            read_all(s)
        except OSError:
            pass  # closed while we still speak
    with secure(hub) as s:
        s.sendall(b"still here\n")
        assert read_exactly(s, 11) == b"still here\n"


def test_tls_within_tls(hub):
    with secure(hub) as s:
        s.sendall(b"\x16\x03\x01\x00\x05hello")
        assert s.recv(100) == b""
    hub.wait_log("TLS within TLS")


def test_a_web_page_cannot_post_through_tls_either(hub):
    with secure(hub) as s:
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nSTORE k = v\n")
        assert s.recv(100) == b""
    with secure(hub) as s:
        s.sendall(b"GET k\n")
        assert read_exactly(s, 6) == b"ERROR\n"


def come(hub, address):
    return socket.create_connection(("127.0.0.1", hub.port), PATIENCE, (address, 0))


def begin_greedily(hub, addresses):
    """From each of them a handshake that does not go on."""
    begun = [come(hub, address) for address in addresses]
    for s in begun:
        s.sendall(b"\x16")
        s.setblocking(False)
    return begun


def is_closed(s):
    """Nothing else can have come: one byte is no hello."""
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class Patient:
    """A handshake that has said one byte, and goes on when it is told to."""

    def __init__(self, hub, address):
        self.come, self.go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(hub).wrap_bio(self.come, self.go, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        self.hello = self.go.read()
        self.socket = come(hub, address)
        self.socket.sendall(self.hello[:1])

    def ends(self):
        self.socket.sendall(self.hello[1:])
        while True:
            try:
                self.tls.do_handshake()
                return self.socket.close()
            except ssl.SSLWantReadError:
                self.come.write(self.socket.recv(65536) or pytest.fail("it was closed"))


@pytest.mark.parametrize("workers", [1, 2])
def test_handshakes_of_one_address_keep_no_other_out(start_hub, workers):
    hub = start_hub("--workers", workers)
    patient = Patient(hub, "127.0.0.3")
    greedy = begin_greedily(hub, ["127.0.0.2"] * 600)
    until(lambda: sum(map(is_closed, greedy)) >= 600 - 128, "room for the last 128")
    patient.ends()
    for address in ("127.0.0.3", "127.0.0.1", "127.0.0.2"):
        Patient(hub, address).ends()
    with connect(hub) as plain:
        plain.sendall(b"hello\n")
        assert read_exactly(plain, 6) == b"hello\n"
    for s in greedy:
        s.close()


def test_handshakes_under_way_are_limited(hub):
    """Many addresses hold all places: the oldest make room."""
    greedy = begin_greedily(hub, [f"127.0.1.{1 + i % 200}" for i in range(600)])
    until(lambda: sum(map(is_closed, greedy)) >= 600 - 512, "room for the last 512")
    Patient(hub, "127.0.0.1").ends()
    for s in greedy:
        s.close()


def test_a_reader_that_stops_is_not_answered_without_end(hub):
    with secure(hub) as s:
        s.sendall(resp("SET", "k", b"v" * MIB))
        assert read_exactly(s, 5) == b"+OK\r\n"
        s.sendall(resp("GET", "k") * 300)
        assert read_exactly(s, 10) == b"$1048576\r\n"  # it has begun to answer
        with open(f"/proc/{hub.pid}/status") as status:
            resident = next(int(x.split()[1]) for x in status if x.startswith("VmRSS"))
        assert resident < 100 * 1024


# ---- who the hub says it is

def test_the_fingerprint_is_of_the_key_and_stays(hub):
    first = fingerprint(hub)
    assert logged_fingerprints(hub) == [first]
    hub.kill()
    hub.restart()
    assert fingerprint(hub) == first
    (hub.data / "hub.crt").unlink()
    hub.stop()
    hub.restart()
    assert fingerprint(hub) == first
    assert logged_fingerprints(hub) == [first] * 3


def test_without_its_file_the_certificate_is_the_same(hub):
    """Where it cannot be written, what was there stays; TLS goes on."""
    kept = hub.data / "hub.crt"
    before = context(hub)
    hub.stop()
    kept.unlink()
    kept.mkdir()
    hub.restart()
    hub.wait_log('level=warning msg="hub.crt cannot be written" reason=')
    assert sorted(f.name for f in hub.data.glob("hub.crt*")) == ["hub.crt"]
    with before.wrap_socket(connect(hub), server_hostname="localhost") as s:
        s.sendall(resp("PING"))
        assert read_exactly(s, 7) == b"+PONG\r\n"
    kept.rmdir()


@pytest.fixture
def small_disk(tmp_path):
    """A folder that is a disk of 16 MiB in another namespace: the words that lead there, and where it is
    seen from here."""
    folder = tmp_path / "disk"
    folder.mkdir(mode=0o700)
    mount = 'mount -t tmpfs -o size=16m,mode=700 disk "$0" && echo && exec cat'
    with subprocess.Popen(["unshare", "-m", "sh", "-c", mount, folder], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout.readline() == b"\n"
        yield ["nsenter", f"--mount=/proc/{keeper.pid}/ns/mnt"], f"/proc/{keeper.pid}/root{folder}"


def test_a_start_without_room_for_a_setup_token(start_hub, small_disk):
    inside, disk = small_disk
    hub = start_hub(data=disk.split("root", 1)[1], prefix=inside)
    with open(f"{disk}/ballast", "wb", buffering=0) as ballast:
        with redis.Redis("127.0.0.1", hub.port) as r:
            with pytest.raises(redis.ResponseError, match="^MISCONF "):
                while True:
                    r.set("k", bytes(900))
                    try:
                        ballast.write(bytes(65536))
                    except OSError:
                        pass
        hub.kill()
        ballast.truncate(os.fstat(ballast.fileno()).st_size - 8192)
        hub.restart()
        hub.wait_log('level=warning msg="no setup token for the first admin: it cannot be kept" '
                     'reason="the disk is full"')
        hub.said_then("^Join with kith://")
        assert "Setup token" not in hub.rest
        c = ssl.create_default_context(cafile=f"{disk}/hub.crt")
        with c.wrap_socket(connect(hub), server_hostname="localhost") as s:
            s.sendall(resp("PING"))
            assert read_exactly(s, 7) == b"+PONG\r\n"
        ballast.truncate(0)


def test_each_hub_has_a_key_of_its_own(start_hub):
    assert fingerprint(start_hub()) != fingerprint(start_hub())


def test_a_backup_has_the_key(hub, start_hub, tmp_path):
    assert hub.kith("backup", tmp_path / "copy").returncode == 0
    assert fingerprint(start_hub(data=tmp_path / "copy")) == fingerprint(hub)


def test_the_certificate_is_no_secret_and_the_key_in_no_file(hub):
    assert b"PRIVATE" not in (hub.data / "hub.crt").read_bytes()
    with secure(hub) as s:
        s.sendall(resp("GET", "hub.key"))  # the system keyspace has no door
        assert read_exactly(s, 5) == b"$-1\r\n"
