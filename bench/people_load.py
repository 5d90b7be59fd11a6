"""What asks the servers of people: the programs crowd, meeting, talk and irc-talk, and openssl
s_time. All but talk run on the load's processor."""

import json
import re
import subprocess
import time

from load import pinned
from peers import LOAD_CORE, PATIENCE, SERVER_CORE, Ngircd, build


def dialect(peer):
    return "irc" if isinstance(peer, Ngircd) else "kith"


class Crowd:
    """count logins, so many at once; of manner hold, the connections stay to the end of `with`."""

    def __init__(self, peer, manner, count, at_once):
        self.peer, self.count = peer, count
        self.process = subprocess.Popen(
            pinned(build() / "bench/crowd", dialect(peer), manner, peer.port, count, at_once),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect_line()

    def expect_line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a crowd at {self.peer.name} ended: {self.peer.log()}")
        return line

    def log_in(self):
        """Logins a second, and the server's CPU microseconds each."""
        before = self.peer.cpu_ns()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        seen = json.loads(self.expect_line())
        return {"rate": seen["count"] / seen["seconds"],
                "cpu": (self.peer.cpu_ns() - before) / 1000 / seen["count"]}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(PATIENCE)


def logins(peer, count, at_once):
    with Crowd(peer, "leave", count, at_once) as crowd:
        return crowd.log_in()


def handshakes(server, seconds):
    """Those of openssl s_time, one after the other. What it says of its time is whole seconds: the
    clock here is better."""
    before, begin = server.cpu_ns(), time.monotonic()
    result = subprocess.run(
        pinned("openssl", "s_time", "-connect", f"127.0.0.1:{server.port}", "-new", "-tls1_3", "-cert",
               server.folder / "client.pem", "-key", server.folder / "client.key", "-time", seconds),
        capture_output=True, text=True, timeout=PATIENCE)
    took, spent = time.monotonic() - begin, server.cpu_ns() - before
    found = re.search(r"^(\d+) connections in \d+ real seconds", result.stdout, re.MULTILINE)
    if result.returncode != 0 or not found or int(found[1]) == 0:
        raise RuntimeError(f"openssl s_time: {result.stderr or result.stdout}")
    count = int(found[1])
    return {"rate": count / took, "cpu": spent / 1000 / count}


def run_json(words):
    result = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
    if result.returncode != 0:
        raise RuntimeError(f"{words[0]}: {result.stderr}")
    return json.loads(result.stdout)


def meetings(hub, count):
    """Milliseconds of each."""
    return [us / 1000 for us in
            run_json(pinned(build() / "bench/meeting", hub.port, count))["us"]]


def talk(count):
    """Texts a second over a session, and CPU microseconds of both ends each."""
    seen = run_json([str(build() / "bench/talk"), str(count), SERVER_CORE, LOAD_CORE])
    return {"rate": count / seen["seconds"], "cpu": seen["cpu_s"] * 1e6 / count}


def irc_talk(server, count):
    """The same through a server; CPU is the server's alone."""
    before = server.cpu_ns()
    seen = run_json(pinned(build() / "bench/irc-talk", server.port, count))
    return {"rate": count / seen["seconds"], "cpu": (server.cpu_ns() - before) / 1000 / count}
