"""Real hubs: kithd started on a free port with a scratch data folder."""

import os
import pathlib
import re
import select
import signal
import subprocess
import time

PATIENCE = 30  # seconds until something that should have come is given up on


def build():
    """Where the binaries are: the environment's KITH_BUILD, else ./build."""
    root = pathlib.Path(__file__).resolve().parents[2]
    return pathlib.Path(os.environ.get("KITH_BUILD", root / "build")).resolve()


def run_kith(folder, *words, input=b"", env=None):
    """Runs kith with nothing at its terminal; the result has returncode, stdout and stderr, in
    bytes."""
    environment = {k: v for k, v in os.environ.items() if k != "KITH_HUB"}
    environment.update(env or {})
    return subprocess.run([folder / "kith", *words], input=input, capture_output=True,
                          timeout=PATIENCE, env=environment)


def run_kithd(*options, program=None, **how):
    """Runs a kithd that is expected to end by itself."""
    return subprocess.run([program or build() / "kithd", *map(str, options)], text=True,
                          timeout=PATIENCE, stdin=subprocess.DEVNULL, capture_output=True, **how)


def until(condition, what="it"):
    """Waits until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.005)
    return value


class Hub:
    """A running kithd. Options are its own; without an address it gets one with a free port."""

    def __init__(self, folder, *options, listen=None, data=None, prefix=(),
                 program=None, env=None, **how):
        folder.mkdir(parents=True, exist_ok=True)
        self.data = pathlib.Path(data or folder / "data")
        self.options = [str(o) for o in options] + (["--listen", listen] if listen else [])
        self.build = build()
        self.program = program or self.build / "kithd"
        self.prefix = [str(p) for p in prefix]
        self.env = dict(os.environ, **(env or {}))
        self.how = how
        self.log_path = folder / "hub.log"
        self.start()

    def arguments(self):
        words = 0
        while words < len(self.options) and not self.options[words].startswith("-"):
            words += 1
        self.listeners = self.options.count("--listen") + (words > 1)
        options = list(self.options)
        if self.listeners == 0:
            self.listeners = 1
            options += ["--listen", "127.0.0.1:0"]
        return [*self.prefix, str(self.program), *options, "--data", str(self.data)]

    def start(self):
        arguments = self.arguments()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, bufsize=0,
                                            env=self.env, **self.how)
        try:
            self.wait_until_listening()
        except BaseException:
            self.kill()
            raise

    def wait_until_listening(self):
        said = b""
        deadline = time.monotonic() + PATIENCE
        while said.count(b"\n") < self.listeners:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(left, 0))
            assert ready, f"the hub does not say that it listens; it said {said}"
            some = os.read(self.process.stdout.fileno(), 4096)
            assert some, f"the hub ended at its start; it said {said}\n{self.log()}"
            said += some
        lines = said.decode().splitlines(keepends=True)
        self.said = [line.rstrip("\n") for line in lines[:self.listeners]]
        self.rest = "".join(lines[self.listeners:])
        prefix = "Server listening on "
        assert all(line.startswith(prefix) for line in self.said), self.said
        self.addresses = [line[len(prefix):] for line in self.said]
        self.where = self.addresses[0]
        self.ports = [int(a.rsplit(":", 1)[1]) for a in self.addresses if "/" not in a]
        self.port = self.ports[0] if self.ports else None

    def said_then(self, pattern):
        """What the hub has said on standard output after where it listens, as a match."""
        deadline = time.monotonic() + PATIENCE
        while not (match := re.search(pattern, self.rest, re.MULTILINE)):
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(deadline - time.monotonic(), 0))
            some = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            assert some, f"the hub did not say {pattern}; it said {self.rest}"
            self.rest += some.decode()
        return match

    @property
    def pid(self):
        return self.process.pid

    def kith(self, *words, **how):
        """Runs kith on this hub; see run_kith."""
        return run_kith(self.build, "--hub", self.where, *words, **how)

    def log(self):
        return self.log_path.read_text(errors="backslashreplace")

    def wait_log(self, text):
        until(lambda: text in self.log(), f"'{text}' in the hub's log")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Its exit code, once it has ended by itself."""
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code

    def is_running(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it in good order, if it has not ended yet."""
        if self.process.returncode is not None:
            return
        self.signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, f"exit code {code} when asked to stop"

    def kill(self):
        """Ends it at once, as a crash does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def restart(self, *options):
        """Starts again on the same data, with other options if any are given."""
        if options:
            self.options = [str(o) for o in options]
        self.start()
