"""Large values, long pipelines, readers that stop: nobody else waits for them."""

import concurrent.futures
import os
import re
import socket

import pytest
import redis

from hubs import PATIENCE, Hub, until
from talk import Lines, connect, read_exactly, resp

MIB = 1 << 20
LARGE = 64 * MIB


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path, "--workers", "1")
    yield hub
    hub.stop()


def store(s, key, value):
    s.sendall(resp("SET", key, value))
    assert read_exactly(s, 5) == b"+OK\r\n"


def test_the_largest_value_in_both_dialects(hub):
    value = b"0123456789abcdef" * (LARGE // 16)
    with connect(hub) as s:
        store(s, "k", value)
        s.sendall(resp("GET", "k") + resp("PING"))
        wanted = b"$%d\r\n%s\r\n+PONG\r\n" % (LARGE, value)
        assert read_exactly(s, len(wanted)) == wanted
    with connect(hub) as s:
        s.sendall(b"GET k\nafter it\n")
        wanted = value + b"\nafter it\n"
        assert read_exactly(s, len(wanted)) == wanted
    with connect(hub) as s:
        store(s, "k", value[:-1] + b"\n")
    with Lines(hub) as client:
        assert client.ask("GET k") == "ERROR"  # text cannot carry it


def test_the_largest_value_survives_a_crash(tmp_path):
    hub = Hub(tmp_path, "--workers", "1")
    value = b"fedcba9876543210" * (LARGE // 16)
    with connect(hub) as s:
        store(s, "k", value)
    hub.kill()
    hub.restart()
    with connect(hub) as s:
        s.sendall(resp("GET", "k"))
        wanted = b"$%d\r\n%s\r\n" % (LARGE, value)
        assert read_exactly(s, len(wanted)) == wanted
    hub.stop()


def test_one_byte_more_is_refused(hub):
    with connect(hub) as s:
        s.sendall(resp("SET", "k", b"x" * (LARGE + 1)) + resp("PING"))
        answer = s.makefile("rb")
        assert answer.readline().startswith(b"-ERR a key is 1 byte to 64 KiB")
        assert answer.readline() == b"+PONG\r\n"


def test_others_are_served_while_a_large_value_arrives(hub):
    with connect(hub) as s, Lines(hub) as other:
        request = resp("SET", "k", b"x" * LARGE)
        for at in range(0, len(request) - 1, 8 * MIB):
            s.sendall(request[at:at + 8 * MIB][:len(request) - 1 - at])
            assert other.ask("STORE o = v") == "1"
        assert other.ask("GET k") == "ERROR"
        s.sendall(request[-1:])
        assert read_exactly(s, 5) == b"+OK\r\n"


def test_others_are_served_while_readers_have_stopped(hub):
    with connect(hub) as s:
        store(s, "k", b"x" * LARGE)
    stopped = [connect(hub) for _ in range(20)]
    for s in stopped:
        s.sendall(resp("GET", "k") * 100)
    with Lines(hub) as other:
        for i in range(100):
            assert other.ask(f"STORE o = {i}") == "1"
            assert other.ask("GET o") == str(i)
    wanted = b"$%d\r\n%s\r\n" % (LARGE, b"x" * LARGE)
    assert read_exactly(stopped[7], len(wanted)) == wanted  # it goes on where it stopped
    for s in stopped:
        s.close()


def test_a_long_pipeline_and_another_client(hub):
    count = 100000
    with connect(hub) as s, Lines(hub) as other:
        s.sendall(resp("SET", "n", "0"))
        assert read_exactly(s, 5) == b"+OK\r\n"
        s.setblocking(False)
        request, sent, got, served = resp("INCR", "n") * count, 0, b"", 0
        while got.count(b"\n") < count:
            try:
                sent += s.send(request[sent:sent + MIB]) if sent < len(request) else 0
            except BlockingIOError:
                pass
            # Served between two commands of the pipeline.
            served += 0 < int(other.ask("GET n")) < count
            try:
                got += s.recv(MIB)
            except BlockingIOError:
                pass
        assert served > 0
        assert got.endswith(b":%d\r\n" % count)


def test_a_connection_that_ends_within_a_large_value(hub):
    s = connect(hub)
    s.sendall(resp("SET", "k", b"x" * LARGE)[:40 * MIB])
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()
    with Lines(hub) as other:
        assert other.ask("GET k") == "ERROR"


def test_a_full_table_refuses_to_grow(tmp_path):
    hub = Hub(tmp_path, "--workers", "1", "--maxmemory", "1m", "--log-requests")
    with connect(hub) as s:
        store(s, "k", b"x" * MIB)
        answer = s.makefile("rb")

        def is_full():
            s.sendall(resp("SET", "l", "v"))
            return answer.readline() == \
                b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"

        until(is_full, "a full table")
        s.sendall(resp("CONFIG", "GET", "maxmemory"))
        assert b"".join(answer.readline() for _ in range(5)).endswith(b"$7\r\n1048576\r\n")
        s.sendall(resp("INFO", "memory"))
        info = answer.read(int(answer.readline()[1:]) + 2)
        fields = dict(line.split(b":") for line in info.split() if b":" in line)
        assert int(fields[b"used_memory"]) > MIB and fields[b"maxmemory"] == b"1048576"
    with Lines(hub) as client:
        assert client.ask("STORE l = v") == "0"
        assert client.ask("GET l") in ("v", "ERROR")
    hub.stop()
    assert "command=SET argument=l\n" in hub.log()  # what is refused is logged, too


def test_a_full_table_is_logged_once_until_there_is_room(tmp_path):
    hub = Hub(tmp_path, "--workers", "1", "--maxmemory", "1m")
    with connect(hub) as s:
        answer = s.makefile("rb")
        for _ in range(2):
            store(s, "k", b"x" * MIB)
            for _ in range(3):
                s.sendall(resp("SET", "l", "v"))
                assert answer.readline().startswith(b"-OOM ")
            s.sendall(resp("DEL", "k") + resp("SET", "l", "v"))
            assert [answer.readline() for _ in range(2)] == [b":1\r\n", b"+OK\r\n"]
    hub.stop()
    told = r'level=warning msg="--maxmemory is reached: [^"]*" used=1\d{6} maxmemory=1048576\n'
    assert len(re.findall(told, hub.log())) == 2


# ---- values made of others, elsewhere

def ask(hub, *words):
    return redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE).execute_command(*words)


def test_parts_of_large_values(hub):
    c = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    value = bytearray(os.urandom(20 * MIB))
    c.set("k", bytes(value), ex=1000)
    for offset, part in [(0, b"begin"), (len(value) - 3, b"the end"), (5 * MIB, os.urandom(2 * MIB)),
                         (30 * MIB, b"far")]:
        value.extend(bytes(max(0, offset + len(part) - len(value))))
        value[offset:offset + len(part)] = part
        assert c.setrange("k", offset, part) == len(value)
        assert c.get("k") == value
    assert c.append("k", b"more") == len(value) + 4
    value += b"more"
    assert c.getrange("k", 5 * MIB, 5 * MIB + 99_999) == value[5 * MIB:5 * MIB + 100_000]
    assert c.getrange("k", 0, -1) == value
    assert 0 < c.ttl("k") <= 1000
    assert c.setrange("new", MIB, "x") == MIB + 1
    assert c.get("new") == bytes(MIB) + b"x"
    assert c.append("longer", bytes(MIB)) == MIB
    for command in [("APPEND", "k", bytes(64 * MIB - len(value) + 1)), ("SETRANGE", "k", 64 * MIB, "x")]:
        with pytest.raises(redis.ResponseError, match="at most 64 MiB"):
            c.execute_command(*command)
    hub.kill()
    hub.start()
    assert ask(hub, "GET", "k") == value


def test_all_that_is_appended_at_once_is_there_once(hub):
    ask(hub, "SET", "k", bytes(MIB))
    pieces = [b"<%d-%d>" % (client, i) * 10_000 for client in range(4) for i in range(10)]

    def run(client):
        c = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
        for i in range(0, 10, 2):
            mine = pieces[client * 10 + i:client * 10 + i + 2]
            lengths = c.pipeline(transaction=False).append("k", mine[0]).append("k", mine[1]).execute()
            assert lengths[0] + len(mine[1]) <= lengths[1]

    with concurrent.futures.ThreadPoolExecutor() as pool:
        assert list(pool.map(run, range(4))) == [None] * 4
    whole = ask(hub, "GET", "k")
    assert len(whole) == MIB + sum(map(len, pieces))
    for piece in pieces:
        assert whole.count(piece) == 1


def test_large_values_are_appended_to_in_transactions(hub):
    c = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    assert c.pipeline().append("k", bytes(MIB)).append("k", b"x").strlen("k").execute() == [
        MIB, MIB + 1, MIB + 1]
    assert c.append("k", b"y") == MIB + 2


def test_what_transactions_make_has_a_limit(hub):
    c = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    c.mset({"k": bytes(MIB), "l": b"l"})
    for commands in [[("APPEND", "k", "x")] * 4, [("SETRANGE", "l", 4 * MIB, "x")],
                     [("SET", "f", "1e4900")] + [("INCRBYFLOAT", "f", "1")] * 1000]:
        queue = c.pipeline().set("other", "changed")
        for words in commands:
            queue.execute_command(*words)
        with pytest.raises(redis.ResponseError, match="nothing was changed.* at most 4 MiB"):
            queue.execute()
    assert (c.strlen("k"), c.get("l"), c.exists("other", "f")) == (MIB, b"l", 0)
    queue = c.pipeline()
    for _ in range(3):
        queue.append("k", "x")
    assert queue.execute() == [MIB + 1, MIB + 2, MIB + 3]


def test_a_value_under_several_keys_of_one_transaction(tmp_path):
    hub = Hub(tmp_path, "--workers", "2")
    value = os.urandom(MIB)
    ask(hub, "SET", "k", value)
    c = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    assert c.pipeline().copy("k", "a").copy("k", "b").rename("k", "c").expire("c", 1000).execute() == [True] * 4
    hub.kill()
    hub.restart()
    c = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    assert c.mget("a", "b", "c", "k") == [value] * 3 + [None]
    assert 0 < c.ttl("c") <= 1000
    hub.stop()


def test_who_leaves_while_his_value_is_made(hub):
    ask(hub, "SET", "k", bytes(5 * MIB))
    for _ in range(8):
        with connect(hub) as s:
            s.sendall(resp("APPEND", "k", "x") * 3)
    c = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    value = c.get("k")  # some may still be under way
    assert 5 * MIB <= len(value) <= 5 * MIB + 24
    assert value == bytes(5 * MIB) + b"x" * (len(value) - 5 * MIB)
    assert c.append("k", b"") >= len(value)


def test_large_values_in_transactions(hub):
    c = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    values = [os.urandom(20 * MIB), os.urandom(MIB), b"small", os.urandom(30 * MIB)]
    queue = c.pipeline()
    for i, value in enumerate(values):
        queue.set(f"k{i}", value)
    queue.append("k1", values[1]).get("k1").set("k0", values[1])
    assert queue.execute() == [True] * 4 + [2 * MIB, values[1] * 2, True]
    hub.kill()
    hub.start()
    c = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    assert c.mget("k0", "k1", "k2", "k3") == [values[1], values[1] * 2, values[2], values[3]]
    with pytest.raises(redis.ResponseError, match="transaction"):
        c.pipeline().set("a", values[3]).set("b", values[3]).set("c", values[1]).set(
            "d", values[1] * 4).execute()
    assert c.exists("a", "b", "c", "d") == 0
