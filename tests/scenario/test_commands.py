"""Goal: commands answer as Redis does. The same commands go to a hub and to a redis-server, and
the answers are held against each other; and Redis' own Python client does what people do."""

import random
import shlex
import socket
import subprocess
import threading
from collections import Counter

import pytest
import redis
from hubs import PATIENCE, until
from talk import connect, resp

CONVERSATION = """
SET k v EX 100 | TTL k | SET k w KEEPTTL | TTL k | GET k | SET k x NX | SET k x XX GET | GET k
SET k y EX 0 | SET k y EX -5 | SET k y EX abc | SET k y EX 10 PX 10 | SET k y NX XX | SET k y BOGUS
SET k y EX | SET k y EX 9223372036854775807 | SET k y PX 9223372036854775807 | SET k y KEEPTTL EX 10
SET k y EXAT 99999999999 | EXPIRETIME k | PEXPIRETIME k | SET k y PXAT 99999999999000 | EXPIRETIME k
SET k y EXAT 1 | GET k | SET k2 z GET | SET k2 zz NX GET | GET k2 | SET n1 v XX | GET n1
SETEX k 10 v | SETEX k 0 v | SETEX k -1 v | SETEX k x v | PSETEX k 10000 v | TTL k
PERSIST k | PERSIST k | PERSIST nokey | TTL k | PTTL k | TTL nokey | PTTL nokey
EXPIRE k 100 | EXPIRE k 50 GT | EXPIRE k 500 GT | TTL k | EXPIRE k 5 LT | TTL k | EXPIRE k 5 NX
EXPIRE k 10 NX XX | EXPIRE k 10 GT LT | EXPIRE k 10 NX GT | EXPIRE k abc | EXPIRE k 20 XX
EXPIRE k 9223372036854775807 | EXPIREAT k 99999999999 | EXPIRETIME k | EXPIRE nokey 5
PERSIST k | EXPIRE k 10 GT | EXPIRE k 10 LT | EXPIRE k -1 | EXISTS k
SET k v | EXPIREAT k 1 | GET k | SET k v | PEXPIREAT k 0 | EXISTS k | SET k v | PEXPIRE k 0 | EXISTS k
SET a 1 | INCRBYFLOAT big 1e400 | INCRBYFLOAT big 1 | INCRBYFLOAT a 0.1 | INCRBYFLOAT a 1e3 | INCRBYFLOAT a -1001.1 | INCRBYFLOAT a xx | GET a
SET f 3.0e3 | INCRBYFLOAT f 200 | SET f " 1" | INCRBYFLOAT f 1 | INCRBYFLOAT f inf | INCRBYFLOAT newf 5
INCR a1 | INCRBY a1 41 | DECR a1 | DECRBY a1 100 | INCRBY a1 x | INCRBY a1 9223372036854775807 | GET a1
SET m 9223372036854775807 | INCR m | DECRBY m -9223372036854775808 | SET m abc | INCR m | SET m 012 | INCR m
SET i 5 EX 100 | INCR i | TTL i | APPEND i x | TTL i | GETSET i 9 | TTL i
GETSET a b | GETSET nogs b | GETDEL a | GETDEL a | SETNX a 1 | SETNX a 1 | MSETNX a 1 b 2 | EXISTS b
MSETNX c 1 d 2 | MGET a b c d | MSET a | MSET a 1 b | MSET a 1 a 2 | GET a | DEL a a c nokey | EXISTS d d x
APPEND s xyz | APPEND s "" | STRLEN s | STRLEN nokey | GETRANGE s 0 -1 | GETRANGE s -2 -1
GETRANGE s 5 1 | GETRANGE s -5 -10 | GETRANGE s -10 -5 | GETRANGE s 1 100 | GETRANGE s x 1 | GETRANGE no 0 1
SETRANGE s 10 zz | GET s | SETRANGE s -1 z | SETRANGE new 0 "" | EXISTS new | SETRANGE new 2 ab | GET new
RENAME s s2 | RENAME nokey x | RENAME s2 s2 | GET s2 | RENAMENX s2 d
RENAMENX s2 s3 | RENAMENX s3 s3 | COPY s3 s4 | COPY s3 s4 | COPY s3 s4 REPLACE | COPY s3 s3 | COPY no s9
SET e 1 EX 100 | RENAME e e2 | TTL e2 | COPY e2 e3 | TTL e3
TYPE s3 | TYPE nokey | TOUCH s3 s4 x | UNLINK s3 s4 x
GETEX d EX 100 | TTL d | GETEX d PERSIST | TTL d | GETEX d FOO | GETEX d EX 0 | GETEX nokey EX 10 | GETEX d
MULTI | MULTI | SET t 1 | INCR t | GET t | INCR d2 | APPEND t x | INCR t | DEL d2 | GET d2 | EXEC | GET t
EXEC | DISCARD | WATCH t | MULTI | SET t 5 | EXEC | MULTI | NOSUCH | SET t 7 | EXEC | GET t
MULTI | GET | EXEC | MULTI | SET q 1 | DISCARD | GET q | MULTI | EXEC | MULTI | PING | ECHO hi | SELECT 0
UNWATCH | EXEC | WATCH w1 | SET w1 1 | MULTI | GET w1 | EXEC | WATCH w1 w2 | MULTI | GET w1 | EXEC
WATCH w1 | UNWATCH | SET w1 2 | MULTI | GET w1 | EXEC | MULTI | WATCH x | EXEC | MULTI
MSET aa 1 bb 2 aa 3 | MGET aa bb cc | MSETNX cc 1 aa 1 | RENAME aa cc | GET cc | GETDEL cc | SET cc 1 EX 100
TTL cc | EXPIRE bb -1 | EXISTS aa bb cc | SETRANGE cc 0 999 | INCR cc | EXEC | MGET aa bb cc
KEYS t* | KEYS nothing* | KEYS ?? | DBSIZE | SCAN 0 COUNT 1000 MATCH t* | SCAN abc | SCAN 0 COUNT 0 | SCAN 0 FOO
SCAN 0 COUNT x | SCAN 0 COUNT 1000 TYPE list | FLUSHDB | DBSIZE | FLUSHALL ASYNC | FLUSHALL FOO | SET | GET a b
"""


