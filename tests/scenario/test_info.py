"""INFO: what it says is so, and is called as those who watch a Redis expect."""

import contextlib
import os
import pathlib
import subprocess
import sys

import pytest
import redis

import hubs
from hubs import until
from talk import connect, resp

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import peers  # noqa: E402

SECTIONS = ["Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Cluster",
            "Keyspace"]
OWN = {"kith_version", "name", "workers", "used_memory_rss_peak", "used_memory_rss_peak_human",
       "durability", "durable_lsn", "writes", "handshakes_closed_for_others"}


@contextlib.contextmanager
def client_of(peer):
    client = redis.Redis("127.0.0.1", peer.port, socket_timeout=hubs.PATIENCE)
    yield client
    client.connection_pool.disconnect()


@pytest.fixture
def client(hub):
    with client_of(hub) as client:
        yield client


def raw(client, *sections):
    """INFO as it is sent."""
    connection = client.connection_pool.get_connection("INFO")
    connection.send_command("INFO", *sections)
    answer = connection.read_response()
    client.connection_pool.release(connection)
    return answer


def fields(text):
    lines = text.decode().split("\r\n")
    return {line.split(":", 1)[0] for line in lines if ":" in line}


def titles(client, *sections):
    text = raw(client, *sections)
    return [line[2:] for line in text.decode().splitlines() if line.startswith("# ")]


def test_sections(client):
    client.set("key", "value")
    for every in [[], ["all"], ["default"], ["everything"], ["nonsense", "ALL"]]:
        assert titles(client, *every) == SECTIONS
    for section in SECTIONS:
        assert titles(client, section.lower()) == [section]
    assert titles(client, "keyspace", "SERVER") == ["Server", "Keyspace"]
    assert raw(client, "nonsense") == b""


def test_fields_are_called_as_redis_calls_them(client, tmp_path):
    client.set("key", "value")
    with peers.redis(tmp_path / "redis") as peer:
        peer.ask("SET", "key", "value")
        with client_of(peer) as other:
            theirs = fields(raw(other, "everything"))
    ours = fields(raw(client, "everything"))
    assert ours - theirs == OWN
    assert len(ours & theirs) > 40


