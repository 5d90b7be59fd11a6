#!/usr/bin/env python3
"""A hub under everything at once, for long: text, RESP, HTTP, pipelines, large values, transactions,
expiries, subscribers, followers, checkpoints, flushes, clients that leave rudely. Each client has keys
of its own, so every answer can be foretold, and is checked. Now and then all pause and leave; then the
hub's memory, descriptors and threads are looked at, and the size of its data.

    tests/scenario/soak.py [--seconds 600] [--seed N]

KITH_BUILD is the folder of the programs, else build."""

import argparse
import collections
import itertools
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import socket
import struct
import sys
import tempfile
import time
import traceback

import hubs
from hubs import PATIENCE, until
from talk import Lines, Resp, connect, read_all, read_exactly, resp

MIB = 1 << 20
ROUND_S = 5  # between two pauses
DATA_MIB_MAX = 640  # of log, checkpoint and the next of both; what is kept is some 30
DATA_MIB_EMPTY = 200  # a checkpoint of nothing, a segment of the log and the next
FILES_MAX = 5  # open at once, of the log: a segment and the next; a checkpoint; the folder and its lock
# What memory may grow by once warm, and where there are too few pauses to warm up. An allocator that has
# kept something of a large value for the next one makes some pauses larger; a leak makes all of them so.
GROWTH_MIB = 2
PAUSES_MIN, SHORT_GROWTH_MIB = 16, 64

Look = collections.namedtuple("Look", "seconds memory_kib descriptors threads data_mib")


def now_ms():
    return time.time_ns() // 1_000_000


# ---- clients: each does a little of its work at a time, and keeps what it expects to find

class Client:
    def __init__(self, name, port, seed):
        self.name, self.port = name, port
        self.random = random.Random(f"{seed} {name}")
        self.expected = {}  # key: value, in bytes
        self.answers = 0
        self.numbers = itertools.count()
        self.begin()

    def begin(self):
        """Connects, at the beginning and after each pause."""

    def leave(self):
        """Disconnects, before each pause."""

    def flushed(self):
        self.expected.clear()

    def key(self, i=None):
        return f"{self.name}:{self.random.randrange(50) if i is None else i}"

    def value(self):
        return f"{next(self.numbers)}." + "v" * self.random.choice([0, 10, 10, 100, 2000])

    def same(self, answer, expected, about):
        self.answers += 1
        assert answer == expected, (self.name, about, "expected", str(expected)[:100], "got",
                                    str(answer)[:100])


class Speaker(Client):
    """RESP, one at a time."""

    def begin(self):
        self.connection = Resp(self.port)

    def leave(self):
        self.connection.close()

    def expect(self, key):
        value = self.expected.get(key)
        return value and value.decode()

    def next(self):
        """A command, and what it will answer."""
        key, value = self.key(), self.value()
        old = self.expect(key)
        what = self.random.choice(["SET", "SET", "GET", "GET", "DEL", "APPEND", "NX", "IFEQ", "DELIFEQ",
                                   "GETDEL", "STORE", "EXISTS", "MGET", "PERSIST"])
        if what == "APPEND" and old and len(old) < 9000:
            self.expected[key] = f"{old}+".encode()
            return [what, key, "+"], len(old) + 1
        if what in ("SET", "STORE", "APPEND"):
            self.expected[key] = value.encode()
            return ["SET" if what == "APPEND" else what, key, value], \
                "OK" if what != "STORE" else "Updated" if old else "Saved"
        if what == "NX":
            self.expected.setdefault(key, value.encode())
            return ["SET", key, value, "NX"], None if old else "OK"
        if what == "IFEQ":
            if old:
                self.expected[key] = value.encode()
            return ["SET", key, value, "IFEQ", old or "none"], "OK" if old else None
        if what in ("DEL", "GETDEL", "DELIFEQ"):
            self.expected.pop(key, None)
            return [what, key, *([old or "none"] if what == "DELIFEQ" else [])], \
                old if what == "GETDEL" else int(bool(old))
        if what == "MGET":
            other = self.key()
            return [what, key, other], [old, self.expect(other)]
        return [what, key], {"GET": old, "EXISTS": int(bool(old)), "PERSIST": 0}[what]

    def work(self):
        for _ in range(30):
            words, answer = self.next()
            self.same(self.connection.ask(*words), answer, words[:2])