@pytest.fixture
def reference(tmp_path):
    """A redis-server, as something with a port."""
    class Server:
        port = free_port()
    # Debian's redis-tools has the server too, under another name; it goes by what it is called.
    command = ["redis-server", "--port", str(Server.port), "--save", "", "--dir", tmp_path,
               "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, executable="/usr/bin/redis-check-rdb",
                               stdout=subprocess.DEVNULL)
    until(lambda: accepts(Server.port), "redis-server")
    yield Server
    process.terminate()
    process.wait(PATIENCE)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Asker:
    """A connection that tells replies as text, errors too."""

    def __init__(self, server):
        self.client = redis.Redis("127.0.0.1", port=server.port, single_connection_client=True)
        self.connection = self.client.connection

    def ask(self, *words):
        self.connection.send_command(*words, check_health=False)
        try:
            reply = self.connection.read_response()
        except redis.ResponseError as e:
            reply = e
        return tidy(reply)


def tidy(reply):
    """Errors are told by their text; what Redis adds about the arguments is its own."""
    if isinstance(reply, list):
        return [tidy(r) for r in reply]
    if isinstance(reply, redis.RedisError):
        return f"{type(reply).__name__}: {reply}".split(", with args")[0]
    return reply


def are_same(mine, other):
    """Long times may be a second apart: they are asked one after the other."""
    if isinstance(mine, list) and isinstance(other, list):
        return len(mine) == len(other) and all(map(are_same, mine, other))
    if isinstance(mine, int) and isinstance(other, int) and other > 5000:
        return abs(mine - other) <= 1
    return mine == other


def words_of(text):
    return shlex.split(text)


def test_a_conversation_as_with_redis(hub, reference):
    ours, theirs = Asker(hub), Asker(reference)
    asked = [line.strip() for lines in CONVERSATION.strip().splitlines()
             for line in lines.split("|")]
    for line in asked:
        words = words_of(line)
        mine, other = ours.ask(*words), theirs.ask(*words)
        if words[0] in ("KEYS", "SCAN") and isinstance(other, list):
            mine, other = str(sorted(map(str, mine))), str(sorted(map(str, other)))
        assert are_same(mine, other), (line, mine, other)


