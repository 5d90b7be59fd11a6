"""Goal: every function of libkith does what its header says, on a real hub and on what is none,
and harms no program it is in."""

import os
import resource
import socket
import subprocess
import threading

import pytest
from hubs import PATIENCE, build
from puppet import Puppet
from talk import connect, read_all, resp

HELLO = b"%1\r\n$6\r\nserver\r\n$4\r\nkith\r\n"
FOLLOWS = b">3\r\n$6\r\nfollow\r\n$0\r\n\r\n:1\r\n"
ANY = bytes(range(256))


@pytest.fixture
def start_puppet(start_hub):
    """Starts as many as wanted; all end in good order, before the hubs do."""
    started = []

    def start(**how):
        puppet = Puppet(**how)
        started.append(puppet)
        return puppet

    yield start
    codes = [puppet.process.returncode if puppet.process.returncode is not None else puppet.end()
             for puppet in started]
    assert codes == [0] * len(started)


@pytest.fixture
def puppet(start_puppet, hub):
    p = start_puppet()
    assert p.open(hub.where) == "OK", p.problem
    return p


# ---- values

def test_values_come_and_go(puppet):
    assert puppet.get("color") == "MISSING"
    assert puppet.store("color", "blue") == "OK"
    assert puppet.get("color") == b"blue"
    assert puppet.store("color", "green") == "OK"
    assert puppet.get("color") == b"green"
    assert puppet.delete("color") == "OK"
    assert puppet.delete("color") == "MISSING"
    assert puppet.get("color") == "MISSING"
    assert puppet.problem == ""


@pytest.mark.parametrize("value", [b"", b"\0", b"a\r\nb", ANY, ANY * 5000],
                         ids=["empty", "NUL", "lines", "any", "1.2 MiB"])
def test_any_bytes(hub, puppet, value):
    key = ANY + b"key"
    assert puppet.store(key, value) == "OK"
    assert puppet.get(key) == value
    assert puppet.echo(value) == value
    assert puppet.update_if(key, value, b"new" + value) == "OK"
    assert puppet.get(key) == b"new" + value
    assert puppet.delete(key) == "OK"


def test_others_see_it(hub, puppet):
    assert puppet.store("motto", "we never QUIT") == "OK"
    assert hub.kith("get", "motto").stdout == b"we never QUIT\n"
    assert hub.kith("store", "motto", "new").returncode == 0
    assert puppet.get("motto") == b"new"


def test_update_only_if(puppet):
    assert puppet.update_if("k", "old", "new") == "DIFFERS"
    assert puppet.get("k") == "MISSING"
    assert puppet.update_if("k", None, "one") == "OK"
    assert puppet.update_if("k", None, "two") == "DIFFERS"
    assert puppet.update_if("k", "", "two") == "DIFFERS"
    assert puppet.get("k") == b"one"
    assert puppet.update_if("k", "one", "") == "OK"
    assert puppet.update_if("k", "", "three") == "OK"
    assert puppet.get("k") == b"three"


def test_a_value_that_would_have_expired_stays(hub, puppet):
    with connect(hub) as s:
        s.sendall(resp("SET", "k", "v", "PX", "100000") + resp("QUIT"))
        read_all(s)
    assert puppet.store("k", "w") == "OK"
    with connect(hub) as s:
        s.sendall(resp("TTL", "k") + resp("QUIT"))
        assert read_all(s) == b":-1\r\n+OK\r\n"


def test_the_largest(puppet):
    """The limits are for the hub to keep; what is past them does not cost the connection."""
    key = b"k" * 65536
    assert puppet.store(key, "v") == "OK"
    assert puppet.get(key) == b"v"
    for refuse in (lambda: puppet.store(key + b"k", "v"), lambda: puppet.get(key + b"k"),
                   lambda: puppet.delete(""), lambda: puppet.update_if("", None, "v"),
                   lambda: puppet.watch(key + b"k"), lambda: puppet.store(None, "v")):
        puppet.problem = None
        assert (refuse(), puppet.problem) == ("INVALID", "a key is 1 byte to 64 KiB")
    large = 64 << 20
    assert puppet.result("store-large", "6b", large) == "OK"
    assert puppet.result("echo-large", large) == "OK"
    for refuse in (lambda: puppet.result("store-large", "6b", large + 1),
                   lambda: puppet.result("echo-large", large + 1), lambda: puppet.store("k", None)):
        assert (refuse(), puppet.problem) == ("INVALID", "a value is at most 64 MiB")
    assert puppet.get("another") == "MISSING"