def test_the_process(hub, client):
    client.set("key", "v" * 8_000_000)
    info = client.info()
    proc = pathlib.Path(f"/proc/{hub.pid}")
    assert info["process_id"] == hub.pid
    assert info["tcp_port"] == hub.port
    assert info["executable"] == os.readlink(proc / "exe")
    uname = os.uname()
    assert info["os"] == f"{uname.sysname} {uname.release} {uname.machine}"
    assert info["total_system_memory"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")
    resident = int((proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    assert resident / 2 < info["used_memory_rss"] < resident * 2
    assert 8_000_000 < info["used_memory"] < info["used_memory_rss"] <= info["used_memory_rss_peak"]
    assert info["used_memory_human"] == f"{info['used_memory'] / 1048576:.2f}M"
    before = info["used_cpu_user"] + info["used_cpu_sys"]
    assert before > 0

    def has_worked():
        client.mget(["key"] * 5)
        now = client.info("cpu")
        return now["used_cpu_user"] + now["used_cpu_sys"] > before
    until(has_worked, "more CPU")


def test_keys_found_and_not(client):
    client.mset({"a": "1", "b": "2"})
    client.set("a", "3")
    client.delete("b")
    client.get("a")
    client.get("b")
    client.mget("a", "b", "c", "a")
    client.exists("a", "b")
    with client.pipeline() as transaction:
        transaction.set("b", "new").get("b").get("c").execute()
    stats = client.info("stats")
    assert (stats["keyspace_hits"], stats["keyspace_misses"]) == (1 + 2 + 1 + 1, 1 + 2 + 1 + 1)


def test_commands_of_all_workers_are_counted(start_hub):
    hub = start_hub("--workers", "4")
    with client_of(hub) as watcher:
        watcher.ping()
        before = watcher.info("stats")
        for _ in range(8):
            with connect(hub) as s:
                s.sendall(resp("PING") * 10)
                answers = b""
                while answers.count(b"+PONG\r\n") < 10:
                    answers += s.recv(1000)
        after = watcher.info("stats")
        # These and the first INFO.
        assert after["total_commands_processed"] == before["total_commands_processed"] + 81
        assert after["total_connections_received"] == before["total_connections_received"] + 8
        assert watcher.info("clients")["connected_clients"] >= 1


def test_bytes_in_and_out(hub):
    def ask(s, request):
        s.sendall(request)
        return s.recv(65536)

    def numbers(answer):
        stats = dict(line.split(b":", 1) for line in answer.split(b"\r\n") if b":" in line)
        return int(stats[b"total_net_input_bytes"]), int(stats[b"total_net_output_bytes"])

    with connect(hub) as watcher, connect(hub) as other:
        info, ping = resp("INFO", "stats"), resp("PING", "x" * 100)
        first = ask(watcher, info)
        pong = ask(other, ping)
        second = ask(watcher, info)
        moved = [b - a for a, b in zip(numbers(first), numbers(second))]
        assert moved == [len(ping) + len(info), len(pong) + len(first)]


def test_keys_that_expire(client):
    def db0():
        return client.info("keyspace").get("db0", {"keys": 0, "expires": 0, "avg_ttl": 0})

    assert raw(client, "keyspace") == b"# Keyspace\r\n"
    client.mset({"stays": "1", "b": "2", "c": "3"})
    assert db0() == {"keys": 3, "expires": 0, "avg_ttl": 0}
    client.pexpire("b", 1_000_000)
    client.set("c", "3", px=3_000_000)
    found = db0()
    assert (found["keys"], found["expires"]) == (3, 2)
    assert 2_000_000 - 30_000 < found["avg_ttl"] <= 2_000_000
    client.persist("b")
    client.delete("c")
    assert db0() == {"keys": 2, "expires": 0, "avg_ttl": 0}
    assert client.info("stats")["expired_keys"] == 0
    client.set("brief", "1", px=1)
    client.set("swept", "1", px=1)
    until(lambda: client.get("brief") is None, "the end of a key")
    until(lambda: client.info("stats")["expired_keys"] == 2, "the sweep")
    assert db0() == {"keys": 2, "expires": 0, "avg_ttl": 0}


def test_counts_of_what_expires_survive_a_restart(hub):
    with client_of(hub) as client:
        client.set("a", "1", ex=1000)
        client.set("b", "1")
    hub.kill()
    hub.restart()
    with client_of(hub) as client:
        assert client.info("keyspace")["db0"]["expires"] == 1
    hub.stop()
    hub.restart()
    with client_of(hub) as client:
        assert client.info("keyspace")["db0"]["expires"] == 1


def test_checkpoints(client):
    before = client.info("persistence")
    assert before["writes"] == "ok"
    assert (before["rdb_last_save_time"], before["rdb_last_bgsave_status"]) == (0, "ok")
    client.set("key", "value")
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_save_time"] > 0, "a checkpoint")
    assert client.info("persistence")["rdb_last_save_time"] == client.lastsave().timestamp()
    until(lambda: client.info("persistence")["rdb_bgsave_in_progress"] == 0, "its end")


def test_redis_cli_watches(hub, client):
    client.mset({"a": "1", "b": "2"})
    watching = subprocess.Popen(["redis-cli", "-p", str(hub.port), "--stat", "-i", "0.1"],
                                stdout=subprocess.PIPE, text=True)
    try:
        lines = [watching.stdout.readline().split() for _ in range(4)]
    finally:
        watching.kill()
        watching.wait()
        watching.stdout.close()
    assert lines[1][:2] == ["keys", "mem"]
    assert (lines[2][0], lines[2][3]) == ("2", "0")
    assert lines[3][5] == "(+1)"


def test_kith_prints_a_section(hub):
    done = hub.kith("info", "memory")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, b"# Memory")
