"""The RESP door, with the clients people have: python3-redis, redis-cli, redis-benchmark."""

import re
import socket
import subprocess

import pytest
import redis

from hubs import PATIENCE
from talk import as_bytes, connect, exchange, is_served, read_all, read_exactly, resp


@pytest.fixture
def r(hub):
    with redis.Redis("127.0.0.1", hub.port, socket_timeout=PATIENCE) as client:
        yield client


def ask(hub, *argv):
    """One command's answer, as it is on the wire."""
    return exchange(hub, resp(*argv))


# ---- python3-redis ----

def test_ordinary_work(r):
    assert r.ping() is True
    assert r.echo("hello") == b"hello"
    assert r.set("k", "v") is True
    assert r.get("k") == b"v" and r.get("none") is None
    assert r.mset({"a": 1, "b": 2}) is True
    assert r.mget("a", "none", "b") == [b"1", None, b"2"]
    assert r.incr("a") == 2 and r.incrby("a", 40) == 42 and r.decr("a", 2) == 40
    assert r.append("k", "w") == 2 and r.strlen("k") == 2 and r.strlen("none") == 0
    assert r.exists("a", "a", "none") == 2
    assert r.dbsize() == 3
    assert r.delete("a", "b", "none") == 2
    assert r.dbsize() == 1
    assert r.client_setname("me") is True and r.client_getname() == "me"
    assert r.client_id() > 0
    assert r.config_get("appendonly") == {"appendonly": "yes"}
    assert r.command_count() > 20
    assert r.info()["role"] == "master"


def test_binary_and_empty_values(r):
    every = bytes(range(256))
    r.set(every, every)
    assert r.get(every) == every
    r.set("empty", b"")
    assert r.get("empty") == b"" and r.exists("empty") == 1 and r.strlen("empty") == 0


def test_numbers(r):
    r.set("n", 2**63 - 1)
    with pytest.raises(redis.ResponseError):
        r.incr("n")
    assert r.get("n") == b"%d" % (2**63 - 1)
    r.set("n", "no number")
    with pytest.raises(redis.ResponseError):
        r.incr("n")
    assert r.decr("m", 5) == -5


def test_pipelines(r):
    with r.pipeline(transaction=False) as p:
        for i in range(10000):
            p.set(f"k{i % 100}", i)
            p.get(f"k{i % 100}")
        answers = p.execute()
    assert answers[0::2] == [True] * 10000
    assert answers[1::2] == [b"%d" % i for i in range(10000)]


def test_big_values(r, hub):
    value = bytes(range(256)) * 4096 * 12  # 12 MiB
    r.set("big", value)
    assert r.strlen("big") == len(value)
    assert r.get("big") == value
    assert r.append("big", b"x") == len(value) + 1
    with r.pipeline(transaction=False) as p:
        for _ in range(4):
            p.get("big")
        assert p.execute() == [value + b"x"] * 4


def test_limits_of_keys_and_values(hub, r):
    assert r.set("k" * 65536, "v")
    for key in ["", "k" * 65537]:
        with pytest.raises(redis.ResponseError):
            r.set(key, "v")
    with pytest.raises(redis.ResponseError):
        r.set("k", bytes(64 * 1024 * 1024 + 1))
    assert r.get("k") is None
    assert is_served(hub)


def test_what_resp_stored_text_reads_and_the_other_way_round(hub, r):
    assert exchange(hub, b"STORE k = from text\n") == b"1\n"
    assert r.get("k") == b"from text"
    r.set("k", "from resp")
    assert exchange(hub, b"GET k\n") == b"from resp\n"
    assert ask(hub, "STORE", "k", "again") == b"+Updated\r\n"
    assert ask(hub, "STORE", "new", "v") == b"+Saved\r\n"


# ---- what is on the wire ----

def test_hello(hub):
    assert exchange(hub, resp("HELLO")).startswith(b"*14\r\n")
    assert exchange(hub, resp("HELLO", "2")).startswith(b"*14\r\n")
    three = exchange(hub, resp("HELLO", "3") + resp("GET", "none") + resp("HELLO", "2") +
                     resp("GET", "none"))
    assert three.startswith(b"%7\r\n")
    assert b"$5\r\nproto\r\n:3\r\n" in three and b"$5\r\nproto\r\n:2\r\n" in three
    assert b"_\r\n*14" in three and three.endswith(b"$-1\r\n")
    assert exchange(hub, resp("HELLO", "3", "SETNAME", "me") +
                    resp("CLIENT", "GETNAME")).endswith(b"$2\r\nme\r\n")


