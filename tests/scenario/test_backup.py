"""Copies of all a hub has: kith backup, and kith export and import."""

import base64
import json
import os
import signal
import socket
import subprocess
import threading

import pytest

from hubs import PATIENCE, Hub, run_kith, run_kithd, until
from talk import connect, exchange, resp
from test_access import STRANGER


class Counter:
    """Stores 0, 1, 2 ... under n and k0, k1 ..., both at once, until it is told to stop."""

    def __init__(self, hub):
        self.hub = hub
        self.done = -1
        self.stopping = False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with connect(self.hub) as s:
            while not self.stopping:
                i = self.done + 1
                s.sendall(resp("MSET", "n", str(i), f"k{i}", str(i) * 50))
                assert s.recv(100) == b"+OK\r\n"
                self.done = i

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *why):
        self.stopping = True
        self.thread.join(PATIENCE)


def fill(hub, n=2000):
    exchange(hub, b"".join(resp("SET", f"f{i}", f"{i} " * 40) for i in range(n)))


def answers(hub, *argv):
    return exchange(hub, resp(*argv))


def test_a_backup_beside_writers_and_checkpoints(start_hub, tmp_path):
    hub = start_hub("named")
    fill(hub)
    with Counter(hub) as counter:
        for i in range(4):
            until(lambda: counter.done > i * 50, "some writes")
            before = counter.done
            answers(hub, "BGSAVE")
            done = hub.kith("backup", tmp_path / f"copy-{i}")
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith(b"Backed up, and read back: ")
            after = counter.done + 1
            check_copy(start_hub, tmp_path / f"copy-{i}", before, after)
    assert not list(tmp_path.glob("*.partial"))


def check_copy(start_hub, folder, before, after):
    """It is as the hub was after some write between those two."""
    checked = run_kithd("--check", folder)
    assert checked.returncode == 0 and "It is whole." in checked.stdout, checked
    copy = start_hub(data=folder)
    n = int(copy.kith("get", "n").stdout)
    assert before <= n <= after
    keys = set(copy.kith("ls", "k").stdout.decode().split())
    assert keys == {f"k{i}" for i in range(n + 1)}
    assert len(copy.kith("ls", "f").stdout.split()) == 2000
    assert copy.kith("get", "f1999").stdout == b"1999 " * 40 + b"\n"
    assert copy.kith("name").stdout == b"named\n"
    copy.stop()


def test_what_was_answered_is_in_it_even_where_no_answer_waits(start_hub, tmp_path):
    hub = start_hub("--durability", "second")
    for i in range(2):
        assert hub.kith("store", "n", str(i)).returncode == 0
        assert hub.kith("backup", tmp_path / f"copy-{i}").returncode == 0
        copy = start_hub(data=tmp_path / f"copy-{i}")
        assert copy.kith("get", "n").stdout == f"{i}\n".encode()


def test_large_values_and_expiry_are_in_it(hub, start_hub, tmp_path):
    large = os.urandom(9_000_000)
    assert hub.kith("store", "large", "-", input=large).returncode == 0
    assert hub.kith("store", "short", "x", "--expire", "1h").returncode == 0
    when = answers(hub, "PEXPIRETIME", "short")
    assert hub.kith("backup", tmp_path / "copy").returncode == 0
    copy = start_hub(data=tmp_path / "copy")
    assert copy.kith("get", "large").stdout == large + b"\n"
    assert answers(copy, "PEXPIRETIME", "short") == when


def test_it_does_not_touch_what_is_there(hub, tmp_path):
    for make in (lambda p: p.mkdir(), lambda p: p.write_text("mine"),
                 lambda p: p.symlink_to("nowhere")):
        path = tmp_path / "there"
        make(path)
        done = hub.kith("backup", path)
        assert done.returncode == 2 and b"is there already" in done.stderr
        path.rmdir() if path.is_dir() else path.unlink()
    assert hub.kith("backup").returncode == 2
    assert hub.kith("backup", "").returncode == 2


def test_one_that_broke_off_is_begun_again(hub, tmp_path):
    partial = tmp_path / "copy.partial"
    partial.mkdir(mode=0o700)
    (partial / "log-0000000000000001").write_bytes(b"half of one")
    (partial / "checkpoint").write_bytes(b"half of one")
    fill(hub, 10)
    done = hub.kith("backup", f"{tmp_path}/copy/")
    assert done.returncode == 0, done.stderr
    assert not partial.exists()
    assert run_kithd("--check", tmp_path / "copy").returncode == 0