def random_command(r):
    """Watched is a key that never goes: whether one came and went in between, Redis minds."""
    key, key2 = (r.choice("abcde") for _ in range(2))
    value = r.choice(["1", "-7", "abc", "", "10.5", "x" * 300])
    number = str(r.choice([0, -1, 100000, -100000, "z"]))
    options = r.sample([["NX"], ["XX"], ["GET"], ["KEEPTTL"], ["EX", "10000"], ["PX", number]],
                       r.choice([0, 0, 0, 1, 2]))
    return r.choice([
        ["SET", key, value, *sum(options, [])], ["GET", key], ["DEL", key, key2], ["INCR", key],
        ["INCRBY", key, r.choice([number, "3"])], ["APPEND", key, value], ["STRLEN", key], ["GETDEL", key],
        ["GETSET", key, value], ["SETNX", key, value], ["MSET", key, value, key2, "q"],
        ["MSETNX", key, value, key2, "q"], ["MGET", key, key2, key], ["EXISTS", key, key2],
        ["RENAME", key, key2], ["RENAMENX", key, key2], ["COPY", key, key2],
        ["COPY", key, key2, "REPLACE"], ["EXPIRE", key, number], ["PERSIST", key],
        ["EXPIRE", key, str(r.randrange(10**5, 10**9)), r.choice(["NX", "XX", "GT", "LT"])],
        ["TTL", key],
        ["GETRANGE", key, number, number], ["SETRANGE", key, "3", value],
        ["INCRBYFLOAT", key, "0.5"], ["GETEX", key, "EX", "9999"], ["GETEX", key, "PERSIST"],
        ["MULTI"], ["EXEC"], ["EXEC"], ["EXEC"], ["DISCARD"], ["WATCH", "w"], ["UNWATCH"], ["INCR", "w"],
        ["TYPE", key]])


@pytest.mark.parametrize("seed", range(8))
def test_random_commands_as_with_redis(hub, reference, seed):
    r = random.Random(seed)
    ours, theirs = Asker(hub), Asker(reference)
    for step in range(1500):
        command = random_command(r)
        mine, other = ours.ask(*command), theirs.ask(*command)
        assert are_same(mine, other), (step, command, mine, other)


# ---- Redis' Python client

@pytest.fixture
def client(hub):
    return redis.Redis("127.0.0.1", port=hub.port, decode_responses=True)


def test_a_pipeline_is_a_transaction(client):
    with client.pipeline() as p:
        assert p.set("a", 1).incr("a", 5).get("a").delete("none").execute() == [True, 6, "6", 0]