class Piper(Speaker):
    """RESP, many at once."""

    def work(self):
        said = [self.next() for _ in range(self.random.choice([2, 16, 100, 1000]))]
        self.connection.send(*(words for words, _ in said))
        for words, answer in said:
            self.same(self.connection.read(), answer, words[:2])


class Dealer(Speaker):
    """Transactions, watched keys, and keys that end."""

    def work(self):
        for _ in range(5):
            self.change_both()
            self.change_watched()
            self.let_end()

    def change_both(self):
        value = self.value()
        self.connection.send(["MULTI"], ["SET", self.key("a"), value], ["SET", self.key("b"), value],
                             ["INCR", self.key("n")], ["GET", self.key("a")], ["EXEC"])
        n = int(self.expected.get(self.key("n"), 0)) + 1
        for key, what in ("a", value), ("b", value), ("n", str(n)):
            self.expected[self.key(key)] = what.encode()
        self.same([self.connection.read() for _ in range(6)],
                  ["OK", "QUEUED", "QUEUED", "QUEUED", "QUEUED", ["OK", "OK", n, value]], "EXEC")

    def change_watched(self):
        other = self.random.random() < 0.5
        self.same(self.connection.ask("WATCH", self.key("a")), "OK", "WATCH")
        if other:
            with Resp(self.port) as connection:
                self.same(connection.ask("SET", self.key("a"), "other"), "OK", "SET")
            self.expected[self.key("a")] = b"other"
        else:
            self.expected[self.key("b")] = b"watched"
        self.connection.send(["MULTI"], ["SET", self.key("b"), "watched"], ["EXEC"])
        self.same([self.connection.read() for _ in range(3)], ["OK", "QUEUED", None if other else ["OK"]],
                  "EXEC of what is watched")

    def let_end(self):
        key, ms = self.key("short"), self.random.choice([1, 3, 20])
        before = now_ms()
        self.same(self.connection.ask("SET", key, "v", "PX", str(ms)), "OK", "SET PX")
        after = now_ms()
        while True:
            asked = now_ms()
            value, answered = self.connection.ask("GET", key), now_ms()
            assert value == "v" or answered >= before + ms, "it ended too soon"
            assert value is None or asked < after + ms, "it has not ended"
            if value is None:
                break
        self.connection.send(*(["SET", f"{key}:{i}", "v", "PX", "30"] for i in range(100)))  # left to itself
        self.same([self.connection.read() for _ in range(100)], ["OK"] * 100, "SET PX")


class Writer(Client):
    """Text, in lines, terse and full, and bare."""

    def begin(self):
        self.terse, self.full = Lines(self.port), Lines(self.port, b"\r\n")
        self.same(self.full.ask("REPLIES full"), "full", "REPLIES")

    def leave(self):
        self.terse.close()
        self.full.close()

    def work(self):
        for _ in range(10):
            key, value = self.key(), self.value()
            old = self.expected.get(key)
            said = f"Update Successfully for key:{key}" if old else f"Saved Successfully for key:{key}"
            full = self.random.random() < 0.5
            self.same((self.full if full else self.terse).ask(f"STORE {key} = {value}"),
                      said if full else "1", "STORE")
            self.expected[key] = value.encode()
            key = self.key()
            old = self.expected.get(key)
            self.same(self.terse.ask(f"GET {key}"), old.decode() if old else "ERROR", "GET")
            self.same(self.full.ask(f"GET {key}"), old.decode() if old else f"Invalid Key:{key}", "GET")
            self.same(self.terse.ask(f"hello {value}"), f"hello {value}", "echo")
        with connect(self.port) as s:
            s.sendall(b"bare")
            self.same(s.recv(100), b"bare", "bare")