def test_a_folder_that_lost_a_file_is_not_copied(hub, tmp_path):
    fill(hub, 10)
    log = min(hub.data.glob("log-*"))
    log.rename(tmp_path / "lost")
    done = hub.kith("backup", tmp_path / "copy")
    assert done.returncode == 1 and b"files are missing from the hub's data folder" in done.stderr, done
    assert not list(tmp_path.glob("copy*"))
    (tmp_path / "lost").rename(log)
    assert hub.kith("backup", tmp_path / "copy").returncode == 0


def test_a_full_disk_leaves_nothing(hub, tmp_path):
    fill(hub)
    limited = ["sh", "-c", 'ulimit -f 200; trap "" XFSZ; exec "$0" "$@"', hub.build / "kith",
               "--hub", hub.where, "backup", tmp_path / "copy"]
    done = subprocess.run(limited, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 6 and b"copy.partial: " in done.stderr, done
    assert not list(tmp_path.glob("copy*"))


class Between:
    """A door to a hub that hands on what it answers, changed; None: it closes there."""

    def __init__(self, hub, change):
        self.hub, self.change = hub, change
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run)

    def run(self):
        client, _ = self.listener.accept()
        with client, connect(self.hub) as to_hub:
            back = threading.Thread(target=self.hand_back, args=(client, to_hub))
            back.start()
            try:
                while some := client.recv(65536):
                    to_hub.sendall(some)
                to_hub.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            back.join(PATIENCE)

    def hand_back(self, client, to_hub):
        while some := to_hub.recv(1 << 20):
            some = self.change(some)
            if some is None:
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(some)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *why):
        self.thread.join(PATIENCE)
        self.listener.close()


def test_a_hub_that_goes_away_leaves_nothing(hub, tmp_path):
    fill(hub)
    passed = 0

    def cut(data):
        nonlocal passed
        passed += len(data)
        return data if passed < 65536 else None

    with Between(hub, cut) as door:
        done = run_kith(hub.build, "--hub", f":{door.port}", "backup", tmp_path / "copy")
    assert done.returncode == 3 and b"closed the connection" in done.stderr, done
    assert not list(tmp_path.glob("copy*"))


def test_a_copy_that_is_not_whole_is_none(hub, tmp_path):
    """A byte that changes on its way is found when the copy is read back."""
    fill(hub, 100)
    with Between(hub, lambda data: data.replace(b"50 50 50", b"50 51 50")) as door:
        done = run_kith(hub.build, "--hub", f":{door.port}", "backup", tmp_path / "copy")
    assert done.returncode == 6 and b"the copy is not whole: log-" in done.stderr, done
    assert not list(tmp_path.glob("copy*"))


FORGED = {
    "a path": b"*1\r\n*3\r\n$5\r\n../up\r\n:1\r\n:1\r\n",
    "an absolute one": b"*1\r\n*3\r\n$8\r\n/tmp/log\r\n:1\r\n:1\r\n",
    "a name that is none": b"*1\r\n*3\r\n$4\r\nlock\r\n:1\r\n:1\r\n",
    "more bytes than the file has": b"*1\r\n*3\r\n$10\r\ncheckpoint\r\n:2\r\n:1\r\n",
    "negative bytes": b"*1\r\n*3\r\n$10\r\ncheckpoint\r\n:-1\r\n:1\r\n",
    "no files": b"*0\r\n",
    "numbers for files": b"*2\r\n:1\r\n:2\r\n",
    "a number": b":1\r\n",
}


