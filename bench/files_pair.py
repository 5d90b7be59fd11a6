"""alice, who sends files, and bob, who takes them: members of a hub, with kith."""

import contextlib
import json
import os
import queue
import subprocess
import threading
import time

import peers
import processes

PASSWORD = "correct horse"


class Kith:
    """A kith that runs: events it has printed, each with when it came, unless its standard output is
    another's; killed with `with`, if it has not ended before."""

    def __init__(self, words, env, output=subprocess.PIPE):
        self.begun = time.monotonic()
        self.process = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, text=True,
                                        stdout=output, stderr=subprocess.PIPE)
        self.pid, self.events, self.said = self.process.pid, queue.Queue(), []
        self.threads = [threading.Thread(target=read, args=[stream], daemon=True)
                        for read, stream in [(self.read_events, self.process.stdout),
                                             (self.read_errors, self.process.stderr)] if stream]
        for thread in self.threads:
            thread.start()

    def read_events(self, stream):
        for line in stream:
            self.events.put((time.monotonic(), json.loads(line)))
        self.events.put((time.monotonic(), {"event": "end"}))

    def read_errors(self, stream):
        for line in stream:
            self.said.append(line)

    def expect(self, *names):
        """The next event of one of these names, and when it came."""
        while True:
            try:
                when, event = self.events.get(timeout=peers.PATIENCE)
            except queue.Empty:
                raise RuntimeError(f"kith says nothing: {''.join(self.said)}") from None
            kind = event.get("event", "failed")  # an error is no event of a transfer
            if kind in names:
                return when, event
            if kind in ["end", "failed"]:
                raise RuntimeError(f"kith ended: {event} {''.join(self.said)}")

    def crash(self):
        """Ends it and its carriers all at once."""
        carriers = processes.children(self.pid)
        self.process.kill()
        for pid in carriers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        self.process.wait(peers.PATIENCE)
        peers.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in carriers),
                       "the end of its carriers")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.crash()
        for thread in self.threads:
            thread.join(peers.PATIENCE)
        for stream in [self.process.stdout, self.process.stderr]:
            if stream:
                stream.close()

    def finish(self):
        """Waits for its end; the processor seconds of it and of its carriers."""
        _, status, used = os.wait4(self.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode != 0:
            raise RuntimeError(f"kith failed: {self.process.returncode} {''.join(self.said)}")
        return used.ru_utime + used.ru_stime


class Person:
    """A member with a profile in a folder of his own. prefix: words that put his commands on a machine
    of his own."""

    def __init__(self, folder, name, where, prefix=()):
        self.folder, self.name, self.where, self.prefix = folder / name, name, where, list(prefix)
        self.folder.mkdir(parents=True)
        self.env = {k: v for k, v in os.environ.items() if k != "KITH_HUB"}
        self.env.update(XDG_CONFIG_HOME=str(self.folder), HOME=str(self.folder))
        (self.folder / "password").write_text(PASSWORD + "\n")
        made = subprocess.run(self.words("register", name, "--password-file", self.folder / "password"),
                              env=self.env, capture_output=True, text=True, timeout=peers.PATIENCE)
        if made.returncode != 0:
            raise RuntimeError(f"register: {made.stderr}")

    def words(self, *words):
        return [*self.prefix, str(peers.build() / "kith"), "--hub", self.where, *map(str, words)]

    def send(self, whom, *paths):
        return Kith(self.words("--json", "send", whom, *paths), self.env)

    def receive(self, whom, into, **how):
        """Until it waits for files."""
        form = [] if into == "-" else ["--json"]
        kith = Kith(self.words(*form, "receive", "--from", whom, "--into", into), self.env, **how)
        try:
            peers.wait_for(lambda: any("waiting for files" in line for line in list(kith.said)),
                           "kith receive")
        except RuntimeError:
            kith.__exit__()
            raise
        return kith


class Pair:
    """Who sends, and who receives."""

    def __init__(self, alice, bob):
        self.alice, self.bob = alice, bob


def pair_on_loopback(folder, stack):
    """Both and their hub, in a folder on a disk; the hub for as long as the stack lasts."""
    hub = stack.enter_context(peers.kithd(folder / "hub", cores=peers.ALL_CORES))
    return Pair(*(Person(folder, name, f"127.0.0.1:{hub.port}") for name in ["alice", "bob"]))


def sent(pair, source):
    """To who waits: seconds from its begin, those of the whole command, and its processor seconds."""
    with pair.alice.send("bob", source) as send:
        started, _ = send.expect("started")
        done, _ = send.expect("done")
        cpu = send.finish()
        return {"seconds": done - started, "whole": time.monotonic() - send.begun, "sends": cpu}


def transfer(pair, source, into):
    """One transfer into a folder, with the processor seconds of the receiver's side, too. What that
    says goes into a file: to read thousands of lines, this process would need the processor."""
    with open(pair.bob.folder / "said", "w") as said, pair.bob.receive(
            "alice", into, output=said) as receive:
        before = processes.cpu_s(receive.pid)
        seen = sent(pair, source)
        processes.wait_until_alone(receive.pid)
        return {**seen, "receives": processes.cpu_s(receive.pid) - before}


def transfer_over(pair, source, target):
    """The same, over a file that is there: it is the receiver's standard output."""
    with open(target, "r+b") as output, pair.bob.receive("alice", "-", output=output) as receive:
        return {**sent(pair, source), "receives": receive.finish()}
