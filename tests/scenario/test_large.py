"""Large values, long pipelines, readers that stop: nobody else waits for them."""

import socket

import pytest

from hubs import Hub, until
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
    hub = Hub(tmp_path, "--workers", "1", "--maxmemory", "1m")
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
