"""A program with libkith (tests/support/puppet.c), told what to do."""

import os
import subprocess
import threading

from hubs import PATIENCE, build

RESULTS = {0: "OK", 1: "MISSING", 2: "DIFFERS", 3: "NOTHING", 4: "ABSENT", -1: "INVALID", -2: "REFUSED",
           -3: "DENIED", -4: "UNREACHABLE", -5: "LOST", -6: "SILENT", -7: "FOREIGN", -8: "NO_MEMORY",
           -9: "CHANGED", -10: "FAILED"}
KINDS = ["set", "deleted", "expired", "flushed"]
MESSAGES = ["text", "letter", "came", "went"]
LETTERS, COMINGS = 1, 2  # to want
UNTOUCHED = 0x5a5a5a5a   # what a struct had that libkith was given


def digits(text):
    if text is None:
        return "-"
    text = text if isinstance(text, bytes) else str(text).encode()
    return text.hex() or "."


def text_of(word):
    return b"" if word == "." else bytes.fromhex(word)


class Puppet:
    """Each method is a call of libkith and returns its result's name, without KITH_, or what the
    call returned; .problem is kith_problem after it."""

    def __init__(self, prefix=(), env=None):
        environment = {k: v for k, v in os.environ.items() if k != "KITH_HUB"}
        self.process = subprocess.Popen([*prefix, build() / "tests/support/puppet"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env={**environment, **(env or {})})
        self.problem = None
        self.wants = 0

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self):
        """The number, and what else was said."""
        patience = threading.Timer(PATIENCE, self.process.kill)
        patience.start()
        line = self.process.stdout.readline().decode()
        patience.cancel()
        assert line.endswith("\n"), f"it ended, with {self.process.wait()}"
        said, self.problem = line[:-1].split("|", 1)
        number, *rest = said.split()
        return int(number), rest

    def ask(self, *words):
        self.tell(*words)
        return self.hear()

    def result(self, *words):
        return RESULTS[self.ask(*words)[0]]

    def open(self, where=None, timeout_ms=0, profile=None):
        return self.result("open", digits(where), timeout_ms, digits(profile))

    def close(self):
        return self.result("close")

    def store(self, key, value):
        return self.result("store", digits(key), digits(value))

    def update_if(self, key, old, value):
        return self.result("update", digits(key), digits(old), digits(value))

    def delete(self, key):
        return self.result("delete", digits(key))

    def watch(self, prefix=b""):
        return self.result("watch", digits(prefix))

    def returned(self, *words):
        number, rest = self.ask(*words)
        return text_of(rest[0]) if number == 0 else RESULTS[number]

    def get(self, key):
        return self.returned("get", digits(key))

    def echo(self, text):
        return self.returned("echo", digits(text))

    def next(self, timeout_ms=-1):
        """(kind, key, value), or a result."""
        number, rest = self.ask("next", timeout_ms)
        if number != 0:
            return RESULTS[number]
        return KINDS[int(rest[0])], text_of(rest[1]), text_of(rest[2])

    def login(self):
        return self.result("login")

    def name(self):
        return self.returned("name").decode()

    def accept(self, whom):
        return self.result("accept", digits(whom))

    def people(self):
        """{name: since}, or a result."""
        number, rest = self.ask("people")
        if number != 0:
            return RESULTS[number]
        return {text_of(name).decode(): int(since) for name, since in zip(rest[::2], rest[1::2])}

    def say(self, name, text, timeout_ms=PATIENCE * 1000):
        return self.result("say", digits(name), digits(text), timeout_ms)

    def letter(self, name, text, timeout_ms=PATIENCE * 1000):
        return self.result("letter", digits(name), digits(text), timeout_ms)

    def want(self, what):
        self.wants |= what
        return self.result("want", what)

    def receive(self, timeout_ms=PATIENCE * 1000):
        """(from, text), ("letter", from, text, written), ("came", who), ("went", who), or a result."""
        number, rest = self.ask("receive", timeout_ms)
        if number != 0:
            return RESULTS[number]
        sender, text, kind, written = text_of(rest[0]).decode(), text_of(rest[1]), *map(int, rest[2:])
        if not self.wants:
            assert kind == UNTOUCHED and written == UNTOUCHED << 32 | UNTOUCHED
            return sender, text
        kind = MESSAGES[kind]
        assert (written != 0) == (kind == "letter")
        assert (text != b"") == (kind in ("text", "letter"))
        return {"text": (sender, text), "letter": (kind, sender, text, written)}.get(kind, (kind, sender))

    def end_talk(self, name):
        return self.result("end", digits(name))

    def is_open(self):
        return self.ask("is-open")[0] == 1

    def end(self):
        """Its exit code, once it was told nothing more: negative where a signal ended it."""
        self.process.stdin.close()
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.process.kill()
        self.process.stdout.close()
        return code