@pytest.mark.parametrize("argv, error", [
    (["NOSUCH"], "ERR unknown command"),
    (["nosuch", "a", "b"], "ERR unknown command"),
    (["GET"], "ERR wrong number of arguments"),
    (["GET", "a", "b"], "ERR wrong number of arguments"),
    (["SET", "a"], "ERR wrong number of arguments"),
    (["SET", "a", "b", "NOSUCH"], "ERR "),
    (["MSET", "a", "b", "c"], "ERR wrong number of arguments"),
    (["PING", "a", "b"], "ERR wrong number of arguments"),
    (["CLIENT", "NOSUCH"], "ERR unknown subcommand"),
    (["CLIENT", "SETNAME", "two words"], "ERR "),
    (["CONFIG", "NOSUCH"], "ERR unknown subcommand"),
    (["CONFIG", "SET", "maxmemory", "100"],
     "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - can't set immutable config\r\n"),
    (["CONFIG", "SET", "notify-keyspace-events", "AKE", "databases", "2"],
     "ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config\r\n"),
    (["CONFIG", "SET", "NoSuch", "1"],
     "ERR Unknown option or number of arguments for CONFIG SET - 'NoSuch'\r\n"),
    (["CONFIG", "SET", "a", "b", "c"], "ERR syntax error\r\n"),
    (["CONFIG", "SET", "a"], "ERR wrong number of arguments for 'config|set' command\r\n"),
    (["COMMAND", "NOSUCH"], "ERR unknown subcommand"),
    (["HELLO", "4"], "NOPROTO "),
    (["HELLO", "x"], "ERR Protocol version"),
    (["HELLO", "3", "AUTH", "a", "b"], "WRONGPASS "),
    (["SELECT", "1"], "ERR DB index is out of range"),
    (["SELECT", "x"], "ERR value is not an integer"),
    (["INCRBY", "a", "x"], "ERR value is not an integer"),
    (["INCRBY", "a", "9223372036854775808"], "ERR value is not an integer"),
    (["SHUTDOWN", "NOSUCH"], "ERR "),
    (["NAME", ""], "ERR "),
    (["NAME", "a", "b"], "ERR "),
], ids=" ".join)
def test_errors_leave_the_connection_open(hub, argv, error):
    answer = exchange(hub, resp(*argv) + resp("PING"))
    assert answer.startswith(b"-" + error.encode()), answer
    assert answer.endswith(b"\r\n+PONG\r\n") and answer.count(b"\r\n") == 2


@pytest.mark.parametrize("bad", [
    b"*1\r\n+PING\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n", b"*99999999\r\n", b"*1\r\n$4\r\nPINGxx",
    b"*1\r\n$999999999\r\n", b"*1\r\n" + b"$" * 70000, b"GET \"unbalanced\r\n", b"x" * 70000,
], ids=lambda bad: repr(bad[:20]))
def test_protocol_errors_are_answered_and_closed(hub, bad):
    with connect(hub) as s:
        s.sendall(resp("PING") + bad)
        answer = read_all(s)
    assert answer.startswith(b"+PONG\r\n-ERR Protocol error: "), answer
    assert answer.count(b"\r\n") == 2
    assert is_served(hub)


def test_inline_commands_after_a_start_in_array_form(hub):
    assert exchange(hub, resp("PING") + b"PING\r\nSET k 'two words'\nget k\r\n\r\n") == (
        b"+PONG\r\n+PONG\r\n+OK\r\n$9\r\ntwo words\r\n")


def test_quit_closes_the_connection_alone(hub):
    with connect(hub) as s:
        s.sendall(resp("QUIT") + resp("SET", "after", "quit"))
        assert read_all(s) == b"+OK\r\n"
    assert ask(hub, "GET", "after") == b"$-1\r\n"


@pytest.mark.parametrize("argv", [["SHUTDOWN"], ["shutdown", "nosave"]], ids=" ".join)
def test_shutdown_by_an_admin(hub, argv):
    assert ask(hub, *argv) == b""
    assert hub.wait() == 0


