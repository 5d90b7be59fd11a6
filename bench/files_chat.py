"""A talk of two visits, and what waits in it while files go between the same two."""

import subprocess
import threading
import time

import peers

PAUSE = 0.005  # seconds between an answer and the next text


class Visit:
    """A kith without a command, that of a person, at pipes: what it says, line by line, is handed to
    `hears` by a thread. Killed with `with`."""

    def __init__(self, person, *options):
        self.lines, self.changed, self.hears = [], threading.Condition(), lambda line: None
        host, _, port = person.where.rpartition(":")
        self.process = subprocess.Popen(
            [str(peers.build() / "kith"), *options, host, port], env=person.env, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.hears(line.rstrip("\n"))
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def say(self, line):
        self.process.stdin.write(line + "\n")

    def expect(self, part):
        """Waits for a line that has it; those up to there are dropped."""
        def found():
            return next((i for i, line in enumerate(self.lines) if part in line), None)

        with self.changed:
            if not self.changed.wait_for(lambda: found() is not None, peers.PATIENCE):
                raise RuntimeError(f"a visit does not say {part}: {self.lines[-5:]}")
            del self.lines[:found() + 1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdin.close()
        self.process.stdout.close()


class Files:
    """Sends a file from one visit to the other, again and again, whenever it has come: bob's copy is
    removed. is_moving: just now. What bob's visit says makes alice's speak: bob's is ended first."""

    def __init__(self, alice, source, into):
        self.alice, self.source, self.into = alice, source, into
        self.is_moving, self.count, self.over = False, 0, False

    def begin(self):
        self.alice.say(f"/send {self.source}")

    def hear(self, line):
        """What bob's visit says."""
        if "alice sends" in line:
            self.is_moving = True
        elif "received from alice" in line:
            self.is_moving = False
            self.count += 1
            for path in self.into.glob(f"{self.source.stem}*"):
                path.unlink()
            if not self.over:
                self.begin()


def met(alice, bob):
    bob.expect("Welcome")
    alice.expect("Welcome")
    alice.say("/talk bob")
    bob.expect("/talk alice")
    bob.say("/talk alice")
    bob.expect("Talking with alice")
    alice.expect("Talking with bob")


def round_trip(alice, bob, number):
    """Seconds from a text until its answer has come, by way of both visits."""
    begin = time.monotonic()
    alice.say(f"question {number}")
    bob.expect(f"alice: question {number}")
    bob.say(f"answer {number}")
    alice.expect(f"bob: answer {number}")
    return time.monotonic() - begin


def round_trips(alice, bob, files, count):
    """Of so many that began and ended while a file moved; files None: while nothing else does."""
    taken, number = [], 0
    while len(taken) < count:
        was_moving, number = files and files.is_moving and files.count, number + 1
        took = round_trip(alice, bob, number)
        if files is None or (was_moving is not False and files.is_moving and
                             files.count == was_moving):
            taken.append(took)
        time.sleep(PAUSE)
    return taken
