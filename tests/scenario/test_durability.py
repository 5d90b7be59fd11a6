"""An answer is a promise: crashes, a corrupted log, a full disk."""

import os
import re
import shutil
import tempfile
import threading

import pytest
import redis

from hubs import PATIENCE, build, run_kithd, until
from talk import Lines, bare, connect, exchange, is_served, resp

KEYS = 20


class Writer:
    """Writes ever greater numbers to keys of its own, several at once, until the hub is gone."""

    def __init__(self, hub, name, text, burst):
        self.hub, self.name, self.text, self.burst = hub, name, text, burst
        self.sent = self.acknowledged = -1
        self.thread = threading.Thread(target=self.run)

    def command(self, i):
        key = f"{self.name}-{i % KEYS}"
        return f"STORE {key} = {i}\n".encode() if self.text else resp("SET", key, i_bytes(i))

    def run(self):
        answer = b"1\n" if self.text else b"+OK\r\n"
        try:
            with connect(self.hub) as s:
                while True:
                    burst = range(self.sent + 1, self.sent + 1 + self.burst)
                    self.sent = burst[-1]
                    s.sendall(b"".join(map(self.command, burst)))
                    for i in burst:
                        got = b""
                        while len(got) < len(answer):
                            some = s.recv(len(answer) - len(got))
                            if not some:
                                return
                            got += some
                        assert got == answer
                        self.acknowledged = i
        except OSError:
            return

    def check(self, get):
        """What was acknowledged is there, or something it sent later."""
        for i in range(max(0, self.acknowledged - KEYS + 1), self.acknowledged + 1):
            value = get(f"{self.name}-{i % KEYS}")
            assert value is not None, (self.name, i)
            assert i <= int(value) <= self.sent and int(value) % KEYS == i % KEYS


def i_bytes(i):
    return b"%d" % i


def write_until_killed(hub, round_number):
    writers = [Writer(hub, f"r{round_number}-w{w}", text=w % 2 == 0, burst=[1, 3, 30, 200][w])
               for w in range(4)]
    for w in writers:
        w.thread.start()
    until(lambda: all(w.acknowledged >= 50 + 37 * round_number for w in writers), "some writes")
    hub.kill()
    for w in writers:
        w.thread.join(PATIENCE)
        assert not w.thread.is_alive()
    return writers


def test_what_was_acknowledged_survives_kill_9(start_hub):
    hub = start_hub()
    writers = []
    for round_number in range(8):
        writers += write_until_killed(hub, round_number)
        hub.restart()
        r = redis.Redis("127.0.0.1", hub.port)
        for w in writers:
            w.check(r.get)


def test_synced_every_second_keeps_the_name_and_what_a_dead_process_wrote(start_hub):
    hub = start_hub("--durability", "second")
    with Lines(hub) as c:
        assert c.ask("STORE k = v") == "1"
        assert c.ask("NAME=kept") == "kept"
    hub.kill()
    hub.restart()
    assert b"name:kept\r\n" in exchange(hub, resp("INFO"))
    # Records are in order, so what was written before the name is there with it.
    assert bare(hub, "GET k") == "v"


def test_a_restart_in_good_order(start_hub):
    hub = start_hub("--durability", "second")
    for round_number in range(3):
        r = redis.Redis("127.0.0.1", hub.port)
        with r.pipeline(transaction=False) as p:
            for i in range(1000):
                p.set(f"{round_number}-{i}", i)
            p.delete(*[f"{round_number}-{i}" for i in range(0, 1000, 2)])
            p.execute()
        hub.stop()
        hub.restart()
        r = redis.Redis("127.0.0.1", hub.port)
        assert r.dbsize() == 500 * (round_number + 1)
        assert r.get(f"{round_number}-1") == b"1" and r.get(f"{round_number}-2") is None
    assert "unfinished" not in hub.log()