@pytest.mark.parametrize("answer", FORGED.values(), ids=FORGED.keys())
def test_a_hub_that_lies(build, tmp_path, answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        kith = subprocess.Popen([build / "kith", "--hub", f":{port}", "backup",
                                 tmp_path / "copy"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        client, _ = listener.accept()
        with client:
            client.recv(1000)
            client.sendall(answer)
            said = kith.communicate(timeout=PATIENCE)
    assert kith.returncode == 3 and b"is not a kith hub" in said[1], said
    assert not list(tmp_path.iterdir())


def test_backup_is_for_those_who_may(hub):
    done = subprocess.run(["nc", "-N", "127.0.0.1", str(hub.port)], input=resp("BACKUP"),
                          capture_output=True, timeout=PATIENCE, user=STRANGER, group=STRANGER,
                          extra_groups=[], cwd="/")
    assert done.stdout.startswith(b"-NOPERM "), done


def test_backup_as_a_protocol(hub):
    fill(hub, 10)
    with connect(hub) as s:
        s.sendall(resp("BACKUP", "READ", "0", "0", "1"))
        assert s.recv(1000).startswith(b"-ERR no backup is open")
        s.sendall(resp("BACKUP"))
        assert s.recv(1000).startswith(b"*1\r\n*3\r\n$20\r\nlog-0000000000000001\r\n:")
        s.sendall(resp("BACKUP", "READ", "0", "0", "7"))
        assert s.recv(1000) == b"$7\r\nkithlog\r\n"
        for wrong in [("0", "0", "0"), ("1", "0", "1"), ("0", "99999999", "1"), ("0", "0", "-1"),
                      ("0", "0", "1048577"), ("x", "0", "1"), ("0", "0", str(1 << 64))]:
            s.sendall(resp("BACKUP", "READ", *wrong))
            assert s.recv(1000).startswith(b"-ERR no such part"), wrong
        s.sendall(resp("BACKUP"))
        assert s.recv(1000).startswith(b"-ERR a backup is open")
        s.sendall(resp("BACKUP", "EAT"))
        assert s.recv(1000) == b"-ERR syntax error\r\n"
        s.sendall(resp("PING"))
        assert s.recv(1000) == b"+PONG\r\n"


@pytest.mark.parametrize("words", [["READ", "0", "0", "1"], ["EAT"]], ids=lambda words: words[0])
def test_one_that_was_never_begun_ends(hub, words):
    for _ in range(3):
        with connect(hub) as s:
            s.sendall(resp("BACKUP", *words))
            assert s.recv(1000).startswith(b"-ERR ")
        assert exchange(hub, resp("PING")) == b"+PONG\r\n"


def test_a_stop_while_one_waits_for_the_log(start_hub):
    hub = start_hub("--durability", "second")
    for i in range(5):
        with connect(hub) as s:
            s.sendall(resp("SET", "n", str(i)))
            assert s.recv(100) == b"+OK\r\n"
            s.sendall(resp("BACKUP"))
            hub.signal(signal.SIGTERM)
            assert hub.wait() == 0
        hub.restart()
        assert hub.kith("get", "n").stdout == b"%d\n" % i


def test_what_is_not_its_own_stays(hub, tmp_path):
    fill(hub)
    partial = tmp_path / "copy.partial"
    partial.mkdir(mode=0o700)
    (partial / "notes.txt").write_text("precious")
    limited = ["sh", "-c", 'ulimit -f 200; trap "" XFSZ; exec "$0" "$@"', hub.build / "kith",
               "--hub", hub.where, "backup", tmp_path / "copy"]
    assert subprocess.run(limited, capture_output=True, timeout=PATIENCE).returncode == 6
    assert [p.name for p in partial.iterdir()] == ["notes.txt"]
    (partial / "notes.txt").unlink()
    partial.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    partial.symlink_to("elsewhere")
    done = hub.kith("backup", tmp_path / "copy")
    assert done.returncode == 6 and b"is a symbolic link: remove it" in done.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


def test_there_is_no_folder_to_make_it_in(hub, tmp_path):
    done = hub.kith("backup", tmp_path / "unmounted" / "copy")
    assert done.returncode == 2 and b"there is no folder" in done.stderr
    assert not (tmp_path / "unmounted").exists()


def descriptors(hub):
    return len(os.listdir(f"/proc/{hub.pid}/fd"))


def test_who_leaves_in_the_middle_leaves_nothing_open(hub):
    fill(hub)
    before = None
    for _ in range(20):
        with connect(hub) as s:
            s.sendall(resp("BACKUP"))
            s.recv(1000)
        with connect(hub) as s: # gone before it is answered
            s.sendall(resp("BACKUP") + resp("BACKUP", "READ", "0", "0", "1048576") * 5)
        before = before or until(lambda: descriptors(hub), "descriptors")
    until(lambda: descriptors(hub) <= before, "as many descriptors as in the beginning")
    assert hub.is_running()


def test_a_stop_in_the_middle(start_hub, tmp_path):
    for _ in range(2):
        hub = start_hub()
        fill(hub)
        with connect(hub) as s:
            s.sendall(resp("BACKUP") + resp("BACKUP", "READ", "0", "0", "100000") * 50)
            hub.signal(signal.SIGTERM)
            assert hub.wait() == 0


# ---- export, import


ODD = {b"plain": b"value", b"e\xc3\xa4": "h\u00e9\U0001f600".encode(), b"\xff\xfe": b"\0\x01\xff",
       b'q"\\': b'"\\\n\r\t', b"empty": b"", b"nul\0": b"\0", b"bidi\xe2\x80\xae": b"\xc2\x9b",
       b"k" * 65536: b"v" * 300_000}


def test_export_and_import(hub, start_hub, tmp_path):
    for key, value in ODD.items():
        assert answers(hub, "SET", key, value) == b"+OK\r\n"
    answers(hub, "SET", "ends", "1", "PXAT", "32503680000123")
    out = hub.kith("export")
    assert out.returncode == 0 and out.stderr == b""
    entries = [json.loads(line) for line in out.stdout.splitlines()]
    assert {key_of(e): value_of(e) for e in entries} == ODD | {b"ends": b"1"}
    assert {key_of(e): e["expires_ms"] for e in entries if "expires_ms" in e} == {
        b"ends": 32503680000123}
    (tmp_path / "file").write_bytes(out.stdout)
    other = start_hub()
    answers(other, "SET", "plain", "is overwritten")
    done = other.kith("import", tmp_path / "file")
    assert done.returncode == 0 and done.stdout == b"Imported 9 entries\n", done
    assert sorted(other.kith("export").stdout.splitlines()) == sorted(out.stdout.splitlines())


def key_of(e):
    return e["key"].encode() if "key" in e else base64.b64decode(e["key_base64"])


def value_of(e):
    return e["value"].encode() if "value" in e else base64.b64decode(e["value_base64"])


def test_export_of_a_prefix(hub):
    fill(hub, 100)
    for key in ["x*y", "xay", "x"]:
        hub.kith("store", key, "1")
    keys = [json.loads(line)["key"] for line in hub.kith("export", "x*").stdout.splitlines()]
    assert keys == ["x*y"]
    assert hub.kith("export", "nothing").stdout == b""


def test_many_entries_there_and_back(hub, start_hub):
    fill(hub, 30_000)
    out = hub.kith("export").stdout
    assert out.count(b"\n") == 30_000
    other = start_hub()
    assert other.kith("import", "-", input=out).stdout == b"Imported 30000 entries\n"
    assert sorted(other.kith("export").stdout.splitlines()) == sorted(out.splitlines())


def test_export_of_large_values(hub, start_hub):
    values = [os.urandom(4_000_000), "tägliches ".encode() * 400_000, b"\1" * 1_000_000]
    for i, value in enumerate(values * 2):
        answers(hub, "SET", f"large{i}", value)
    out = hub.kith("export").stdout
    other = start_hub()
    assert other.kith("import", input=out).stdout == b"Imported 6 entries\n"
    for i, value in enumerate(values * 2):
        assert other.kith("get", f"large{i}").stdout == value + b"\n"


def test_import_of_a_file_with_a_byte_order_mark(hub):
    done = hub.kith("import", input=b'\xef\xbb\xbf{"key":"k","value":"v"}\n')
    assert done.returncode == 0, done
    assert hub.kith("get", "k").stdout == b"v\n"
    done = hub.kith("import", input=b'{"key":"k","value":"w"}\n\xef\xbb\xbf{"key":"l","value":"v"}\n')
    assert done.returncode == 2 and b"line 2: " in done.stderr, done


def test_import_says_which_line_is_wrong(hub):
    text = b'{"key":"a","value":"1"}\n\n  \n{"key":"b","value":"2"}\n{"key":"c"}\n{"key":"d"}'
    done = hub.kith("import", input=text)
    assert done.returncode == 2
    assert done.stderr == b'kith: line 5: it has no "value"\n'
    assert done.stdout == b"Imported 2 entries\n"
    assert sorted(hub.kith("ls").stdout.split()) == [b"a", b"b"]


def test_import_of_what_is_over(hub):
    done = hub.kith("import", input=b'{"key":"a","value":"1","expires_ms":1}')
    assert done.returncode == 0, done.stderr
    assert hub.kith("get", "a").returncode == 1


def test_import_as_json(hub):
    done = hub.kith("--json", "import", input=b'{"key":"a","value":"1"}')
    assert json.loads(done.stdout) == {"imported": 1}
    done = hub.kith("--json", "backup", "/proc/no")
    assert json.loads(done.stdout)["code"] == 6


def test_import_of_a_file_that_is_not_there(hub, tmp_path):
    done = hub.kith("import", tmp_path / "none")
    assert done.returncode == 2 and b"no such file or folder" in done.stderr
    assert hub.kith("import", tmp_path).returncode == 2


def test_import_into_a_full_hub(start_hub):
    hub = start_hub("--maxmemory", "1m")
    lines = b"".join(b'{"key":"k%d","value":"%s"}\n' % (i, b"v" * 1000) for i in range(3000))
    done = hub.kith("import", input=lines)
    assert done.returncode == 1 and b"maxmemory" in done.stderr, done
    stored = int(done.stdout.split()[1])
    assert 0 < stored < 3000
    assert all(hub.kith("get", f"k{i}").returncode == 0 for i in (0, stored - 1))
