"""Rude, slow, broken and very many clients: the hub stays alive, and serves the others."""

import os
import random
import resource
import select
import socket
import struct
import subprocess
import threading

import pytest
import redis

from hubs import PATIENCE, until
from talk import Lines, bare, connect, exchange, is_served, read_all, read_exactly, resp

MIB = 1024 * 1024


def sockets(hub):
    """How many sockets the hub has open."""
    count = 0
    for name in os.listdir(f"/proc/{hub.pid}/fd"):
        try:
            count += os.readlink(f"/proc/{hub.pid}/fd/{name}").startswith("socket:")
        except FileNotFoundError:
            pass  # closed meanwhile
    return count


def memory(hub):
    """Resident bytes."""
    with open(f"/proc/{hub.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def reset(s):
    """Closes rudely: the other side gets a reset."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 6000
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), max(hard, wanted)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, max(hard, wanted)))


# ---- very many ----

def test_5000_connections_at_once(many_descriptors, start_hub):
    hub = start_hub()
    before = sockets(hub)
    clients = [connect(hub) for _ in range(5000)]
    try:
        for i, s in enumerate(clients):
            s.sendall(resp("SET", f"k{i}", str(i)) if i % 2 else b"STORE k%d = %d\n" % (i, i))
        for i, s in enumerate(clients):
            answer = b"+OK\r\n" if i % 2 else b"1\n"
            assert read_exactly(s, len(answer)) == answer
        info = exchange(hub, resp("INFO"))
        assert b"connected_clients:5001\r\n" in info and b"db0:keys=5000," in info
        for i, s in enumerate(clients):
            s.sendall(b"GET k%d\n" % i if i % 2 == 0 else resp("GET", f"k{i}"))
        for i, s in enumerate(clients):
            answer = b"$%d\r\n%d\r\n" % (len(str(i)), i) if i % 2 else b"%d\n" % i
            assert read_exactly(s, len(answer)) == answer
    finally:
        for s in clients:
            s.close()
    until(lambda: sockets(hub) == before, "the end of 5000 connections")
    assert is_served(hub)


def test_more_connections_than_descriptors(start_hub):
    hub = start_hub(prefix=["prlimit", "--nofile=200:200"])
    with Lines(hub) as first:
        assert first.ask("x") == "x"
        crowd = [connect(hub) for _ in range(400)]
        hub.wait_log("cannot take connections")
        assert first.ask("STORE k = v") == "1"
        for i in range(8):  # new files of the log are needed meanwhile
            assert first.ask(f"STORE k{i} = " + "x" * 1_000_000) == "1"
        for s in crowd:
            s.close()
        assert first.ask("GET k") == "v"
    until(lambda: lets_in(hub), "room for one more")
    assert is_served(hub)


def lets_in(hub):
    try:
        return bare(hub, "hello") == "hello"
    except ConnectionError:
        return False


def test_comings_and_goings_leave_no_descriptor_behind(hub):
    before = sockets(hub)
    for i in range(3000):
        s = connect(hub)
        if i % 3:
            s.sendall([b"hello\n", b"hel", resp("PING"), b"*2\r\n$4", b"\x00", b"\x16"][i % 6])
        if i % 2:
            s.close()
        else:
            reset(s)
    until(lambda: sockets(hub) == before, "the end of all connections")
    assert is_served(hub)


# ---- slow and greedy ----

def test_a_slow_reader_is_not_served_ahead_of_its_reading(hub):
    with redis.Redis("127.0.0.1", hub.port) as r:
        r.set("big", bytes(MIB))
        before = memory(hub)
        with connect(hub) as slow:
            slow.sendall(resp("GET", "big") * 500)
            for _ in range(50):
                assert is_served(hub)
                assert r.strlen("big") == MIB
            assert memory(hub) < before + 64 * MIB
            answer = b"$%d\r\n" % MIB + bytes(MIB) + b"\r\n"
            for _ in range(20):
                assert read_exactly(slow, len(answer)) == answer
    assert is_served(hub)


@pytest.mark.parametrize("text", [True, False], ids=["text", "RESP"])
def test_a_flood_that_is_never_read(hub, text):
    """The hub stops reading what it cannot answer; later everything is answered, in order."""
    before = memory(hub)
    with connect(hub) as s:
        s.setblocking(False)
        number, pending = 0, b""
        quiet = 0
        while quiet < 20:
            if not pending:
                word = b"%09d" % number * 100
                pending = word + b"\n" if text else resp("ECHO", word)
                number += 1
            try:
                pending = pending[s.send(pending):]
                quiet = 0
            except BlockingIOError:
                quiet += 1
                assert is_served(hub)
        assert memory(hub) < before + 64 * MIB
        s.settimeout(PATIENCE)
        sender = threading.Thread(target=lambda: (s.sendall(pending),
                                                  s.shutdown(socket.SHUT_WR)))
        sender.start()
        file = s.makefile("rb")
        for i in range(number):
            word = b"%09d" % i * 100
            if not text:
                assert file.readline() == b"$900\r\n"
            assert file.readline().rstrip() == word
        assert file.read() == b""
        sender.join()


def test_a_flood_from_several_while_others_are_served(hub):
    stop = threading.Event()

    def flood():
        with connect(hub) as s:
            while not stop.is_set():
                s.sendall(b"x" * 1000 + b"\n" + b"STORE k = v\n" * 100)
                read_exactly(s, 1001 + 2 * 100)

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for t in threads:
        t.start()
    try:
        for i in range(20):
            assert bare(hub, f"STORE own{i} = {i}") == "1"
            assert bare(hub, f"GET own{i}") == str(i)
    finally:
        stop.set()
        for t in threads:
            t.join()


# ---- what all connections hold together ----

LITTLE_MEMORY = """
#include <unistd.h>
long __sysconf(int name);
long sysconf(int name) { return name == _SC_PHYS_PAGES ? 1 : __sysconf(name); }
"""


@pytest.fixture
def little_memory(tmp_path):
    """Makes a program believe in a machine of no memory to speak of: its connections may hold
    256 MiB."""
    source, library = tmp_path / "little.c", tmp_path / "little.so"
    source.write_text(LITTLE_MEMORY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library)}


class Hoard:
    """Connections, each with a part of a value for the hub to hold."""

    def __init__(self, hub):
        self.hub, self.held = hub, {}
        self.client = redis.Redis("127.0.0.1", hub.port, socket_timeout=PATIENCE)

    def add(self, mib):
        s = connect(self.hub)
        s.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$60000000\r\n" + bytes(mib * MIB))
        self.held[s] = mib

    def total(self):
        return sum(self.held.values())

    def has_arrived(self):
        return self.client.info("memory")["mem_clients_normal"] >= self.total() * MIB

    def fill(self, total):
        while self.total() < total:
            self.add(min(16, total - self.total()))
        until(self.has_arrived, f"{total} MiB")

    def closed(self):
        return select.select(list(self.held), [], [], 0)[0]


def test_who_holds_most_of_all_is_closed_whichever_workers_he_is(start_hub, little_memory):
    hub = start_hub("--workers", 3, env=little_memory)
    hoard = Hoard(hub)
    for mib in range(20, 28):
        hoard.add(mib)
    for mib in range(27, 19, -1):
        hoard.fill(255)
        assert hoard.closed() == []
        hoard.add(2)
        [s] = until(hoard.closed, "an end to this")
        assert hoard.held.pop(s) == mib
        s.close()
    assert hub.log().count("closed the connection that held most") == 8
    assert is_served(hub)


# ---- broken off ----

PHASES = {
    "nothing said": b"",
    "half a line": b"STORE k = ha",
    "half a RESP start": b"*3\r",
    "half a RESP command": b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nxx",
    "a line": b"STORE k = v\n",
    "a bare message": b"STORE k = v",
    "a command": resp("SET", "k", "v"),
    "a pipeline": resp("SET", "k", "v") * 2000,
    "big answers to come": resp("GET", "big") * 20,
    "a big value under way": b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$30000000\r\n" + bytes(200_000),
    "a goodbye": resp("QUIT"),
    "HTTP": b"GET / HTTP/1.1\r\n",
    "a line without end": b"x" * (MIB + 1000),
    "a protocol error": b"*1\r\n+\r\n" + bytes(100_000),
}

LEAVING = {
    "closes": lambda s: s.close(),
    "resets": reset,
    "ends its input": lambda s: (s.shutdown(socket.SHUT_WR), s.close()),
    "ends both ways": lambda s: (s.shutdown(socket.SHUT_RDWR), s.close()),
}


@pytest.mark.parametrize("delay", [0, 30], ids=["at once", "delayed"])
@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING.keys())
def test_connections_broken_off_in_every_phase(start_hub, leave, delay):
    hub = start_hub("--delay", delay)
    before = sockets(hub)
    assert exchange(hub, resp("SET", "big", bytes(MIB))) == b"+OK\r\n"
    for data in PHASES.values():
        for wait in [False, True]:
            s = connect(hub)
            try:
                s.sendall(data)
                if wait:
                    assert is_served(hub)
                leave(s)
            except (BrokenPipeError, ConnectionResetError, OSError):
                s.close()  # the hub had closed it first
    until(lambda: sockets(hub) == before, "the end of all connections")
    assert is_served(hub)


def test_half_closed_is_still_answered(start_hub):
    hub = start_hub("--delay", 30)
    assert exchange(hub, b"STORE k = v\nGET k\nbare") == b"1\nv\nbare"
    assert exchange(hub, resp("GET", "k") * 3) == b"$1\r\nv\r\n" * 3
    assert exchange(hub, resp("GET", "k") + b"*1\r\n$4\r\nPI") == b"$1\r\nv\r\n"


# ---- nonsense ----

@pytest.mark.parametrize("start", [b"", b"x", b"*", b"*1\r\n$4\r\nPING\r\n", b"STORE k = v\n"],
                         ids=repr)
def test_random_bytes(hub, start):
    noise = random.Random(f"kith {start}")
    for _ in range(60):
        with connect(hub) as s:
            sender = threading.Thread(target=send_quietly, args=[
                s, start + noise.randbytes(noise.choice([3, 100, 5000, 100_000]))])
            sender.start()
            read_all(s)
            sender.join()
    assert is_served(hub)


def send_quietly(s, data):
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # closed on us: that is an answer, too


@pytest.mark.parametrize("seed", range(4))
def test_commands_with_a_few_bytes_changed(hub, seed):
    noise = random.Random(seed)
    good = (resp("SET", "k", "v") + resp("GET", "k") + resp("MSET", "a", "1", "b", "2") +
            resp("HELLO", "3") + resp("COMMAND", "DOCS", "get") + b"INCR n\r\n" +
            resp("CONFIG", "GET", "*") + resp("CLIENT", "SETNAME", "x") + resp("APPEND", "k", "w"))
    lines = b"STORE k = v\r\nGET k\nREPLIES full\n#HELP\nSTORE k = w\nGET none\necho\n"
    for _ in range(80):
        data = bytearray(noise.choice([good, lines]))
        for _ in range(noise.randrange(1, 6)):
            data[noise.randrange(len(data))] = noise.choice(b"\r\n\0*$:0123456789 =\"'\xff\x16")
        with connect(hub) as s:
            send_quietly(s, bytes(data))
            read_all(s)
    assert is_served(hub)


def test_who_is_gone_before_he_is_let_in_is_no_other_machine(hub):
    for _ in range(500):
        s = connect(hub)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.sendall(b"STORE x = y\nGET")
        s.close()
    assert is_served(hub)
    assert "another machine" not in hub.log()


def test_no_descriptor_left_for_the_log_is_no_failed_disk(hub):
    """The limit is taken away in the midst: the file that is ready is written to all the same, and
    what comes after it waits for a descriptor."""
    value = b"v" * 300_000
    before = resource.prlimit(hub.pid, resource.RLIMIT_NOFILE)
    with connect(hub) as s, s.makefile("rb") as replies:

        def store():
            s.sendall(resp("SET", "k", value))
            return replies.readline().strip()

        assert store() == b"+OK"
        resource.prlimit(hub.pid, resource.RLIMIT_NOFILE, (5, before[1]))
        answers = []

        def is_refused():
            answers.append(store())
            return answers[-1] != b"+OK"

        until(is_refused, "a refusal")
        assert answers[-1].startswith(b"-MISCONF the log's next file cannot be made")
        resource.prlimit(hub.pid, resource.RLIMIT_NOFILE, before)
        until(lambda: store() == b"+OK", "a write that is taken again")
    assert "the disk has failed" not in hub.log()


def test_a_file_as_large_as_it_may_be_is_no_end(hub):
    before = resource.prlimit(hub.pid, resource.RLIMIT_FSIZE)
    with connect(hub) as s, s.makefile("rb") as replies:

        def is_refused():
            s.sendall(resp("SET", "k", b"v" * 300_000))
            return replies.readline().strip().startswith(b"-MISCONF")

        resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (3 << 20, before[1]))
        until(is_refused, "a refusal")
        s.sendall(resp("GET", "nothing"))
        assert replies.readline().strip() == b"$-1"
        resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, before)
        until(lambda: not is_refused(), "a write that is taken again")


def test_a_transaction_of_very_many_commands(hub):
    count = 200_000
    with connect(hub) as s:
        sender = threading.Thread(target=s.sendall, args=[
            resp("MULTI") + b"".join(resp("SET", f"k{i}", str(i)) for i in range(count)) + resp("EXEC")])
        sender.start()
        answer = read_exactly(s, len(b"+OK\r\n" + b"+QUEUED\r\n" * count +
                                     b"*%d\r\n" % count + b"+OK\r\n" * count))
        sender.join()
    assert answer.endswith(b"+OK\r\n" * count)


def test_a_transaction_stops_no_hub(hub):
    with connect(hub) as s, s.makefile("rb") as replies:
        s.sendall(resp("MULTI") + resp("SET", "k", "v") + resp("SHUTDOWN") + resp("EXEC"))
        assert [replies.readline().strip() for _ in range(2)] == [b"+OK", b"+QUEUED"]
        assert replies.readline().strip().startswith(b"-ERR not possible within a transaction")
        assert replies.readline().strip().startswith(b"-EXECABORT")
    assert is_served(hub)