def test_big_values_survive(start_hub):
    hub = start_hub()
    value = os.urandom(20 * 1024 * 1024)
    r = redis.Redis("127.0.0.1", hub.port, socket_timeout=PATIENCE)
    for i in range(4):
        r.set(f"big{i}", value)
    hub.kill()
    hub.restart()
    r = redis.Redis("127.0.0.1", hub.port, socket_timeout=PATIENCE)
    assert [r.get(f"big{i}") for i in range(4)] == [value] * 4


# ---- a corrupted log ----

def segments(hub):
    return sorted(f for f in hub.data.iterdir() if f.name not in ["lock", "hub.crt"])


@pytest.mark.parametrize("kind", ["log-", "checkpoint"])
def test_a_corrupted_byte_refuses_to_start(start_hub, kind):
    hub = start_hub()
    with Lines(hub) as c:
        for i in range(50):
            assert c.ask(f"STORE key{i} = a value to be found again {i}") == "1"
    hub.stop()
    [damaged, where] = next([f, f.read_bytes().index(b"found again 7")] for f in segments(hub)
                            if f.name.startswith(kind) and b"found again 7" in f.read_bytes())
    content = bytearray(damaged.read_bytes())
    content[where] ^= 1
    damaged.write_bytes(content)
    before = {f.name: f.read_bytes() for f in segments(hub)}
    done = run_kithd("--data", hub.data, "--listen", "127.0.0.1:0")
    assert done.returncode == 3 and done.stdout == ""
    complaint = [line for line in done.stderr.splitlines() if line.startswith("kithd: ")]
    assert complaint == done.stderr.splitlines() and len(complaint) == 1
    assert f"{damaged} is corrupt at offset " in complaint[0]
    offset = int(complaint[0].split("at offset ")[1].split(":")[0])
    assert (where - 200 if kind == "log-" else 0) < offset <= where
    assert {f.name: f.read_bytes() for f in segments(hub)} == before
    content[where] ^= 1
    damaged.write_bytes(content)
    hub.restart()
    assert bare(hub, "GET key7") == "a value to be found again 7"


# ---- a full disk ----

@pytest.fixture
def small_disk(start_hub, tmp_path):
    """A hub on a disk of 16 MiB; and where this disk is to be seen from here."""
    folder = tmp_path / "disk"
    folder.mkdir(mode=0o700)
    mount = 'mount -t tmpfs -o size=16m,mode=700 disk "$0" && exec "$@"'
    hub = start_hub(data=folder, prefix=["unshare", "-m", "sh", "-c", mount, folder])
    return hub, f"/proc/{hub.pid}/root{folder}"


def fill(folder):
    """Takes all room; a file can be removed to give it back."""
    ballast = open(f"{folder}/.ballast", "wb", buffering=0)
    try:
        while True:
            ballast.write(bytes(4096))
    except OSError:
        ballast.close()


def test_a_full_disk_refuses_writes_and_recovers_by_itself(small_disk):
    hub, folder = small_disk
    r = redis.Redis("127.0.0.1", hub.port, socket_timeout=PATIENCE)
    r.set("early", "there")
    fill(folder)
    kept = []
    with pytest.raises(redis.ResponseError, match="^MISCONF "):
        for i in range(1000):
            r.set(f"k{i}", bytes(100_000))
            kept.append(i)
    assert bare(hub, "GET early") == "there"
    with Lines(hub) as c:
        assert c.ask("STORE text = " + "x" * 200_000) == "0"
        assert c.ask("REPLIES full") == "full"
        assert c.ask("STORE text = " + "x" * 200_000).startswith(
            "Not Saved for key:text: the disk is full")
    assert is_served(hub)
    assert all(r.get(f"k{i}") == bytes(100_000) for i in kept)
    stuck = (rf'level=error msg="cannot make room on the disk; trying again" data={hub.data} '
             rf'wanted_bytes=\d{{7,8}} reason="the disk is full"\n')
    until(lambda: re.search(stuck, hub.log()), "the line of the log")
    assert r.info("persistence")["writes"] == "disk_full"
    os.unlink(f"{folder}/.ballast")
    with Lines(hub) as c:
        until(lambda: c.ask("STORE late = " + "x" * 200_000) == "1", "room")
        assert c.ask("GET late") == "x" * 200_000
    until(lambda: r.info("persistence")["writes"] == "ok", "an end to it")
    hub.wait_log(f'level=info msg="there is room on the disk again; writes are taken" data={hub.data}\n')


