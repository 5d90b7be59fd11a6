"""Goal: clients at work at once see what one after the other could have seen, whatever the hub goes
through meanwhile: kill -9, stops in good order, checkpoints, flushes.

KITH_SECONDS sets how long that goes on (else some seconds), KITH_SEED what is done; how it comes out
depends on the machine, too."""

import collections
import itertools
import multiprocessing
import os
import random
import shutil
import time
import traceback

import pytest

from hubs import PATIENCE, until
from linear import LOST, Op, ends_of, why_not
from talk import Resp

SECONDS = float(os.environ.get("KITH_SECONDS", 0))
SEED = int(os.environ.get("KITH_SEED", time.time_ns() % 10**9))
SLACK_MS = 1000  # between the hub's clock and what a client knows of it
BURSTS = [1, 1, 4, 1, 12, 2]  # what each client sends at once, at most


# ---- the checker

def history(*lines):
    """An operation a line: when it was called and answered, the command, its answer."""
    return [Op(call, ret, [command], answer if answer == LOST else (answer,))
            for call, ret, command, answer in lines]


def get(call, ret, value):
    return call, ret, ("GET", 0), value


def put(call, ret, value, answer="OK"):
    return call, ret, ("SET", 0, value), answer


def delete(call, ret, answer):
    return call, ret, ("DEL", 0), answer


LINEARIZABLE = {
    "nothing": [],
    "one after the other": [put(0, 1, "a"), get(2, 3, "a"), delete(4, 5, 1), get(6, 7, None)],
    "reads on either side of a write under way":
        [put(0, 1, "a"), put(2, 9, "b"), get(3, 4, "a"), get(5, 6, "b"), get(7, 8, "b")],
    "two writes at once, the second lost to the first":
        [put(0, 9, "a"), put(0, 9, "b"), get(10, 11, "a"), get(12, 13, "a")],
    "a lost write that was none": [put(0, 1, "a"), put(2, 9, "b", LOST), get(10, 11, "a")],
    "a lost write that was one": [put(0, 1, "a"), put(2, 9, "b", LOST), get(10, 11, "b")],
    "a lost write seen before it was lost":
        [put(0, 1, "a"), put(2, 9, "b", LOST), get(3, 4, "a"), get(5, 6, "b"), get(10, 11, "b")],
    "a lost delete between others":
        [put(0, 1, "a"), put(2, 9, "b", LOST), delete(2, 9, LOST), get(4, 5, None), get(10, 11, "b")],
    "a compare and set that one of two wins":
        [put(0, 1, "a"), (2, 9, ("IFEQ", 0, "a", "b"), "OK"), (2, 9, ("IFEQ", 0, "a", "c"), None),
         get(10, 11, "b")],
    "counting": [(0, 9, ("INCR", 0), 2), (0, 9, ("INCR", 0), 1), (0, 9, ("INCR", 0), LOST),
                 (10, 11, ("INCR", 0), 4)],
}

NOT_LINEARIZABLE = {
    "a stale read": [put(0, 1, "a"), put(2, 3, "b"), get(4, 5, "a")],
    "reads that go back": [put(0, 1, "a"), put(2, 9, "b"), get(3, 4, "b"), get(5, 6, "a")],
    "a lost acknowledged write": [put(0, 1, "a"), get(2, 3, None)],
    "a read of what was never written": [put(0, 1, "a"), get(2, 3, "b")],
    "a read before the write": [get(0, 1, "a"), put(2, 3, "a")],
    "a read of what a crash took back":
        [put(0, 1, "a"), put(2, 9, "b", LOST), get(5, 6, "b"), get(10, 11, "a")],
    "a lost write that comes late": [put(0, 9, "a", LOST), get(10, 11, None), get(12, 13, "a")],
    "a resurrected delete": [put(0, 1, "a"), delete(2, 3, 1), get(4, 5, "a")],
    "an absence that a crash took back":
        [put(0, 1, "a"), delete(2, 9, LOST), get(5, 6, None), get(10, 11, "a")],
    "a delete answered twice": [put(0, 1, "a"), delete(2, 9, 1), delete(2, 9, 1)],
    "two winners of a compare and set":
        [put(0, 1, "a"), (2, 9, ("IFEQ", 0, "a", "b"), "OK"), (2, 9, ("IFEQ", 0, "a", "c"), "OK")],
    "a number given twice": [(0, 9, ("INCR", 0), 1), (0, 9, ("INCR", 0), 1)],
    "one lost increment that counts twice":
        [(0, 9, ("INCR", 0), LOST), (10, 11, ("INCR", 0), 3)],
}


