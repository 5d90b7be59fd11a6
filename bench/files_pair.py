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
    """A kith that runs: events it has printed, each with when it came; killed with `with`, if it has
    not ended before."""

    def __init__(self, words, env):
        self.begun = time.monotonic()
        self.process = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pid, self.events, self.said = self.process.pid, queue.Queue(), []
        self.threads = [threading.Thread(target=self.read_events, daemon=True),
                        threading.Thread(target=self.read_errors, daemon=True)]
        for thread in self.threads:
            thread.start()

    def read_events(self):
        for line in self.process.stdout:
            self.events.put((time.monotonic(), json.loads(line)))
        self.events.put((time.monotonic(), {"event": "end"}))

    def read_errors(self):
        for line in self.process.stderr:
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
        self.process.stdout.close()
        self.process.stderr.close()


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

    def receive(self, whom, into):
        """Until it waits for files."""
        kith = Kith(self.words("--json", "receive", "--from", whom, "--into", into), self.env)
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


def transfer(pair, source, into):
    """One transfer, all of it: seconds from its begin, those of the whole command, and the processor
    seconds of each side."""
    with pair.bob.receive("alice", into) as receive:
        before = processes.cpu_s(receive.pid)
        with pair.alice.send("bob", source) as send:
            started, _ = send.expect("started")
            done, _ = send.expect("done")
            _, status, used = os.wait4(send.pid, 0)
            over = time.monotonic()
            send.process.returncode = os.waitstatus_to_exitcode(status)
        receive.expect("done")
        processes.wait_until_alone(receive.pid)
        return {"seconds": done - started, "whole": over - send.begun,
                "sends": used.ru_utime + used.ru_stime,
                "receives": processes.cpu_s(receive.pid) - before}
