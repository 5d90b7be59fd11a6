"""What scenario tests share: the real binaries, and a hub on a free port and a folder of its
own. The binaries are in --build, else in the environment's KITH_BUILD, else in ./build."""

import os
import queue
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 30  # how long anything may take before it counts as hanging


def pytest_addoption(parser):
    parser.addoption("--build", default=os.environ.get("KITH_BUILD", ROOT / "build"))


@pytest.fixture(scope="session")
def build(request):
    folder = Path(request.config.getoption("--build")).resolve()
    assert (folder / "kithd").exists(), f"there is no kithd in {folder}"
    return folder


class Hub:
    """A running kithd. Options are added to those that give it a port and a folder; the same
    folder can be used again, by the next Hub."""

    def __init__(self, build, folder, *options, listen="127.0.0.1:0"):
        self.folder = Path(folder)
        self.log = self.folder / "hub.log"
        self.data = self.folder / "data"
        self.build = build
        self.process = subprocess.Popen(
            [build / "kithd", "--listen", listen, "--data", self.data, "--log", self.log,
             "--log-requests", *map(str, options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            self.where = self._wait_listening()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        port = re.search(r":(\d+)$", self.where)
        self.port = int(port[1]) if port else None

    def _wait_listening(self):
        lines = queue.Queue()

        def read():
            for line in self.process.stdout:
                lines.put(line)
            lines.put("")

        threading.Thread(target=read, daemon=True).start()
        line = lines.get(timeout=WAIT_S)
        match = re.fullmatch(r"Server listening on (.+)\n", line)
        assert match, f"the hub said {line!r}; exit code {self.process.poll()}"
        return match[1]

    @property
    def pid(self):
        return self.process.pid

    def connect(self):
        """A plain socket to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)

    def kith(self, *words, **options):
        """Runs kith on this hub; see run_kith."""
        return run_kith(self.build, "--hub", self.where, *words, **options)

    def wait(self):
        """Waits for it to end by itself; its exit code."""
        return self.process.wait(WAIT_S)

    def stop(self):
        """Ends it by SIGTERM; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT_S)


def run_kith(build, *words, input=b"", env=None):
    """Runs kith with nothing at its terminal; the result has returncode, stdout and stderr, in
    bytes."""
    environment = {k: v for k, v in os.environ.items() if k != "KITH_HUB"}
    environment.update(env or {})
    return subprocess.run([build / "kith", *words], input=input, capture_output=True,
                          timeout=WAIT_S, env=environment)


@pytest.fixture
def start_hub(build, tmp_path, request):
    """Starts hubs. All that still run are stopped after the test, and must end well."""
    hubs = []

    def start(*options, folder=None, **more):
        folder = folder or tmp_path / f"hub{len(hubs)}"
        folder.mkdir(exist_ok=True)
        hubs.append(Hub(build, folder, *options, **more))
        return hubs[-1]

    yield start
    codes = []
    for hub in hubs:
        if hub.process.poll() is None:
            try:
                codes.append(hub.stop())
            except subprocess.TimeoutExpired:
                hub.kill()
                codes.append("hangs")
    for hub in hubs:
        if hub.log.exists():  # pytest shows it where the test failed
            print(f"---- {hub.log}\n{hub.log.read_text(errors='replace')[-10000:]}")
    assert all(code == 0 for code in codes), f"a hub did not end well: {codes}"


@pytest.fixture
def hub(start_hub):
    return start_hub()