def test_counting_together_by_watching(hub):
    def count():
        client = redis.Redis("127.0.0.1", port=hub.port)

        def add(p):
            n = int(p.get("n") or 0)
            p.multi()
            p.set("n", n + 1)
        for _ in range(50):
            client.transaction(add, "n")
    threads = [threading.Thread(target=count) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(PATIENCE)
    assert redis.Redis("127.0.0.1", port=hub.port).get("n") == b"300"


def test_a_lock_by_compare_and_delete(client):
    assert client.set("lock", "mine", nx=True, px=100000)
    assert client.set("lock", "other", nx=True, px=100000) is None
    assert client.execute_command("DELIFEQ", "lock", "other") == 0
    assert client.execute_command("DELIFEQ", "lock", "mine") == 1
    assert client.execute_command("DELIFEQ", "lock", "mine") == 0


def test_compare_and_set(client):
    client.set("k", "one")
    assert client.execute_command("SET", "k", "two", "IFEQ", "zero") is None
    assert client.execute_command("SET", "k", "two", "IFEQ", "one")
    assert client.execute_command("SET", "none", "x", "IFEQ", "") is None
    assert client.mget("k", "none") == ["two", None]


def test_a_scan_sees_all_that_stays(client):
    stays = {f"stays:{i}" for i in range(3000)}
    client.mset(dict.fromkeys(stays, 1))
    seen, cursor, step = set(), 0, 0
    while True:
        cursor, keys = client.scan(cursor, count=20)
        seen.update(keys)
        client.mset({f"grows:{step}:{i}": 1 for i in range(100)})
        step += 1
        if cursor == 0:
            break
    assert stays <= seen
    assert set(client.scan_iter("stays:1??")) == {f"stays:{i}" for i in range(100, 200)}


def test_keys_of_a_large_table(client):
    for part in range(20):
        client.mset({f"key:{part}:{i}": 1 for i in range(5000)})
    assert len(client.keys("key:*")) == 100000
    assert sorted(client.keys("key:7:49?9")) == [f"key:7:49{i}9" for i in range(10)]


def test_what_expires_is_gone_also_after_a_crash(hub, client):
    client.set("short", "v", px=30)
    client.set("long", "v", ex=1000)
    until(lambda: client.get("short") is None, "the end of a key")
    hub.kill()
    hub.restart()
    client = redis.Redis("127.0.0.1", port=hub.port)
    assert client.get("short") is None
    assert 900 < client.ttl("long") <= 1000
    assert client.dbsize() == 1


def test_what_expires_is_swept(hub, client):
    client.set("stays", 1)
    for i in range(500):
        client.set(f"k{i}", "v", px=20)
    until(lambda: client.dbsize() == 1, "the sweep")


def test_a_checkpoint_on_demand(hub, client):
    client.set("k", "v")
    before = client.lastsave()
    assert client.bgsave()
    until(lambda: (hub.data / "checkpoint").exists(), "the checkpoint")
    until(lambda: client.lastsave() != before, "the time")
    hub.kill()
    hub.restart()
    assert redis.Redis("127.0.0.1", port=hub.port).get("k") == b"v"


def test_a_flush_survives_a_crash(hub, client):
    client.mset({f"k{i}": i for i in range(1000)})
    client.flushall()
    client.set("after", 1)
    hub.kill()
    hub.restart()
    assert redis.Redis("127.0.0.1", port=hub.port).keys() == [b"after"]


# ---- limits of a transaction

def test_a_transaction_too_large_is_refused(client):
    with connect(client.connection_pool.connection_kwargs["port"]) as s:
        value = b"v" * (9 << 20)
        s.sendall(resp("MULTI") + resp("SET", "k", value) * 8 + resp("EXEC") + resp("GET", "k"))
        s.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: s.recv(65536), b""))
    assert said.startswith(b"+OK\r\n" + b"+QUEUED\r\n" * 7 + b"-ERR the transaction is too large")
    assert said.endswith(b"-EXECABORT Transaction discarded because of previous errors.\r\n$-1\r\n")


def test_too_many_commands_are_refused(client):
    most = 1024 * 1024
    with connect(client.connection_pool.connection_kwargs["port"]) as s, s.makefile("rb") as answers:
        sender = threading.Thread(target=s.sendall, args=[
            resp("MULTI") + resp("SET", "k", "v") + resp("PING") * most + resp("EXEC")])
        sender.start()
        said = [answers.readline() for _ in range(most + 3)]
        sender.join(PATIENCE)
    assert said[:-2] == [b"+OK\r\n"] + [b"+QUEUED\r\n"] * most
    assert said[-2:] == [b"-ERR the transaction is too large\r\n",
                         b"-EXECABORT Transaction discarded because of previous errors.\r\n"]
    assert client.get("k") is None


def test_many_values_are_read_right(start_hub):
    hub = start_hub()
    client = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    sizes = random.Random(1)
    values = {b"k%d" % i: b"%d" % i * sizes.choice([0, 1, 10, 1000, 13000]) for i in range(12000)}
    names = list(values)
    for i in range(0, len(names), 500):
        client.mset({name: values[name] for name in names[i:i + 500]})
    values[b"large"] = b"v" * (1 << 20)
    client.set("large", values[b"large"])
    asked = sizes.choices(names + [b"large", b"missing"] * 10, k=30000)
    pipeline = client.pipeline(transaction=False)
    said = pipeline.mget(asked).get("k7").execute()
    assert said[0] == [values.get(name) for name in asked]
    assert said[1] == values[b"k7"]
    info = client.info()
    assert info["keyspace_hits"] + info["keyspace_misses"] == len(asked) + 1