@pytest.mark.parametrize("name", LINEARIZABLE)
def test_what_could_have_happened_is_accepted(name):
    assert why_not(history(*LINEARIZABLE[name])) is None


@pytest.mark.parametrize("name", NOT_LINEARIZABLE)
def test_what_cannot_have_happened_is_refused(name):
    assert why_not(history(*NOT_LINEARIZABLE[name]))


def test_a_pair_is_never_seen_half_changed():
    both = Op(0, 9, [("SET", 0, "a"), ("SET", 1, "a")], ("OK", "OK"))
    half = [Op(3, 4, [("GET", 0)], ("a",)), Op(5, 6, [("GET", 1)], (None,))]
    other = [Op(3, 4, [("GET", 0)], (None,)), Op(5, 6, [("GET", 1)], ("a",))]
    assert why_not([both, *half], keys=2) and why_not([both, *other], keys=2) is None


def test_a_watched_key_has_not_changed():
    first = Op(0, 1, [("SET", 0, "a")], ("OK",))
    other = Op(2, 3, [("SET", 0, "b")], ("OK",))
    done = Op(4, 5, [("EXPECT", 0, "a"), ("SET", 1, "x")], ("OK",))
    assert why_not([first, done], keys=2) is None
    assert why_not([first, other, done], keys=2)


def test_a_pipeline_is_in_order():
    def burst(first, second):
        one = Op(0, 9, [("SET", 0, "a")], ("OK",))
        two = Op(0, 9, [("GET", 0)], (first,), after=one)
        return [one, two, Op(0, 9, [("GET", 0)], (second,), after=two)]
    assert why_not(burst("a", "a")) is None
    assert why_not(burst(None, "a")) and why_not(burst("a", None))


def test_what_expires_ends_once():
    ms = 1_000_000
    put_for_9_ms = Op(0, ms, [("SETPX", 0, "a", "token", 9)], ("OK",))
    [end] = ends_of(put_for_9_ms, slack_ms=2)

    def with_reads(*reads):
        return [put_for_9_ms, end, *(Op(t * ms, t * ms + 1, [("GET", 0)], (v,)) for t, v in reads)]
    assert why_not(with_reads((2, "a"), (8, "a"), (9, None), (20, None))) is None
    assert why_not(with_reads((2, "a"), (11, "a"), (13, None))) is None
    assert why_not(with_reads((2, None)))  # too early
    assert why_not(with_reads((2, "a"), (13, "a")))  # too late
    assert why_not(with_reads((2, "a"), (8, None), (9, "a")))  # back to life


def test_long_histories_are_decided():
    """Thousands of operations, many at once, made by placing each within its times."""
    r = random.Random(1)
    ops, value, at = [], None, 0
    for i in range(5000):
        at += 1
        call, ret = at - r.randrange(1, 6), at + r.randrange(1, 6)
        if r.random() < 0.4:
            value = f"v{i}"
            ops.append(Op(call, ret, [("SET", 0, value)], ("OK",)))
        else:
            ops.append(Op(call, ret, [("GET", 0)], (value,)))
    assert why_not(ops) is None
    stale = Op(at + 100, at + 101, [("GET", 0)], ("v0",))
    assert why_not([*ops, stale])


# ---- the clients: each a process, so that they are really at once

# Each object's keys. Some are busy; some are left alone, so that what is there comes from a checkpoint.
OBJECTS = {"r0": ["r0"], "r1": ["r1"], "r2": ["r2"], "n0": ["n0"], "n1": ["n1"], "e0": ["e0"],
           "e1": ["e1"], "p": ["pa", "pb"], "q": ["qa", "qb"],
           "r8": ["r8"], "r9": ["r9"], "n9": ["n9"], "e7": ["e7"], "e8": ["e8"], "e9": ["e9"]}
