"""Goal: who asks for it is told what happens, by whatever worker, in order and once it is durable."""

import contextlib
import json
import re
import signal
import subprocess
import threading

import pexpect
import pytest
import redis
from hubs import PATIENCE, until
from talk import Lines, connect, is_served, read_exactly, resp


@pytest.fixture(params=[1, 3], ids="{} workers".format)
def hub(start_hub, request):
    return start_hub("--workers", request.param)


def client_of(hub, **how):
    return redis.Redis("127.0.0.1", port=hub.port, decode_responses=True, **how)


def listener(hub, *patterns, channels=()):
    p = client_of(hub).pubsub()
    if channels:
        p.subscribe(*channels)
    if patterns:
        p.psubscribe(*patterns)
    for _ in [*channels, *patterns]:
        assert p.get_message(timeout=PATIENCE)["type"] in ("subscribe", "psubscribe")
    return p


def heard(p, n):
    """The next n messages: pattern, channel, data."""
    got = []
    for _ in range(n):
        m = p.get_message(timeout=PATIENCE)
        got.append((m["pattern"], m["channel"], m["data"]))
    return got


def test_published_messages_reach_every_listener(hub):
    news = [listener(hub, channels=["news"]) for _ in range(4)]
    other = listener(hub, "n?ws", channels=["other"])
    publisher = client_of(hub)
    assert publisher.publish("news", "hello") == 5
    assert publisher.publish("none", "hello") == 0
    assert publisher.publish("other", "last") == 1
    for p in news:
        assert heard(p, 1) == [(None, "news", "hello")]
    assert heard(other, 2) == [("n?ws", "news", "hello"), (None, "other", "last")]


def test_what_is_said_of_subscriptions(hub):
    p = listener(hub, "a*", channels=["x", "y"])
    listener_too = listener(hub, channels=["x"])
    client = client_of(hub)
    assert client.pubsub_channels() == ["x", "y"]
    assert client.pubsub_channels("x*") == ["x"]
    assert client.pubsub_numsub("x", "y", "z") == [("x", 2), ("y", 1), ("z", 0)]
    assert client.pubsub_numpat() == 1
    p.unsubscribe("x")
    p.punsubscribe()
    until(lambda: client.pubsub_numpat() == 0, "the end of a pattern")
    assert client.pubsub_numsub("x") == [("x", 1)]
    listener_too.close()
    p.close()
    until(lambda: client.pubsub_channels() == [], "the end of all")


def test_resp2_and_resp3_as_redis_words_it(hub):
    with connect(hub) as s:
        s.sendall(resp("SUBSCRIBE", "a", "b") + resp("PING") + resp("GET", "k") +
                  resp("UNSUBSCRIBE") + resp("PING"))
        expected = (b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"
                    b"*2\r\n$4\r\npong\r\n$0\r\n\r\n-ERR only (P|S)SUBSCRIBE")
        assert read_exactly(s, len(expected)) == expected
    with connect(hub) as s:
        s.sendall(resp("HELLO", "3") + resp("SUBSCRIBE", "a") + resp("PUBLISH", "a", "m") + resp("GET", "k"))
        said = b""
        while b"_\r\n" not in said or b"message" not in said or not said.endswith(b"\r\n"):
            said += s.recv(4096)
        assert b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n:1\r\n" in said
        assert b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n" in said


def test_redis_cli_subscribes(hub):
    cli = pexpect.spawn("redis-cli", ["-p", str(hub.port)], timeout=PATIENCE, encoding="utf-8")
    cli.expect(">")
    cli.send("SUBSCRIBE news\r")
    cli.expect("subscribe")
    until(lambda: client_of(hub).publish("news", "from afar") == 1, "the subscription")
    cli.expect("from afar")
    cli.close(force=True)


def test_keyspace_notifications(hub):
    p = listener(hub, "__keyspace@0__:a*", "__keyevent@0__:*")
    client = client_of(hub)
    client.config_set("notify-keyspace-events", "KEA")
    client.set("a1", "v")
    client.set("b", "v")
    client.delete("a1")
    client.set("a2", "v", px=20)
    got = set(heard(p, 9))
    assert got == {
        ("__keyspace@0__:a*", "__keyspace@0__:a1", "set"), ("__keyevent@0__:*", "__keyevent@0__:set", "a1"),
        ("__keyevent@0__:*", "__keyevent@0__:set", "b"),
        ("__keyspace@0__:a*", "__keyspace@0__:a1", "del"), ("__keyevent@0__:*", "__keyevent@0__:del", "a1"),
        ("__keyspace@0__:a*", "__keyspace@0__:a2", "set"), ("__keyevent@0__:*", "__keyevent@0__:set", "a2"),
        ("__keyspace@0__:a*", "__keyspace@0__:a2", "expired"),
        ("__keyevent@0__:*", "__keyevent@0__:expired", "a2")}


# ---- changes of the table