def test_the_largest_that_is_compared_and_stored(puppet):
    """What goes to the hub together has a limit together."""
    large, small = 64 << 20, (1 << 20) - len("STORE" + "k" + "IFEQ")
    for old, new in [(large, small), (small, large)]:
        assert puppet.result("update-large", "6b", old, new) == "DIFFERS"
    for old, new in [(large, small + 1), (small + 1, large), (large, large)]:
        assert puppet.result("update-large", "6b", old, new) == "INVALID"
        assert puppet.problem == "key, old and new value together are at most 65 MiB less 9 bytes"
    assert puppet.get("k") == "MISSING"


def test_answers_of_every_length_around_a_read(start_puppet, start_hub, tmp_path):
    """16 KiB are read at once: where an answer ends just there, nothing more is waited for."""
    hub = start_hub(listen=tmp_path / "hub.sock")
    puppet = start_puppet()
    assert puppet.open(hub.where) == "OK"
    for n in range(16384 - 12, 16384 - 8):
        assert puppet.echo(b"x" * n) == b"x" * n


# ---- changes

def test_changes_are_told(hub, puppet):
    assert puppet.watch("co") == "OK"
    hub.kith("store", "color", "blue")
    hub.kith("store", "other", "blue")
    hub.kith("store", "color", "")
    hub.kith("del", "color")
    hub.kith("store", "--expire", "20ms", "coming", "soon gone")
    assert [puppet.next() for _ in range(5)] == [
        ("set", b"color", b"blue"), ("set", b"color", b""), ("deleted", b"color", b""),
        ("set", b"coming", b"soon gone"), ("expired", b"coming", b"")]
    with connect(hub) as s:
        s.sendall(resp("FLUSHALL") + resp("QUIT"))
        assert read_all(s) == b"+OK\r\n+OK\r\n"
    assert puppet.next() == ("flushed", b"", b"")
    assert puppet.next(0) == "NOTHING"
    assert puppet.next(20) == "NOTHING"


def test_a_large_change(start_puppet, hub, puppet):
    other = start_puppet()
    assert other.open(hub.where) == "OK"
    assert puppet.watch() == "OK"
    assert other.store("large", ANY * 20000) == "OK"
    assert puppet.next() == ("set", b"large", ANY * 20000)


def test_changes_come_between_answers(puppet):
    """Its own changes, too; none is lost, and each call gets its own answer."""
    assert puppet.watch("a") == "OK"
    assert puppet.watch("b") == "OK"
    assert puppet.watch("a") == "OK"
    for i in range(100):
        assert puppet.store(f"a{i}", i) == "OK"
        assert puppet.get(f"a{i}") == str(i).encode()
    assert puppet.delete("a7") == "OK"
    assert puppet.store("b", ANY) == "OK"
    expected = [("set", b"a%d" % i, b"%d" % i) for i in range(100)]
    assert [puppet.next() for _ in range(100)] == expected
    assert puppet.next() == ("deleted", b"a7", b"")
    assert puppet.get("b") == ANY
    assert puppet.next() == ("set", b"b", ANY)
    assert puppet.next(0) == "NOTHING"


def test_waiting_at_the_descriptor(hub, puppet):
    assert puppet.watch("k") == "OK"
    assert puppet.next(0) == "NOTHING"
    assert puppet.ask("poll", 0)[0] == 0
    puppet.tell("poll", PATIENCE * 1000)
    hub.kith("store", "k", "v")
    assert puppet.hear()[0] == 1
    assert puppet.next() == ("set", b"k", b"v")
    assert puppet.next(0) == "NOTHING"
    assert puppet.ask("poll", 0)[0] == 0


def test_nothing_is_watched(puppet):
    assert puppet.next() == "INVALID"
    assert puppet.problem == "nothing is watched"
    assert puppet.is_open()


# ---- hubs that go, say nothing, or are none