SHARES = [20, 6, 6, 10, 6, 6, 6, 20, 6, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]
WORDS = {"SETPX": lambda k, v, token, ms: ["SET", k, v, "PX", ms],
         "SETNX": lambda k, v: ["SET", k, v, "NX"],
         "IFEQ": lambda k, old, new: ["SET", k, new, "IFEQ", old],
         "PEXPIRE": lambda k, token, ms: ["PEXPIRE", k, ms],
         "FLUSH": lambda k: ["FLUSHDB"]}

REFUSED = "refused"  # a transaction, since what it watched has changed

# An operation as a client saw it. Its call and the end of its burst; answers None: lost; `life`: the
# hub that it was sent to; `burst`: what it was sent with, in order.
Seen = collections.namedtuple("Seen", "client thing commands answers call ret life burst")


class Stage:
    """What the clients know of the hub: which of its lives it is in, and where. None of it while it
    is being ended, so that who then still finds a hub there knows that it was this one."""

    def __init__(self):
        self.changed = multiprocessing.Condition()
        self.life, self.port = (multiprocessing.Value("i", 0) for _ in range(2))
        self.is_over = multiprocessing.Value("b", False)
        self.answered = multiprocessing.Value("q", 0)

    def begin(self, life, port):
        with self.changed:
            self.life.value, self.port.value = life, port
            self.changed.notify_all()

    def end(self):
        self.begin(0, 0)

    def close(self):
        with self.changed:
            self.is_over.value = True
            self.changed.notify_all()

    def wait(self):
        """The hub's life and port; 0 when all is over."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.life.value or self.is_over.value, PATIENCE)
            return self.life.value, self.port.value


class Client:
    def __init__(self, number, seed, stage, flushes):
        self.number, self.stage, self.flushes = number, stage, flushes
        self.random = random.Random(f"{seed}-{number}")
        self.fresh = (f"{number}.{i}" for i in itertools.count())
        self.burst_max = BURSTS[number % len(BURSTS)]
        self.bursts = itertools.count()
        self.last = dict.fromkeys(OBJECTS, "none")  # seen in each, likely to be there still
        self.seen = []

    def run(self):
        while not self.stage.is_over.value:
            life, port = self.stage.wait()
            if not life:
                break
            try:
                with Resp(port) as connection:
                    while self.stage.life.value == life and not self.stage.is_over.value:
                        self.speak(connection, life)
            except OSError:
                continue
        return self.seen

    def speak(self, connection, life):
        if self.burst_max == 1 and self.random.random() < 0.1:
            self.change_if_same(connection, life)
        else:
            self.say([self.choose() for _ in range(self.random.randint(1, self.burst_max))],
                     connection, life)

    def change_if_same(self, connection, life):
        """Changes one key of a pair if the other has not changed since it was watched. What it was
        then, is known where it was the same before and after."""
        [before] = self.say([("p", [("GET", 0)])], connection, life)[0]
        connection.ask("WATCH", "pa")
        [after] = self.say([("p", [("GET", 0)])], connection, life)[0]
        if before == after:
            self.say([("p", [("EXPECT", 0, after), ("SET", 1, next(self.fresh))])], connection, life)
        else:
            connection.ask("UNWATCH")

    def say(self, said, connection, life):
        """A burst of operations. Gives their answers; operations without one are lost."""
        burst, given = next(self.bursts), []
        call = time.monotonic_ns()
        try:
            connection.send(*(words for thing, commands in said
                              for words in self.words_of(thing, commands)))
            for thing, commands in said:
                given.append(self.read(connection, commands))
                if given[-1] != REFUSED:
                    self.note(thing, commands, given[-1], call, life, burst)
            return given
        except OSError:
            for thing, commands in said[len(given):]:
                self.note(thing, commands, LOST, call, life, burst)
            raise
        finally:
            with self.stage.answered.get_lock():
                self.stage.answered.value += len(given)

    def note(self, thing, commands, answers, call, life, burst):
        if answers != LOST:
            found = [a for a in answers if isinstance(a, str) and a != "OK"]
            mine = [arguments[0] for verb, _, *arguments in commands if verb == "SET"]
            self.last[thing] = (found or mine or [self.last.get(thing)])[-1]
        self.seen.append(Seen(self.number, thing, commands, answers, call, time.monotonic_ns(), life,
                              burst))

    def choose(self):
        r = self.random
        if self.flushes and r.random() < 0.004:
            return "all", [("FLUSH", 0)]
        [thing] = r.choices(list(OBJECTS), SHARES)
        old, new = self.last[thing], next(self.fresh)
        token, ms = f"t{new}", r.choice([1, 20, 50, 200, 1000, 100000])
        commands = r.choice({
            "r": [[("SET", 0, new)], [("SET", 0, new)], [("GET", 0)], [("GET", 0)], [("DEL", 0)],
                  [("IFEQ", 0, old, new)], [("IFEQ", 0, old, new)], [("DELIFEQ", 0, old)],
                  [("SETNX", 0, new)], [("GETSET", 0, new)], [("GETDEL", 0)]],
            "n": [[("INCR", 0)]] * 6 + [[("GET", 0)]] * 2 + [[("DEL", 0)]],
            "e": [[("SETPX", 0, new, token, ms)], [("SETPX", 0, new, token, ms)], [("SET", 0, new)],
                  [("PEXPIRE", 0, token, ms)], [("PERSIST", 0)], [("GET", 0)], [("GET", 0)],
                  [("PTTL", 0)], [("DELIFEQ", 0, old)], [("SETNX", 0, new)]],
            "p": [[("SET", 0, new), ("SET", 1, new)], [("GET", 0), ("GET", 1)], [("GET", 1), ("GET", 0)],
                  [("GETSET", 0, new), ("DEL", 1)], [("SET", 1, new)], [("GET", 0)],
                  [("SET", 1, new), ("GET", 0)]],
            "q": [[("INCR", 0), ("INCR", 1)], [("GET", 0), ("GET", 1)], [("GET", 1)], [("GET", 0)],
                  [("DEL", 0), ("DEL", 1)], [("INCR", 0)]],
        }[thing[0]])
        return thing, commands

    def words_of(self, thing, commands):
        """As the hub knows them; several are a transaction."""
        keys = OBJECTS.get(thing, [""])
        told = [[*map(str, words(keys[key], *arguments))]
                for verb, key, *arguments in commands if verb != "EXPECT"
                for words in [WORDS.get(verb, lambda *rest, verb=verb: [verb, *rest])]]
        return told if len(commands) == 1 else [["MULTI"], *told, ["EXEC"]]

    def read(self, connection, commands):
        """The answers, an operation's."""
        n = sum(verb != "EXPECT" for verb, *_ in commands)
        if len(commands) == 1:
            answers = [connection.read()]
        else:
            queued = [connection.read() for _ in range(n + 1)]
            assert queued == ["OK"] + ["QUEUED"] * n, queued
            answers = connection.read()
        if answers is None:
            assert commands[0][0] == "EXPECT", commands
            return REFUSED
        for at, answer in enumerate(answers):
            assert not isinstance(answer, str) or answer[:1] != "-", (commands, answer)
            if commands[at][0] == "PTTL":
                answers[at] = min(answer, 1) or 1
        return tuple(answers)