def test_deleting_is_refused_too_while_nothing_can_be_written(small_disk):
    hub, folder = small_disk
    r = redis.Redis("127.0.0.1", hub.port, socket_timeout=PATIENCE)
    r.set("k", "v")
    fill(folder)
    with pytest.raises(redis.ResponseError, match="^MISCONF "):
        while True:
            r.set("filler", bytes(1000))
    with pytest.raises(redis.ResponseError, match="^MISCONF "):
        while True:
            r.delete("k")
            r.set("k", "v")
    os.unlink(f"{folder}/.ballast")


# ---- a disk that does not take the log's next file, for another reason ----

def put_in_the_way(hub):
    """A folder of the name under which files of the log are made. The hub has its second one."""
    until(lambda: len(list(hub.data.glob("log-*"))) == 2, "the second file")
    obstacle = hub.data / "segment.tmp"
    obstacle.mkdir()
    return obstacle


def write_until_refused(r):
    """Values of 100000 bytes; the number of the first that was refused, and the refusal."""
    for i in range(1000):
        try:
            r.set(f"k{i}", bytes(100_000))
        except redis.ResponseError as error:
            return i, str(error)
    raise AssertionError("nothing is refused")


def test_what_keeps_the_next_file_from_being_made_is_told_as_it_is(start_hub):
    hub = start_hub()
    obstacle = put_in_the_way(hub)
    r = redis.Redis("127.0.0.1", hub.port, socket_timeout=PATIENCE)
    kept, refusal = write_until_refused(r)
    assert refusal == ("MISCONF the log's next file cannot be made (the hub's log says why): the "
                       "table can be read, not changed")
    with Lines(hub) as c:
        assert c.ask("REPLIES full") == "full"
        assert c.ask("STORE text = " + "x" * 200_000) == (
            "Not Saved for key:text: the log's next file cannot be made (the hub's log says "
            "why): the table can be read, not changed")
    assert all(r.get(f"k{i}") == bytes(100_000) for i in range(kept))
    stuck = (rf'level=error msg="cannot make the log\'s next file; trying again" data={hub.data} '
             rf'wanted_bytes=\d{{7}} reason="it is a folder"\n')
    until(lambda: re.search(stuck, hub.log()), "the line of the log")
    assert r.info("persistence")["writes"] == "no_next_file"
    assert "cannot make room" not in hub.log()
    hub.kill()  # what was answered is on disk
    obstacle.rmdir()
    hub.restart()
    r = redis.Redis("127.0.0.1", hub.port, socket_timeout=PATIENCE)
    assert all(r.get(f"k{i}") == bytes(100_000) for i in range(kept))


def test_it_goes_on_by_itself_when_the_next_file_can_be_made(start_hub):
    hub = start_hub()
    obstacle = put_in_the_way(hub)
    r = redis.Redis("127.0.0.1", hub.port, socket_timeout=PATIENCE)
    write_until_refused(r)
    obstacle.rmdir()
    with Lines(hub) as c:
        until(lambda: c.ask("STORE late = " + "x" * 200_000) == "1", "the next file")
    hub.wait_log('level=info msg="made the log\'s next file; writes are taken again"')
    assert r.info("persistence")["writes"] == "ok"


# ---- large values go to the log bit by bit ----