def test_there_is_no_hub(start_puppet, tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)) # and nobody listens
        port = s.getsockname()[1]
        puppet = start_puppet()
        assert puppet.open(f":{port}") == "UNREACHABLE"
        assert puppet.problem == f"nothing to connect to at 127.0.0.1:{port}: connection refused"
    for call in (puppet.store("k", "v"), puppet.get("k"), puppet.delete("k"), puppet.echo("k"),
                 puppet.update_if("k", None, "v"), puppet.watch(), puppet.next(), puppet.store("", "")):
        assert call == "UNREACHABLE" and "connection refused" in puppet.problem
    assert not puppet.is_open()
    assert puppet.ask("fd")[0] == -1
    puppet.close()
    assert puppet.open(tmp_path / "none") == "UNREACHABLE"
    assert puppet.problem == f"nothing to connect to at {tmp_path}/none: there is no such socket"
    puppet.close()
    assert puppet.open("host.invalid") == "UNREACHABLE"


@pytest.mark.parametrize("where, problem", [
    ("", ": it is empty"), ("12345", "12345: a port alone is written :PORT"),
    ("host:x", "host:x: a port is a number from 1 to 65535")])
def test_no_place(start_puppet, where, problem):
    puppet = start_puppet()
    assert puppet.open(where) == "INVALID"
    assert puppet.problem == problem
    assert not puppet.is_open()


def test_where_nobody_says(start_puppet, hub):
    puppet = start_puppet(env={"KITH_HUB": hub.where})
    assert puppet.open() == "OK"
    assert puppet.echo("hello") == b"hello"
    puppet = start_puppet(env={"KITH_HUB": "host:x"})
    assert puppet.open() == "INVALID"
    assert puppet.problem == "KITH_HUB host:x: a port is a number from 1 to 65535"
    puppet.close()
    assert puppet.open(hub.where) == "OK"


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "unix"])
def test_the_hub_is_gone(start_puppet, start_hub, tmp_path, listen):
    """On a Unix socket writing to it raises SIGPIPE, which would end the program."""
    hub = start_hub(listen=tmp_path / "hub.sock" if listen == "unix" else listen)
    puppet = start_puppet()
    assert puppet.open(hub.where) == "OK"
    assert puppet.store("k", "v") == "OK"
    hub.kill()
    assert puppet.store("k", "w") == "LOST"
    assert hub.where in puppet.problem
    said = puppet.problem
    hub.restart()
    assert puppet.get("k") == "LOST"
    assert puppet.problem == said
    assert not puppet.is_open()
    puppet.close()
    assert puppet.open(hub.where) == "OK"
    assert puppet.get("k") == b"v"


def test_the_hub_is_gone_while_changes_are_waited_for(hub, puppet):
    assert puppet.watch() == "OK"
    puppet.tell("store", "6b", "76") # k, v
    assert puppet.hear()[0] == 0
    hub.stop()
    assert puppet.echo("hello") == "LOST"
    assert puppet.next() == ("set", b"k", b"v")
    assert puppet.next() == "LOST"
    assert puppet.problem == f"{hub.where} closed the connection"


class Impostor:
    """Listens as a hub does; says what the test wants, and reads what comes only if it shall."""

    def __init__(self, *says, reads=True, path=None):
        self.says = says
        self.reads = reads
        if path:
            self.listener = socket.create_server(str(path), family=socket.AF_UNIX)
            self.where = str(path)
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.where = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection:
            for says in self.says:
                connection.recv(65536)
                connection.sendall(says)
            if self.reads:
                read_all(connection)
            self.over.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.over.set()
        self.thread.join(PATIENCE)
        self.listener.close()


def check_silent(puppet, where):
    assert puppet.problem == f"{where} gave no answer in time"
    assert not puppet.is_open()
    assert puppet.get("k") == "SILENT"
    puppet.close()


def test_a_hub_that_says_nothing(start_puppet):
    puppet = start_puppet()
    with Impostor() as silent:
        assert puppet.open(silent.where, 50) == "SILENT"
        check_silent(puppet, silent.where)


def test_a_hub_that_falls_silent(start_puppet):
    puppet = start_puppet()
    with Impostor(HELLO, b"$5\r\nhe") as silent:
        assert puppet.open(silent.where, 50) == "OK"
        assert puppet.echo("hello") == "SILENT"
        check_silent(puppet, silent.where)


@pytest.mark.parametrize("path", [None, "hub.sock"], ids=["TCP", "Unix"])
def test_a_hub_that_does_not_read(start_puppet, tmp_path, path):
    puppet = start_puppet()
    with Impostor(HELLO, reads=False, path=path and tmp_path / path) as silent:
        assert puppet.open(silent.where, 50) == "OK"
        assert puppet.result("store-large", "6b", 64 << 20) == "SILENT"
        check_silent(puppet, silent.where)


