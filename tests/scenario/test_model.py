"""Goal: a hub answers as the plain model beside it says (model.py): random commands, right and wrong, in
RESP and in text, in transactions, over restarts and kill -9; and what followers are told is what changed.

KITH_SECONDS sets how long that goes on (else some seconds), KITH_SEED what is done."""

import itertools
import os
import random
import shutil
import time

import pytest

from hubs import until
from model import COMMANDS, Model, Session, agrees, text
from talk import Lines, Resp

SECONDS = float(os.environ.get("KITH_SECONDS", 0))
SEED = int(os.environ.get("KITH_SEED", 1))
STEPS = 4000  # with one hub
NOT_IN_THE_MODEL = {  # about the hub and people, not the table; and what the test itself is told by
    "ACCOUNT", "AUTH", "DEVICES", "INVITE", "LOGIN", "PASSWORD", "REGISTER", "TOKEN", "WHOAMI",
    "ACCEPT", "CANCEL", "DECLINE", "DISCONNECT_CLIENT", "GET_CLIENT_INFO", "GET_CLIENT_LIST",
    "LETTER", "LETTERS", "MEET", "RELAY", "WHO",
    "BACKUP", "BGSAVE", "COMMAND", "CONFIG", "HELLO", "INFO", "LASTSAVE", "QUIT", "SHUTDOWN", "FOLLOW",
    "UNFOLLOW", "SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "PUBSUB"}

BUSY = [b"a", b"b", b"c", b"d", b"e"]
ODD = [b"two words", "gr\u00f6\u00dfe".encode(), b"\x00\xff\r\n", b"K" * 65536]
BAD = [b"", b"K" * 65537]
VALUES = [b"1", b"-7", b"10", b"abc", b"", b" 1", b"012", b"x" * 300, b"\r\n\x00\xff", b"Y" * 70_000,
          b"9223372036854775807", b"-9223372036854775808"]
WRONG = [b"z", b"", b"1.5", b"9223372036854775808", b" 1"]
FAR = 10**8  # seconds: nothing that ends so far away ends while the test runs
SOON_MS = 1000


class Commands:
    """Random ones. Those that end soon only outside of transactions, so that it can be waited for."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def key(self):
        r = self.random
        return r.choice(BUSY) if r.random() < 0.92 else r.choice(ODD) if r.random() < 0.9 else r.choice(BAD)

    def value(self):
        return self.random.choice(VALUES)

    def number(self, *right):
        return str(self.random.choice(right)).encode() if self.random.random() < 0.93 else \
            self.random.choice(WRONG)

    def lasting(self, unit, is_absolute):
        """A time far away, or one that has passed; never the same one twice."""
        r = self.random
        if r.random() < 0.15:
            return self.number(0, -1, -100000, 9223372036854775807)
        seconds = r.randrange(FAR, 100 * FAR) + (50 * FAR if is_absolute else 0)
        return str(seconds * (1000 if unit == "ms" else 1)).encode()

    def option(self, *words):
        return list(self.random.choice(words))

    def set_options(self):
        choices = [[b"NX"], [b"XX"], [b"GET"], [b"KEEPTTL"], [b"keepttl"], [b"KEEPTTL"],
                   [b"IFEQ", self.value()], [b"ifeq", b"abc"], [b"EX", self.lasting("s", False)],
                   [b"px", self.lasting("ms", False)], [b"EXAT", self.lasting("s", True)],
                   [b"PXAT", self.lasting("ms", True)], [b"PXAT", b"1"], [b"BOGUS"], [b"EX"]]
        return sum(self.random.sample(choices, self.random.choice([1, 1, 1, 2, 3])), [])

    def next(self, session):
        words = self.of_transactions(session) or self.of_table()
        r = self.random.random()
        if r < 0.02:
            words = words[:-1] or words
        elif r < 0.03:
            words = [*words, b"extra"]
        elif r < 0.035:
            words = [b"NOSUCH", *words[1:]]
        elif r < 0.1:
            words = [words[0].lower(), *words[1:]]
        if session.queue is None and self.random.random() < 0.03:
            words = [b"SET", self.key(), self.value(), b"PX", self.number(1, 2, 5)]
        return words

    def of_transactions(self, session):
        if self.random.random() < (0.25 if session.queue is not None else 0.06):
            return self.random.choice([[b"MULTI"], [b"MULTI"], [b"EXEC"], [b"EXEC"], [b"EXEC"],
                                       [b"WATCH", self.key(), self.key()], [b"WATCH", b"a"], [b"UNWATCH"],
                                       [b"DISCARD"]])
        return None

    def of_table(self):
        r, k, k2, v = self.random, self.key(), self.key(), self.value()
        condition = self.option([], [], [b"NX"], [b"XX"], [b"GT"], [b"LT"], [b"NX", b"XX"], [b"GT", b"LT"],
                                [b"xx", b"gt"], [b"WHY"])
        groups = [
            [[b"SET", k, v], *[[b"SET", k, v, *self.set_options()] for _ in range(3)], [b"STORE", k, v],
             [b"STORE", k, v, *self.set_options()], [b"SETNX", k, v], [b"GETSET", k, v],
             [b"SETEX", k, self.lasting("s", False), v], [b"PSETEX", k, self.lasting("ms", False), v],
             [b"MSET", k, v, k2, b"q"], [b"MSETNX", k, v, k2, b"q"], [b"MSET", k, v, k2]],
            [[b"GET", k], [b"MGET", k, k2, k], [b"EXISTS", k, k2, k], [b"TOUCH", k, k2], [b"TYPE", k],
             [b"STRLEN", k], [b"GETRANGE", k, self.number(0, 1, -2, 5), self.number(-1, 0, 3, 99)]],
            [[b"DEL", k, k2], [b"DEL", k], [b"UNLINK", k, k], [b"GETDEL", k], [b"DELIFEQ", k, v],
             [b"DELIFEQ", k, b"abc"], [b"RENAME", k, k2], [b"RENAMENX", k, k2], [b"COPY", k, k2],
             [b"COPY", k, k2, r.choice([b"REPLACE", b"replace", b"what"])]],
            [[b"INCR", k], [b"DECR", k], [b"INCRBY", k, self.number(3, -9, 2**63 - 1)],
             [b"DECRBY", k, self.number(3, -9, -2**63)], [b"APPEND", k, v],
             [b"SETRANGE", k, self.number(0, 3, 7, -1, 99999999999), r.choice([b"", b"zz", v])],
             [b"INCRBYFLOAT", b"f", r.choice([b"0.5", b"-1.25", b"1e3", b"3", b"inf", b"abc"])],
             [b"SET", b"f", r.choice([b"10.5", b"3.0e3", b"5", b"no"])], [b"GET", b"f"]],
            [[b"EXPIRE", k, self.lasting("s", False), *condition],
             [b"PEXPIRE", k, self.lasting("ms", False), *condition],
             [b"EXPIREAT", k, self.lasting("s", True), *condition],
             [b"PEXPIREAT", k, self.lasting("ms", True), *condition],
             [b"PERSIST", k], [b"TTL", k], [b"PTTL", k], [b"EXPIRETIME", k], [b"PEXPIRETIME", k],
             [b"GETEX", k], [b"GETEX", k, b"PERSIST"], [b"GETEX", k, b"EX", self.lasting("s", False)],
             [b"GETEX", k, b"PXAT", self.lasting("ms", True), *self.option([], [], [b"PERSIST"])]],
        ]
        rare = [[b"FLUSHDB"], [b"FLUSHALL", r.choice([b"SYNC", b"ASYNC", b"NOW"])], [b"DBSIZE"],
                [b"KEYS", r.choice([b"*", b"[ab]", b"?", b"two*", b"none*"])],
                [b"SCAN", b"0", *self.option([], [b"COUNT", b"1"], [b"MATCH", b"[a-c]*"],
                                             [b"TYPE", b"list"], [b"COUNT", b"0"], [b"COUNT", b"x"],
                                             [b"WHY", b"1"], [b"MATCH"])],
                [b"SCAN", b"x"], [b"PING"], [b"PING", b"hello"], [b"ECHO", v], [b"SELECT", self.number(0, 1)],
                [b"NAME"], [b"NAME", r.choice([b"hub one", b"two", b"", b" blank"])],
                [b"CLIENT", b"SETNAME", b"me"], [b"CLIENT", b"GETNAME"], [b"PUBLISH", b"channel", v]]
        return r.choice(rare) if r.random() < 0.05 else r.choice(r.choice(groups))

    def line(self):
        r = self.random
        key = r.choice(BUSY)
        return r.choice([
            b"STORE %s = %s" % (key, r.choice([b"abc", b"two words", b"1", b"a=b", b"10.5"])),
            b"STORE %s=1" % key, b"GET %s" % key, b"GET  %s " % key, b"GET two words", b"STORE %s" % key,
            b"STORE = 1", b"STORE %s =" % key, b"STORE two words = 1", b"GET", b"STORE", b"hello there",
            b"store a = 1", b"REPLIES full", b"REPLIES terse", b"REPLIES what", b"NAME=text hub", b"NAME="])


class Pair:
    """A hub and the model, asked the same."""

    def __init__(self, hub, seed):
        self.hub, self.model, self.random = hub, Model(), random.Random(f"pair {seed}")
        self.commands, self.marks = Commands(seed), itertools.count()
        self.connect()

    def connect(self):
        self.resp = [(Resp(self.hub), Session()) for _ in range(2)]
        self.lines = [(Lines(self.hub), Session()) for _ in range(2)]
        self.side, self.follower = Resp(self.hub), Resp(self.hub)
        assert self.follower.ask("FOLLOW", "") == ["follow", "", 1]
        self.begin_to_follow()
        if self.model.name is None:
            self.model.name = self.side.ask("NAME").encode()

    def disconnect(self):
        for connection in [*(c for c, _ in self.resp + self.lines), self.side, self.follower]:
            connection.close()

    def step(self):
        if self.random.random() < 0.85:
            self.ask_resp(*self.random.choice(self.resp))
        else:
            self.ask_text(*self.random.choice(self.lines))
        self.settle()

    def ask_resp(self, connection, session):
        words = self.commands.next(session)
        before = now_ms()
        answer = self.scan(connection, words) if words[0].upper() == b"SCAN" else connection.ask(*words)
        expected = self.model.ask(session, words, before, now_ms())
        assert agrees(expected, answer), (brief(words), "expected", brief(expected), "got", brief(answer))

    @staticmethod
    def scan(connection, words):
        """To the end, where there is one."""
        found = set()
        answer = connection.ask(*words)
        while isinstance(answer, list):
            found.update(answer[1])
            if answer[0] == "0":
                return list(found)
            answer = connection.ask(words[0], answer[0], *words[2:])
        return answer

    def ask_text(self, connection, session):
        line = self.commands.line()
        before = now_ms()
        answer = connection.ask(line)
        expected = text(self.model.ask_text(session, line, before, now_ms()))
        assert expected == answer, (line, "expected", expected, "got", answer)

    def settle(self):
        """Waits for what ends soon, and asks when the rest does."""
        soon = self.model.ends_soon(SOON_MS)
        until(lambda: now_ms() >= soon, "the end of a key")
        self.model.expire(now_ms(), now_ms())
        for key in self.model.unsure():
            answer = self.side.ask("PEXPIRETIME", key)
            low, high = self.model.until(key)
            assert low <= answer <= high, (key, low, answer, high)
            self.model.table[key].until = answer, answer

    def check_table(self):
        """All keys with their values and ends."""
        keys = self.scan(self.side, [b"SCAN", b"0"])
        there = {key: (self.side.ask("GET", key), self.side.ask("PEXPIRETIME", key)) for key in keys}
        expected = {text(key): (text(e.value), e.until[0] if e.until else -1)
                    for key, e in self.model.table.items()}
        assert there == expected
        assert self.side.ask("DBSIZE") >= len(expected)
        assert self.side.ask("NAME") == text(self.model.name)

    def check_changes(self):
        """What the follower was told. The ends of keys come when they come, each but once."""
        mark = [b"SET", b"e", b"mark %d" % next(self.marks)]
        before = now_ms()
        self.side.ask(*mark)
        self.model.ask(Session(), mark, before, now_ms())
        told, ended = [], []
        while not told or told[-1] != ("set", "e", text(mark[2])):
            what, prefix, kind, key, value = self.follower.read()
            assert (what, prefix) == ("change", "")
            if kind == "expired":
                ended.append(key)
            else:
                told.append((kind, key, value))
        expected = [tuple(map(text, change)) for change in self.model.changes]
        assert told == expected, first_difference(told, expected)
        may_end = [text(key) for key in self.model.expired]
        assert all(ended.count(key) <= may_end.count(key) for key in ended), (ended, may_end)
        self.begin_to_follow()

    def begin_to_follow(self):
        """From here on. What has ended already may still be told."""
        self.model.changes.clear()
        self.model.expired[:] = self.model.unswept

    def restart(self):
        self.disconnect()
        self.random.choice([self.hub.kill, self.hub.kill, self.hub.stop])()
        self.hub.restart()
        self.connect()
        self.check_table()

    def go_on(self, steps):
        for step in range(steps):
            self.step()
            r = self.random.random()
            if r < 0.01:
                self.check_changes()
            elif r < 0.02:
                self.check_table()
            elif r < 0.025:
                assert self.side.ask("BGSAVE") in ("Background saving started",
                                                   "-ERR Background save already in progress")
            elif r < 0.03:
                self.restart()
        self.check_changes()
        self.restart()
        self.disconnect()


def now_ms():
    return time.time_ns() // 1_000_000


def brief(said):
    return [brief(s) for s in said] if isinstance(said, list) else \
        said[:40] + type(said)() if isinstance(said, (str, bytes)) else said


def first_difference(told, expected):
    for i, (one, other) in enumerate(itertools.zip_longest(told, expected)):
        if one != other:
            return i, "told", brief(list(one or ())), "expected", brief(list(other or ()))


def test_the_model_has_all_commands(hub):
    with Resp(hub) as connection:
        there = {name.upper(): (arity, first) for name, arity, _, first, _, _ in connection.ask("COMMAND")}
    assert set(there) == set(COMMANDS) | NOT_IN_THE_MODEL
    assert {name: arity for name, (arity, _) in there.items() if name in COMMANDS} == \
        {name: arity for name, (arity, _, _) in COMMANDS.items()}


def test_the_farthest_end_in_seconds(hub):
    with Resp(hub) as connection:
        assert connection.ask("SET", "k", "v", "PXAT", str(2**63 - 1)) == "OK"
        assert connection.ask("EXPIRETIME", "k") == (2**63 - 1 + 500) // 1000
        assert connection.ask("TTL", "k") > 2**63 // 1000 - 10**10


@pytest.mark.parametrize("part", range(2))
def test_a_hub_answers_as_the_model(start_hub, part):
    over = time.monotonic() + SECONDS / 2
    for seed in itertools.count(SEED + part, 2):
        hub = start_hub("--workers", "2")
        print(f"KITH_SEED={seed}")
        Pair(hub, seed).go_on(STEPS)
        hub.stop()
        shutil.rmtree(hub.data)
        if time.monotonic() >= over:
            break