def test_large_values_one_after_the_other(start_hub):
    hub = start_hub("--workers", 1)
    client = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    for i in range(25):
        assert client.set("large", bytes([i]) * (20 << 20))
    hub.kill()
    hub.restart()
    value = redis.Redis("127.0.0.1", port=hub.port).get("large")
    assert len(value) == 20 << 20 and set(value) == {24}


# ---- kithd --check ----

def check_folder(hub):
    return run_kithd("--check", hub.data)


def test_a_whole_folder_is_told(start_hub):
    hub = start_hub()
    client = redis.Redis("127.0.0.1", port=hub.port)
    client.mset({f"k{i}": "v" for i in range(100)})
    client.set("large", b"x" * 3000000)
    client.set("gone", "v", px=1)
    done = check_folder(hub)
    assert done.returncode == 3
    assert done.stderr == f"kithd: {hub.data} is in use by a kithd (process {hub.pid})\n"
    hub.kill()
    before = {f.name: f.read_bytes() for f in hub.data.iterdir() if f.name != "lock"}
    done = check_folder(hub)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch("checkpoint  none\nlog         10[45] changes\nkeys        101, and 2 of the hub's "
                        "own\nmemory      about 3\\d+ bytes\nIt is whole.\n", done.stdout), done.stdout
    assert {f.name: f.read_bytes() for f in hub.data.iterdir() if f.name != "lock"} == before
    hub.restart()
    assert re.search(f"msg=recovered data={hub.data} entries=0 changes=10[45]\n", hub.log())
    hub.stop()
    hub.restart()
    assert re.search(f"msg=recovered data={hub.data} entries=10[34] changes=0\n", hub.log())
    hub.stop()
    said = check_folder(hub).stdout
    assert re.match("checkpoint  10[23] entries, 3\\d+ bytes\n            begun at 20", said), said
    assert "log         0 changes since, closed in good order\n" in said and said.endswith("It is whole.\n")


def test_a_damaged_folder_is_told(start_hub):
    hub = start_hub()
    redis.Redis("127.0.0.1", port=hub.port).mset({f"k{i}": "v" for i in range(100)})
    hub.stop()
    checkpoint = hub.data / "checkpoint"
    content = bytearray(checkpoint.read_bytes())
    content[200] ^= 1
    checkpoint.write_bytes(content)
    done = check_folder(hub)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f"kithd: {checkpoint} is corrupt at offset 64: a damaged block\n"


def test_a_folder_that_is_none(tmp_path):
    for words in [["--data", tmp_path], [tmp_path.name]]:
        done = run_kithd("--check", tmp_path, *words)
        assert done.returncode == 2 and f"'{words[-1]}' has no meaning" in done.stderr, done
    done = run_kithd("--check", tmp_path / "none")
    assert done.returncode == 3 and "no such file" in done.stderr
    assert not (tmp_path / "none").exists()
    tmp_path.chmod(0o700)
    (tmp_path / "notes").write_text("no hub's")
    done = run_kithd("--check", tmp_path)
    assert done.returncode == 3 and "holds no hub's data" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["notes"]  # it leaves nothing behind
    (tmp_path / "lock").touch()
    done = run_kithd("--check", tmp_path)
    assert done.returncode == 1 and "there is no log" in done.stderr


def test_a_folder_that_cannot_be_read(tmp_path):
    def said(path, **how):
        done = run_kithd("--check", path, **how)
        assert (done.returncode, done.stdout) == (3, "")
        return done.stderr
    file = tmp_path / "file"
    file.write_text("no folder")
    assert said(file) == f"kithd: cannot read {file}: it is not a folder\n"
    assert said(file / "below") == f"kithd: cannot read {file}/below: it is not a folder, or not in one\n"
    with tempfile.TemporaryDirectory() as private, tempfile.TemporaryDirectory() as public:
        os.chmod(public, 0o755)  # where the sources are, others may not look
        program = shutil.copy(build() / "kithd", public)
        refused = said(private, program=program, user=65534)
        assert refused == f"kithd: cannot read {private}: permission denied\n"