def play(client, pipe):
    """A client's process: what it has seen goes to whoever started it."""
    try:
        pipe.send(client.run())
    except BaseException:
        pipe.send(traceback.format_exc())


class Clients:
    def __init__(self, n, seed, stage, flushes):
        fork = multiprocessing.get_context("fork")
        self.pipes, self.processes = [], []
        for i in range(n):
            mine, theirs = fork.Pipe()
            self.pipes.append(mine)
            self.processes.append(fork.Process(target=play, daemon=True,
                                               args=(Client(i, seed, stage, flushes), theirs)))
            self.processes[-1].start()

    def are_well(self):
        assert not any(pipe.poll() for pipe in self.pipes), [p.recv() for p in self.pipes if p.poll()]
        return True

    def finish(self):
        """What they have seen."""
        seen = []
        for pipe in self.pipes:
            assert pipe.poll(PATIENCE), "a client does not come to an end"
            said = pipe.recv()
            assert isinstance(said, list), said
            seen += said
        for process in self.processes:
            process.join(PATIENCE)
        return seen


# ---- the hub, and what happens to it

class Run:
    """Clients at work on a hub that is killed, stopped and started again."""

    def __init__(self, hub, seed, flushes):
        self.hub, self.random, self.stage = hub, random.Random(seed), Stage()
        self.life, self.ending, self.ended = 1, {}, {}
        self.observer = Client(len(BURSTS), seed, self.stage, False)
        self.clients = Clients(len(BURSTS), seed, self.stage, flushes)

    def look(self):
        """Reads all there is, as one of the clients."""
        with Resp(self.hub) as connection:
            for thing, keys in OBJECTS.items():
                self.tell(connection, thing, [(verb, i) for i in range(len(keys))
                                              for verb in ("GET", "PTTL")])

    def tell(self, connection, thing, commands):
        call = time.monotonic_ns()
        connection.send(*self.observer.words_of(thing, commands))
        answers = self.observer.read(connection, commands)
        self.observer.note(thing, commands, answers, call, self.life, None)

    def work(self, most):
        """Lets the clients get some answers."""
        goal = self.stage.answered.value + self.random.randrange(most)
        until(lambda: self.clients.are_well() and self.stage.answered.value >= goal, "answers")

    def save(self):
        with Resp(self.hub) as connection:
            connection.ask("BGSAVE")

    def fill_log(self):
        """So much that the hub makes a checkpoint unasked."""
        with Resp(self.hub) as connection:
            for _ in range(9):
                assert connection.ask("SET", "large", b"x" * (8 << 20)) == "OK"

    def restart(self, end):
        self.ending[self.life] = time.monotonic_ns()
        end()
        self.ended[self.life] = time.monotonic_ns()
        self.stage.end()
        self.hub.restart()
        self.life += 1
        self.look()
        self.stage.begin(self.life, self.hub.port)

    def kill(self):
        self.restart(self.hub.kill)

    def stop(self):
        self.restart(self.hub.stop)

    def go_on(self, seconds):
        self.stage.begin(self.life, self.hub.port)
        over = time.monotonic() + seconds
        while time.monotonic() < over or self.life < 4:
            self.work(400)
            self.random.choices([self.save, self.kill, self.stop, self.fill_log], [8, 12, 5, 1])[0]()
        self.save()
        self.work(400)
        self.stage.close()
        seen = self.clients.finish()
        self.look()
        return self.observer.seen + seen

    def histories(self, seen):
        """Each object's, whole."""
        ops, before = {thing: [] for thing in OBJECTS}, {}
        for s in seen:
            if s.answers == LOST:
                assert s.ret >= self.ending[s.life], ("closed without need", s)
            for thing in OBJECTS if s.thing == "all" else [s.thing]:
                op = self.op_of(s, thing)
                if s.burst is not None:
                    op.after = before.get((s.client, s.burst, thing))
                    before[s.client, s.burst, thing] = op
                ops[thing] += [op, *ends_of(op, SLACK_MS)]
        return ops

    def op_of(self, s, thing):
        commands, answers, ret = s.commands, s.answers, s.ret
        if s.thing == "all":
            commands = [("FLUSH", i) for i in range(len(OBJECTS[thing]))]
        if answers == LOST:
            ret = self.ended[s.life]
        elif s.thing == "all":
            answers *= len(commands)
        return Op(s.call, ret, commands, answers, who=str(s.client))


def fill(hub):
    """Gives a checkpoint something to do."""
    with Resp(hub) as connection:
        for part in range(20):
            connection.ask("MSET", *(w for i in range(1000) for w in (f"f:{part}:{i}", "x" * 100)))


@pytest.mark.parametrize("flushes", [False, True], ids=["kept", "flushed"])
def test_histories_are_linearizable(start_hub, flushes):
    over = time.monotonic() + SECONDS / 2
    for seed in itertools.count(SEED):
        hub = start_hub("--workers", "2")
        if not flushes:
            fill(hub)
        run = Run(hub, seed, flushes)
        histories = run.histories(run.go_on(2))
        count = sum(map(len, histories.values()))
        print(f"seed {seed}: {run.life} lives, {count} operations")
        for thing, ops in histories.items():
            reason = why_not(ops, len(OBJECTS[thing]))
            assert not reason, f"KITH_SEED={seed}, {thing}: {reason}"
        hub.stop()
        shutil.rmtree(hub.data)
        if time.monotonic() >= over:
            break