@pytest.mark.parametrize("key", ["", "k" * (64 * 1024 + 1)])
def test_a_bad_key_among_many_is_an_error_in_place_of_the_reply(client, key):
    with connect(client.connection_pool.connection_kwargs["port"]) as s, s.makefile("rb") as answers:
        s.sendall(resp("MGET", *["k"] * 20000, key) + resp("PING"))
        assert answers.readline().startswith(b"-ERR a key is 1 byte to 64 KiB")
        assert answers.readline() == b"+PONG\r\n"


def test_too_many_watched_keys(client):
    many = [f"k{i}" for i in range(64 * 1024)]
    with client.client() as c:
        for start in range(0, len(many), 8192):
            assert c.execute_command("WATCH", *many[start:start + 8192])
        with pytest.raises(redis.ResponseError, match="too many watched keys"):
            c.execute_command("WATCH", "one more")


class Changer(threading.Thread):
    """Puts ever new keys, and takes half of them away again, until it is told to end."""

    def __init__(self, hub):
        super().__init__()
        self.client = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
        self.ending = threading.Event()
        self.rounds = 0
        self.start()

    def run(self):
        while not self.ending.is_set():
            names = [f"other:{self.rounds}:{i}" for i in range(1000)]
            self.client.mset(dict.fromkeys(names, "v"))
            self.client.delete(*names[:500])
            self.rounds += 1


def keys_while_others_change(changer, client):
    """What KEYS answers, while at least some rounds of the changer go by."""
    while True:
        before = changer.rounds
        keys = client.keys()
        if changer.rounds >= before + 5:
            return keys


@pytest.mark.parametrize("workers", [1, 2])
def test_keys_tells_what_stays_once_while_others_come_and_go(start_hub, workers):
    hub = start_hub("--workers", workers, "--durability", "second")
    client = redis.Redis("127.0.0.1", port=hub.port, socket_timeout=PATIENCE)
    staying = [f"staying:{i}" for i in range(200000)]
    for i in range(0, len(staying), 20000):
        client.mset(dict.fromkeys(staying[i:i + 20000], "v"))
    changer = Changer(hub)
    try:
        for _ in range(3):
            keys = Counter(k.decode() for k in keys_while_others_change(changer, client))
            assert [(k, keys[k]) for k in staying if keys[k] != 1] == []
    finally:
        changer.ending.set()
        changer.join(PATIENCE)
    assert not changer.is_alive()


@pytest.mark.parametrize("command", ["KEYS *", "SCAN 0", "DBSIZE", "FLUSHALL", "INFO", "BGSAVE"])
def test_no_transaction_over_the_whole_table(client, command):
    with client.client() as c:
        c.execute_command("MULTI")
        with pytest.raises(redis.ResponseError, match="not possible within a transaction"):
            c.execute_command(*command.split())
        with pytest.raises(redis.ResponseError, match="discarded"):
            c.execute_command("EXEC")


CAME_AND_WENT = [
    ("GET", "k"), ("MGET", "other", "k"), ("EXISTS", "k"), ("STRLEN", "k"), ("APPEND", "k", ""),
    ("SET", "k", "mine", "NX"), ("TTL", "k"),
]


@pytest.mark.parametrize("look", CAME_AND_WENT, ids=lambda words: words[0])
def test_who_has_seen_a_watched_key_that_was_missing_cannot_commit_on_it(hub, look):
    ours, theirs = [redis.Redis("127.0.0.1", port=hub.port) for _ in range(2)]
    ours = ours.client()
    assert ours.execute_command("WATCH", "k", "other")
    theirs.set("k", "v")
    ours.execute_command(*look)
    theirs.delete("k")
    ours.execute_command("MULTI")
    ours.execute_command("SET", "derived", "from k")
    assert ours.execute_command("EXEC") is None
    assert theirs.get("derived") is None
    # Unseen it is as if it had never been there.
    ours.execute_command("WATCH", "k")
    ours.execute_command("GET", "k")
    theirs.set("k", "v")
    theirs.delete("k")
    ours.execute_command("MULTI")
    ours.execute_command("SET", "derived", "from nothing")
    assert ours.execute_command("EXEC") == [b"OK"]