def test_changes_that_come_while_it_sends(start_puppet, tmp_path):
    """A hub that reads no further before what it says is taken, which a Unix socket makes it wait
    for."""
    change = b">5\r\n$6\r\nchange\r\n$0\r\n\r\n$3\r\nset\r\n$1\r\nk\r\n$%d\r\n%s\r\n" % (900000, b"v" * 900000)
    puppet = start_puppet()
    with Impostor(HELLO, FOLLOWS, change + b"+Saved\r\n", path=tmp_path / "hub.sock") as hub:
        assert puppet.open(hub.where) == "OK"
        assert puppet.watch() == "OK"
        assert puppet.result("store-large", "6b", 8 << 20) == "OK"
        assert puppet.next() == ("set", b"k", b"v" * 900000)
        puppet.close()


@pytest.mark.parametrize("says", [b">1\r\n$4\r\nnews\r\n", b">0\r\n", b"+OK\r\n", FOLLOWS[1:]])
def test_what_does_not_answer_a_watch(start_puppet, says):
    puppet = start_puppet()
    with Impostor(HELLO, says) as impostor:
        assert puppet.open(impostor.where) == "OK"
        assert puppet.watch() == "FOREIGN"
        puppet.close()


def test_a_name_that_nobody_looks_up(start_puppet, aside, tmp_path):
    """The resolver waits longer than the program will, and does not keep it from ending."""
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.1\noptions timeout:30 attempts:5\n")
    server = subprocess.Popen([*aside, "/usr/bin/python3", "-c", """if True:
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("192.0.2.1", 53))
        print("ready", flush=True)
        print(s.recv(1000)[-4:].hex(), flush=True) # what is asked for
        sys.stdin.read()"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == "ready\n"
        puppet = start_puppet(prefix=[*aside, "unshare", "--mount", "sh", "-c",
                                      'mount --bind "$0" /etc/resolv.conf && exec "$@"',
                                      tmp_path / "resolv.conf"])
        assert puppet.open("hub.example", 300) == "SILENT"
        assert puppet.problem == "hub.example:12345 gave no answer in time"
        assert server.stdout.readline() in ("00010001\n", "001c0001\n")
        assert puppet.end() == 0
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("says", [
    (b"220 mail.example ESMTP\r\n",), (b"HTTP/1.1 400 Bad Request\r\n\r\n",), (b"\0\0\0",), (b"+OK\r\n",),
    (b"-ERR unknown command 'HELLO'\r\n",), (b"-NOAUTH first say who you are\r\n",),
    (b"%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n",), (b"%0\r\n",), (b"*0\r\n",),
    (b">1\r\n$4\r\nnews\r\n",), (HELLO + b"+OK\r\n", b""), (HELLO, b":1\r\n"), (HELLO, b"+OK\r\n"),
    (HELLO, b"*1\r\n$1\r\nx\r\n"), (HELLO, FOLLOWS), (HELLO, b"$x\r\n")],
    ids=lambda says: repr(says[-1]))
def test_what_is_no_hub(start_puppet, says):
    puppet = start_puppet()
    with Impostor(*says) as impostor:
        opened = puppet.open(impostor.where)
        if len(says) > 1:
            assert opened == "OK"
            assert puppet.get("k") == "FOREIGN"
        else:
            assert opened == "FOREIGN"
        assert puppet.problem == f"what answers at {impostor.where} is not a kith hub"
        assert puppet.store("k", "v") == "FOREIGN"
        puppet.close()


def test_changes_nobody_takes(start_puppet):
    """The library keeps 32 MiB of them, and says that more came."""
    puppet = start_puppet()
    change = b">5\r\n$6\r\nchange\r\n$0\r\n\r\n$3\r\nset\r\n$1\r\nk\r\n$%d\r\n%s\r\n" % (1 << 20, b"v" * (1 << 20))
    with Impostor(HELLO, FOLLOWS, change * 34) as flood:
        assert puppet.open(flood.where) == "OK"
        assert puppet.watch() == "OK"
        assert puppet.get("k") == "LOST"
        assert puppet.problem.startswith("more than 32 MiB of changes were not taken")
        for _ in range(32):
            assert puppet.next() == ("set", b"k", b"v" * (1 << 20))
        assert puppet.next() == "LOST"
        puppet.close()


# ---- refusals

@pytest.fixture
def aside():
    """What runs a program where 192.0.2.1 is an address of the machine, and no loopback's."""
    name = f"kith-aside-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for change in ("link set lo up", "addr add 192.0.2.1/32 dev lo"):
            subprocess.run(["ip", "-n", name, *change.split()], check=True)
        yield ["ip", "netns", "exec", name]
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_not_allowed(start_puppet, start_hub, aside):
    hub = start_hub(listen="192.0.2.1:0", prefix=aside)
    puppet = start_puppet(prefix=aside)
    assert puppet.open(hub.where) == "OK"
    assert puppet.echo("hello") == b"hello"
    for words in ("store 6b 76", "get 6b", "delete 6b", "update 6b - 76", "watch ."):
        assert puppet.result(*words.split()) == "DENIED"
        assert puppet.problem.startswith("not allowed: NOPERM ") and "--open" in puppet.problem
    assert puppet.is_open()
    assert puppet.echo("still here") == b"still here"


def test_the_hubs_own_words(start_puppet, start_hub):
    hub = start_hub("--maxmemory", "64k")
    puppet = start_puppet()
    assert puppet.open(hub.where) == "OK"
    assert puppet.store("large", "v" * 65536) == "OK"
    assert puppet.store("k", "v") == "REFUSED"
    assert puppet.problem.startswith("the hub did not do it: OOM ")
    assert puppet.get("k") == "MISSING"


def test_the_hubs_words_are_made_fit_to_show(start_puppet):
    puppet = start_puppet()
    with Impostor(HELLO, b"-ERR \x1b[2J\xff" + b"a" * 2000 + b"\r\n") as rude:
        assert puppet.open(rude.where) == "OK"
        assert puppet.get("k") == "REFUSED"
        assert puppet.problem.startswith("the hub did not do it: ERR \\x1b[2J\\xffaaa")
        assert len(puppet.problem) < 500
        puppet.close()


# ---- what a program has with it

def test_nothing_is_left_open(hub, start_puppet):
    puppet = start_puppet()

    def descriptors():
        return len(os.listdir(f"/proc/{puppet.process.pid}/fd"))

    def cycle():
        assert puppet.open(hub.where) == "OK"
        assert puppet.store("k", "v") == "OK"
        puppet.close()
        return descriptors()

    first = cycle()
    assert [cycle() for _ in range(10)] == [first] * 10
    assert len(os.listdir(f"/proc/{puppet.process.pid}/task")) == 1


@pytest.mark.parametrize("where", ["127.0.0.1:1", "unix:none"])
@pytest.mark.parametrize("limit", [3, 4, 5, 6])
def test_a_program_that_has_hardly_a_descriptor_left(start_puppet, where, limit):
    puppet = start_puppet()
    assert not puppet.is_open()
    before = resource.prlimit(puppet.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(puppet.process.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    assert puppet.open(where) == "UNREACHABLE"
    if limit == 3:
        shown = where.removeprefix("unix:")
        assert puppet.problem == f"nothing to connect to at {shown}: too many open files"
    resource.prlimit(puppet.process.pid, resource.RLIMIT_NOFILE, before)


def guestbook(hub, *words, **how):
    return subprocess.Popen([build() / "examples/guestbook", *words], stdout=subprocess.PIPE, text=True,
                            env={**os.environ, "KITH_HUB": hub.where}, **how)


def test_the_example(hub):
    follower = guestbook(hub)
    assert follower.stdout.readline() == "Watching.\n"
    guests = [guestbook(hub, f"guest {i} was here") for i in range(8)]
    said = sorted(guest.communicate(timeout=PATIENCE)[0] for guest in guests)
    assert said == [f"You are guest {i}.\n" for i in range(1, 9)]
    assert [guest.returncode for guest in guests] == [0] * 8
    seen = [follower.stdout.readline()[:-1].split(": ") for _ in guests]
    assert sorted(key for key, _ in seen) == [f"guest:{i}" for i in range(1, 9)]
    assert sorted(words for _, words in seen) == [f"guest {i} was here" for i in range(8)]
    hub.stop()
    assert follower.wait(PATIENCE) == 1
    follower.stdout.close()


def test_the_example_without_a_hub(hub):
    hub.stop()
    guest = guestbook(hub, "hello", stderr=subprocess.PIPE)
    said, complaint = guest.communicate(timeout=PATIENCE)
    assert (guest.returncode, said) == (1, "")
    assert complaint == f"guestbook: nothing to connect to at {hub.where}: connection refused\n"