class Carrier(Client):
    """Large values."""

    def work(self):
        i = self.random.randrange(4)
        size = self.random.choice([1, 1, 1, 2, 4, 16]) * MIB if i == 0 else MIB + self.random.randrange(MIB)
        value = self.random.randbytes(1024) * (size // 1024)
        key = self.key(i).encode()
        with connect(self.port) as s:
            s.sendall(resp("SET", key, value))
            self.same(read_exactly(s, 5), b"+OK\r\n", "SET")
            self.expected[key.decode()] = value
            for i in range(4):
                expected = self.expected.get(self.key(i))
                head = b"$-1\r\n" if expected is None else b"$%d\r\n" % len(expected)
                whole = head if expected is None else head + expected + b"\r\n"
                s.sendall(resp("GET", self.key(i)))
                self.same(read_exactly(s, len(whole)) == whole, True, ("GET", i))
            if self.random.random() < 0.2:
                s.sendall(resp("DEL", key))
                self.same(read_exactly(s, 4), b":1\r\n", "DEL")
                del self.expected[key.decode()]


class Listener(Client):
    """Who is told things: by channels, patterns, FOLLOW, WATCH."""

    def begin(self):
        self.speaker, self.channels, self.follower = (Resp(self.port) for _ in range(3))
        self.watcher = Lines(self.port)
        self.same(self.channels.ask("SUBSCRIBE", self.name), ["subscribe", self.name, 1], "SUBSCRIBE")
        self.same(self.channels.ask("PSUBSCRIBE", f"{self.name}*"), ["psubscribe", f"{self.name}*", 2],
                  "PSUBSCRIBE")
        self.same(self.follower.ask("FOLLOW", f"{self.name}:"), ["follow", f"{self.name}:", 1], "FOLLOW")
        self.same(self.watcher.ask(f"WATCH {self.name}:"), "WATCHING", "WATCH")

    def leave(self):
        for connection in self.speaker, self.channels, self.follower, self.watcher:
            connection.close()

    def work(self):
        for _ in range(10):
            message, key = self.value(), self.key()
            self.same(self.speaker.ask("PUBLISH", self.name, message), 2, "PUBLISH")
            told = sorted([self.channels.read(), self.channels.read()])
            self.same(told, [["message", self.name, message],
                             ["pmessage", f"{self.name}*", self.name, message]], "message")
            self.same(self.speaker.ask("SET", key, message), "OK", "SET")
            self.same(self.follower.read(), ["change", f"{self.name}:", "set", key, message], "change")
            self.same(self.watcher.read(), f"CHANGED {key} = {message}", "CHANGED")
            self.same(self.speaker.ask("DEL", key), 1, "DEL")
            self.same(self.follower.read(), ["change", f"{self.name}:", "del", key, None], "change")
            self.same(self.watcher.read(), f"REMOVED {key}", "REMOVED")


class Boor(Client):
    """Leaves in the midst of things, says nonsense, does not read; nothing of it may last."""

    def begin(self):
        self.silent = [connect(self.port) for _ in range(10)]

    def leave(self):
        for s in self.silent:
            s.close()

    def reset(self, s):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()

    def work(self):
        self.random.choice([self.http, self.half, self.unread, self.nonsense, self.crowd])()

    def http(self):
        with connect(self.port) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\nSTORE posted = yes\n")
            self.same(read_all(s), b"", "HTTP")

    def half(self):
        whole = self.random.choice([resp("SET", self.key(), b"v" * 3000), resp("SET", "x", b"v" * 4 * MIB),
                                    b"STORE x = " + b"v" * 3000, resp("MULTI") + resp("SET", "x", "y"),
                                    resp("SUBSCRIBE", "x") + resp("FOLLOW", "")])
        s = connect(self.port)
        s.sendall(whole[:self.random.randrange(1, len(whole))])
        self.random.choice([s.close, lambda: self.reset(s)])()

    def unread(self):
        """Asks for much, and reads none of it."""
        with connect(self.port) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(resp("ECHO", b"e" * 60_000) * 40)
            self.reset(s)

    def nonsense(self):
        with connect(self.port) as s:
            s.sendall(self.random.choice([b"*1\r\n$x\r\n", b"\x16\x03\x01" + b"x" * 100, b"\x00\x01\x02",
                                          b"*99999999\r\n", b"*2\r\n$3\r\nGET\r\n$999999999\r\n"]))
            read_all(s)
        self.answers += 1

    def crowd(self):
        crowd = [connect(self.port) for _ in range(50)]
        for s in crowd:
            s.sendall(resp("PING"))
        for s in crowd:
            self.same(read_exactly(s, 7), b"+PONG\r\n", "PING")
            s.close()


class Keeper(Speaker):
    """Looks after the hub: checkpoints, figures, going through all keys."""

    def work(self):
        self.same(self.connection.ask("BGSAVE") in ("Background saving started",
                                                    "-ERR Background save already in progress"), True,
                  "BGSAVE")
        for i in range(200):
            self.expected[self.key(i)] = b"stays"
        self.connection.send(*(["SET", self.key(i), "stays"] for i in range(200)))
        self.same([self.connection.read() for _ in range(200)], ["OK"] * 200, "SET")
        found, cursor = set(), "0"
        while True:
            cursor, keys = self.connection.ask("SCAN", cursor, "MATCH", f"{self.name}:*", "COUNT", "50")
            found.update(keys)
            if cursor == "0":
                break
        self.same(found, set(self.expected), "SCAN")
        self.same(set(self.connection.ask("KEYS", f"{self.name}:*")), set(self.expected), "KEYS")
        self.same(self.connection.ask("INFO").startswith("# Server"), True, "INFO")
        self.same(self.connection.ask("DBSIZE") >= 200, True, "DBSIZE")


KINDS = [Speaker, Piper, Piper, Dealer, Writer, Carrier, Listener, Boor, Keeper]


# ---- clients, each a process, that pause together

class Together:
    """When to pause, when to go on, when it is over."""

    def __init__(self, clients):
        self.pause = multiprocessing.Event()
        self.over = multiprocessing.Event()
        self.paused, self.resumed = (multiprocessing.Barrier(clients + 1) for _ in range(2))


def live(kind, name, port, seed, together, pipe):
    """A client's process. At the end it tells what it expects to find, and how much it was answered."""
    client = None
    try:
        client = kind(name, port, seed)
        while True:
            client.work()
            if together.pause.is_set():
                client.leave()
                together.paused.wait(PATIENCE * 4)
                together.resumed.wait(PATIENCE * 4)
                if together.over.is_set():
                    break
                client.flushed()
                client.begin()
        pipe.send((client.expected, client.answers))
    except BaseException:
        pipe.send(f"{name}: {traceback.format_exc()}")
        together.paused.abort()


class Soak:
    def __init__(self, hub, seed):
        self.hub, self.looks, self.began = hub, [], time.monotonic()
        self.descriptors, self.threads = descriptors_of(hub), count_of(hub, "task")
        self.together = Together(len(KINDS))
        self.pipes, self.processes = [], []
        fork = multiprocessing.get_context("fork")
        for i, kind in enumerate(KINDS):
            mine, theirs = fork.Pipe()
            self.pipes.append(mine)
            self.processes.append(fork.Process(target=live, daemon=True, args=(
                kind, f"{kind.__name__.lower()}{i}", hub.port, seed, self.together, theirs)))
            self.processes[-1].start()

    def check_clients(self):
        """That none of them has something to complain of."""
        for pipe in self.pipes:
            if pipe.poll():
                said = pipe.recv()
                assert not isinstance(said, str), said
        assert self.hub.is_running(), self.hub.log()[-3000:]

    def pause(self):
        self.together.pause.set()
        try:
            self.together.paused.wait(PATIENCE * 4)
        except Exception:
            self.check_clients()
            raise
        self.together.pause.clear()

    def resume(self):
        self.together.resumed.wait(PATIENCE)

    def look(self):
        """At the hub, alone and emptied. What the clients have left behind it has to notice first."""
        data = data_mib(self.hub)
        assert data <= DATA_MIB_MAX, f"{data} MiB of data"
        self.empty()
        until(lambda: descriptors_of(self.hub) == self.descriptors, "all descriptors closed")
        until(lambda: count_of(self.hub, "task") == self.threads, "as many threads as at the start")
        assert len(files_of(self.hub)) <= FILES_MAX, files_of(self.hub)
        look = Look(round(time.monotonic() - self.began), self.settled_memory(),
                    count_of(self.hub, "fd"), count_of(self.hub, "task"), data)
        self.looks.append(look)
        print(" ".join(f"{name}={value}" for name, value in look._asdict().items()), flush=True)

    def empty(self):
        """The table, then the log."""
        with Resp(self.hub) as connection:
            assert connection.ask("FLUSHDB") == "OK"
            until(lambda: connection.ask("BGSAVE") == "Background saving started", "a checkpoint's turn")
        until(lambda: data_mib(self.hub) <= DATA_MIB_EMPTY, "a short log")

    def settled_memory(self):
        """What a flush has left is freed in the background: until that has come to its end."""
        least, at = memory_kib(self.hub), time.monotonic()
        while time.monotonic() < at + 0.3:
            now = memory_kib(self.hub)
            if now < least:
                least, at = now, time.monotonic()
            time.sleep(0.01)
        return least

    def work(self, seconds):
        over = time.monotonic() + seconds
        while time.monotonic() < over:
            self.check_clients()
            time.sleep(0.02)
        self.check_clients()

    def go_on(self, pauses, round_s):
        for _ in range(pauses):
            self.work(round_s)
            self.pause()
            self.look()
            self.resume()
        self.work(round_s)

    def finish(self):
        """What all expect to find, and how much they were answered."""
        self.pause()
        self.together.over.set()
        self.resume()
        expected, answers = {}, 0
        for pipe in self.pipes:
            assert pipe.poll(PATIENCE), "a client does not come to an end"
            said = pipe.recv()
            assert isinstance(said, tuple), said
            expected.update(said[0])
            answers += said[1]
        for process in self.processes:
            process.join(PATIENCE)
        return expected, answers

    def end(self):
        for process in self.processes:
            process.kill()
            process.join()


def open_in(hub):
    """What each descriptor is open on."""
    folder = f"/proc/{hub.pid}/fd"
    for fd in os.listdir(folder):
        try:
            yield os.readlink(f"{folder}/{fd}")
        except FileNotFoundError:
            pass  # closed meanwhile


def files_of(hub):
    """Those of the log and its checkpoint, which come and go."""
    return [name for name in open_in(hub) if name.startswith(f"{hub.data}/")]


def helper_pipes(hub):
    """What ties a sanitizer's helper to the hub, which has no children of its own."""
    for task in os.listdir(f"/proc/{hub.pid}/task"):
        for child in pathlib.Path(f"/proc/{hub.pid}/task/{task}/children").read_text().split():
            for fd in ["0", "1"]:
                yield os.readlink(f"/proc/{child}/fd/{fd}")


def descriptors_of(hub):
    """All others, a connection each among them."""
    helpers = set(helper_pipes(hub))
    return sorted(name for name in open_in(hub)
                  if not name.startswith(f"{hub.data}/") and name not in helpers)


def count_of(hub, what):
    return len(os.listdir(f"/proc/{hub.pid}/{what}"))


def memory_kib(hub):
    lines = pathlib.Path(f"/proc/{hub.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def data_mib(hub):
    sizes = 0
    for file in hub.data.iterdir():
        try:
            sizes += file.stat().st_blocks * 512
        except FileNotFoundError:
            pass  # the log's thread has dropped it meanwhile
    return sizes // MIB


def check_table(hub, expected):
    with Resp(hub) as connection:
        for key, value in expected.items():
            connection.socket.sendall(resp("GET", key))
            assert connection.file.readline() == b"$%d\r\n" % len(value), key
            assert connection.file.read(len(value) + 2) == value + b"\r\n", key


def check_memory(looks):
    """The least of the second quarter is held against that of the last."""
    quarter = max(1, len(looks) // 4)
    first, last = (min(look.memory_kib for look in part)
                   for part in (looks[quarter:2 * quarter], looks[-quarter:]))
    growth = GROWTH_MIB if len(looks) >= PAUSES_MIN else SHORT_GROWTH_MIB
    assert last <= first + growth * 1024, f"memory has grown from {first} to {last} KiB"
    return first, last


def run(folder, pauses, seed, round_s=ROUND_S):
    """All of it; gives the figures."""
    hub = hubs.Hub(folder, "--workers", "2")
    try:
        soak = Soak(hub, seed)
        try:
            soak.go_on(pauses, round_s)
            expected, answers = soak.finish()
        finally:
            soak.end()
        first, last = check_memory(soak.looks)
        check_table(hub, expected)
        hub.stop()
        checked = hubs.run_kithd("--check", hub.data)
        assert checked.returncode == 0, checked.stderr
        hub.restart()
        check_table(hub, expected)
        hub.stop()
    finally:
        hub.kill()
    return {"seconds": soak.looks[-1].seconds, "seed": seed, "answers": answers, "pauses": len(soak.looks),
            "memory_first_kib": first, "memory_last_kib": last, "descriptors": soak.looks[-1].descriptors,
            "threads": soak.threads, "data_mib_max": max(look.data_mib for look in soak.looks)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kith-soak-"))
    print(f"seed {options.seed}, in {folder}", flush=True)
    try:
        print(json.dumps(run(folder, max(2, int(options.seconds / ROUND_S)), options.seed)))
    except AssertionError as failure:
        sys.exit(f"soak: with seed {options.seed}: {failure}\nthe hub's log is in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