def test_watch_in_text(hub):
    with Lines(hub) as watcher, Lines(hub) as writer:
        assert watcher.ask("WATCH ab") == "WATCHING"
        for said in ["STORE abc = one = 1", "STORE b = two", "STORE ab = three"]:
            assert writer.ask(said) == "1"
        assert watcher.read() == "CHANGED abc = one = 1"
        assert watcher.read() == "CHANGED ab = three"
        client = client_of(hub)
        client.set("abx", "two\nlines")
        client.delete("ab", "none")
        client.set("aby", "v", px=10)
        assert [watcher.read() for _ in range(4)] == [
            "CHANGED abx", "REMOVED ab", "CHANGED aby = v", "EXPIRED aby"]
        client.flushall()
        assert watcher.read() == "FLUSHED"
        assert watcher.ask("UNWATCH") == "UNWATCHED"
        writer.ask("STORE ab = unheard")
        assert watcher.ask("still here") == "still here"
        assert watcher.ask("WATCH") == "WATCH"
        assert watcher.ask("WATCH two words") == "WATCH two words"


def test_kith_watch(hub):
    watch = pexpect.spawn(str(hub.build / "kith"), ["--hub", hub.where, "watch", "k"],
                          timeout=PATIENCE, encoding="utf-8")
    client = client_of(hub)
    until(lambda: client.set("k0", "x") and watch.expect(["k0 = x", pexpect.TIMEOUT], timeout=0.2) == 0,
          "the first change")
    client.set("k", "\x1b[31mred")
    watch.expect_exact("k = ")
    assert "\x1b" not in watch.readline()
    client.delete("k")
    watch.expect_exact("k (removed)")
    watch.sendintr()
    watch.expect(pexpect.EOF)
    watch.close()
    assert watch.signalstatus == signal.SIGINT


def test_kith_watch_in_json_until_the_hub_ends(hub):
    watch = subprocess.Popen([hub.build / "kith", "--hub", hub.where, "--json", "watch"],
                             stdout=subprocess.PIPE, text=True)
    client = client_of(hub)
    until(lambda: client.execute_command("INFO", "clients")["connected_clients"] >= 2, "the watcher")
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(watch.stdout))
    reader.start()
    until(lambda: client.incr("n") and lines, "the first change")
    client.set("k", b"\xff")
    client.flushall()
    until(lambda: any("flush" in line for line in lines), "the flush")
    hub.kill()
    assert watch.wait(PATIENCE) == 3
    reader.join(PATIENCE)
    changes = [json.loads(line) for line in lines]
    assert changes[-1]["error"]
    numbers = [int(c["value"]) for c in changes if c.get("key") == "n"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {"change": "flush"} in changes


def test_changes_come_in_order_and_none_is_lost(hub):
    """Several writers of one key on several workers; what a watcher hears is the key's history."""
    with connect(hub) as s:
        s.sendall(resp("HELLO", "3") + resp("FOLLOW", "n"))
        said = b""
        while b"follow" not in said:
            said += s.recv(65536)

        def count():
            client = redis.Redis("127.0.0.1", port=hub.port)
            for _ in range(200):
                client.incr("n")
        threads = [threading.Thread(target=count) for _ in range(5)]
        for t in threads:
            t.start()
        while said.count(b"$6\r\nchange\r\n") < 1000:
            said += s.recv(65536)
        for t in threads:
            t.join(PATIENCE)
    numbers = [int(n) for n in re.findall(rb"\$3\r\nset\r\n\$1\r\nn\r\n\$\d+\r\n(\d+)\r\n", said)]
    assert numbers == list(range(1, 1001))


def test_who_does_not_read_is_closed(hub):
    with connect(hub) as deaf:
        deaf.sendall(resp("SUBSCRIBE", "c"))
        client = client_of(hub)
        until(lambda: client.publish("c", "x" * 100000) == 1, "the subscription")
        until(lambda: client.publish("c", "x" * 1000000) == 0, "the end of who does not read")
    hub.wait_log("does not read what it is told")
    assert is_served(hub)


def receive_until(s, end):
    """All that comes up to there."""
    said = bytearray()
    while not said.endswith(end):
        some = s.recv(1 << 20)
        assert some, "closed"
        said += some
    return said


def follow(s, prefix):
    s.sendall(resp("FOLLOW", prefix))
    receive_until(s, b":1\r\n")


def test_the_largest_value_is_told_and_concerns_nobody_else(start_hub):
    hub = start_hub("--workers", "2")
    value = b"v" * (64 << 20)
    with contextlib.ExitStack() as stack:
        followers, others = ([stack.enter_context(connect(hub)) for _ in range(4)] for _ in range(2))
        for s in followers:
            follow(s, "big")
        for s in others:
            follow(s, "other")
        writer = client_of(hub)
        for _ in range(3):
            assert writer.set("big", value)
            for s in followers:
                assert len(receive_until(s, b"vvv\r\n")) > len(value)
        assert writer.set("other", "v")
        for s in others:
            assert b"other" in receive_until(s, b"$1\r\nv\r\n")


def test_much_at_once_is_told(hub):
    """A transaction leaves no time to read in between."""
    with connect(hub) as s:
        follow(s, "k")
        with client_of(hub).pipeline(transaction=True) as p:
            for i in range(12000):
                p.set(f"k{i}", b"v" * 1000)
            p.set("kend", "v")
            p.execute()
        assert receive_until(s, b"$4\r\nkend\r\n$1\r\nv\r\n").count(b"$3\r\nset\r\n") == 12001


def test_too_many_subscriptions(hub):
    with connect(hub) as s:
        s.sendall(resp("SUBSCRIBE", *[str(i) for i in range(1025)]))
        said = b""
        while b"-ERR" not in said:
            said += s.recv(65536)
        assert said.count(b"subscribe") == 1024
        assert b"-ERR too many subscriptions of this connection" in said