def test_ten_thousand_commands_in_one_send(hub):
    with connect(hub) as s:
        s.sendall(b"".join(resp("INCR", "n") for _ in range(10000)))
        expected = b"".join(b":%d\r\n" % i for i in range(1, 10001))
        assert read_exactly(s, len(expected)) == expected


def test_bytes_one_by_one(hub):
    with connect(hub) as s:
        for byte in resp("SET", "k", "v\r\n*1") + resp("GET", "k") + b"PING\r\n":
            s.sendall(bytes([byte]))
        expected = b"+OK\r\n$5\r\nv\r\n*1\r\n+PONG\r\n"
        assert read_exactly(s, len(expected)) == expected


# ---- redis-cli ----

def cli(hub, *arguments, input=b""):
    done = subprocess.run(["redis-cli", "-p", str(hub.port), *arguments], input=as_bytes(input),
                          capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0 and done.stderr == b"", done
    return done.stdout.decode()


@pytest.mark.parametrize("protocol", ["-2", "-3"])
def test_redis_cli(hub, protocol):
    assert cli(hub, protocol, "SET", "k", "v") == "OK\n"
    assert cli(hub, protocol, "GET", "k") == "v\n"
    assert cli(hub, protocol, "INCR", "n") == "1\n"
    assert cli(hub, protocol, "-x", "SET", "k", input="from\nstdin") == "OK\n"
    assert cli(hub, protocol, "--json", "GET", "k") == '"from\\nstdin"\n'
    assert cli(hub, protocol, "MGET", "k", "none") == "from\nstdin\n\n"
    assert "summary" in cli(hub, protocol, "COMMAND", "DOCS", "get")
    assert "redis_version" in cli(hub, protocol, "INFO")
    assert cli(hub, protocol, input="PING\nECHO 'two words'\nCOMMAND DOCS\n").startswith(
        "PONG\ntwo words\n")


def test_mass_insert(hub):
    stream = b"".join(resp("SET", f"key{i}", f"value {i}") for i in range(20000))
    said = cli(hub, "--pipe", input=stream)
    assert re.search(r"errors: 0, replies: 20000", said)
    assert cli(hub, "DBSIZE") == "20000\n"
    assert cli(hub, "GET", "key19999") == "value 19999\n"


@pytest.mark.parametrize("more", [["-P", "16"], ["-P", "1", "-c", "5"], ["-3", "-r", "1000"]],
                         ids=" ".join)
def test_redis_benchmark(hub, more):
    done = subprocess.run(["redis-benchmark", "-p", str(hub.port), "-t", "set,get,incr,mset",
                           "-n", "2000", "-q", *more], capture_output=True, timeout=PATIENCE,
                          text=True)
    assert done.returncode == 0 and "rror" not in done.stdout + done.stderr, done
    assert done.stderr == ""
    for test in ["SET", "GET", "INCR", "MSET (10 keys)"]:
        assert re.search(rf"^{re.escape(test)}: \d.* requests per second", done.stdout.replace("\r", "\n"), re.M)
    assert is_served(hub)


def test_a_reply_too_large_is_an_error_in_its_place(hub):
    value = b"v" * (60 << 20)
    assert ask(hub, "SET", "m", value) == b"+OK\r\n"
    with connect(hub) as s:
        s.sendall(resp("SET", "a", "1") + resp("MULTI") + resp("GET", "m") * 9 + resp("EXEC") + resp("SET", "b", "1"))
        s.shutdown(socket.SHUT_WR)
        said = read_all(s)
    queued = re.escape(b"+OK\r\n+OK\r\n" + b"+QUEUED\r\n" * 9)
    assert re.fullmatch(queued + rb"-ERR the reply is too large[^\r\n]*\r\n\+OK\r\n", said), said[:200]
    assert "a reply was too large" in hub.log()


def test_half_closed_with_a_pipeline_under_way(hub):
    with connect(hub) as s:
        s.sendall(b"".join(resp("SET", f"k{i}", "v" * 1000) for i in range(500)))
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b"+OK\r\n" * 500
    assert ask(hub, "DBSIZE") == b":500\r\n"
