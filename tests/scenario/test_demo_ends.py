"""Goal: however the demo ends, nobody is left waiting, no process and no scratch folder stays."""

import fcntl
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess

import pexpect
import pytest

from hubs import PATIENCE, until

PIPE_BYTES = 4096
ENDING_SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def environment(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def arguments(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


class Demo:
    """A driver that can be held: its transcript goes to a pipe of a page, so that it gets no
    further than a few lines past what was read."""

    def __init__(self, build, folder, *words, stdout=None, ignored=()):
        self.folder = folder
        self.mark = b"TMPDIR=%s\0" % bytes(folder)
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

        def in_child():
            for signum in {*ENDING_SIGNALS, *ignored}:
                signal.signal(signum, signal.SIG_IGN if signum in ignored else signal.SIG_DFL)

        self.process = subprocess.Popen(
            [build / "kith", "demo", "--logs", folder / "logs", *words],
            stdin=subprocess.DEVNULL, stdout=stdout or writer, stderr=subprocess.PIPE,
            env=dict(os.environ, TMPDIR=str(folder)), start_new_session=True,
            preexec_fn=in_child)
        os.close(writer)
        self.heard = os.fdopen(self.reader, "rb", buffering=0)

    def some(self, n):
        ready, _, _ = select.select([self.heard], [], [], PATIENCE)
        assert ready, "the demo says nothing, and does not end"
        return self.heard.read(n)

    def line(self):
        said = b""
        while not said.endswith(b"\n"):
            some = self.some(1)
            assert some, f"the demo ended after {said}"
            said += some
        return said.decode().rstrip("\n")

    def read_until(self, line):
        while self.line() != line:
            pass

    def end(self):
        """Reads to the end; the exit code, and what was said on standard error."""
        if not self.heard.closed:
            while self.some(65536):
                pass
            self.heard.close()
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said.decode()

    def others(self):
        """The processes the driver started that still run."""
        return [int(p.name) for p in pathlib.Path("/proc").glob("[0-9]*")
                if int(p.name) != self.process.pid and self.mark in environment(p.name)]

    def find(self, *words):
        """The one process that has these among its arguments."""
        found = [pid for pid in self.others()
                 if all(any(a.endswith(w) for a in arguments(pid)) for w in words)]
        assert len(found) == 1, found
        return found[0]

    def scratch(self):
        return list(self.folder.glob("kith-demo-*"))

    def check_nothing_left(self):
        assert (self.others(), self.scratch()) == ([], [])
        for log in self.folder.glob("logs/*"):
            text = log.read_text()
            assert text == "" or text.endswith("\n"), log

    def kill(self):
        for pid in [self.process.pid] if self.process.poll() is None else []:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.process.stderr.close()
        self.heard.close()
        for pid in self.others():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(build, tmp_path):
    started = []

    def run(*words, program=build, **how):
        started.append(Demo(program, tmp_path, *words, **how))
        return started[-1]

    yield run
    for demo in started:
        demo.kill()


@pytest.fixture
def long_story(tmp_path):
    """Does not fit into the pipe: the driver waits in it until the transcript is read."""
    lines = ["client A full", "client B terse"]
    for i in range(50):
        lines += [f"say step {i}", f"say {'x' * 1000}", f"ask A STORE k{i} = v",
                  f"expect Saved Successfully for key:k{i}", f"ask B GET k{i}", "expect v"]
    path = tmp_path / "long.story"
    path.write_text("\n".join(lines))
    return path


# ---- nobody reads ----

def check_hub_stopped(demo):
    """By the driver, in good order."""
    log = (demo.folder / "logs" / "hub.log").read_text()
    assert "signal=SIGTERM" in log and "signal=SIGINT" not in log
    assert "msg=stopped" in log.splitlines()[-1]


def test_the_reader_goes(start, long_story):
    demo = start("--story", long_story)
    demo.read_until("step 5")
    demo.heard.close()
    assert demo.end() == (-signal.SIGPIPE, "")
    demo.check_nothing_left()
    check_hub_stopped(demo)


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["text", "json"])
def test_nobody_ever_reads(start, words):
    demo = start(*words)
    demo.heard.close()
    assert demo.end() == (-signal.SIGPIPE, "")
    demo.check_nothing_left()


def test_head(build, tmp_path, long_story):
    script = "set -o pipefail; $0 demo --logs $1/logs --story $2 | head -n 1; echo $?"
    done = subprocess.run(["bash", "-c", script, build / "kith", tmp_path, long_story],
                          capture_output=True, timeout=PATIENCE, text=True,
                          env=dict(os.environ, TMPDIR=str(tmp_path)))
    assert (done.stdout, done.stderr) == (f"Server Starting\n{128 + signal.SIGPIPE}\n", "")
    assert list(tmp_path.glob("kith-demo-*")) == []


def test_a_full_disk(start):
    with open("/dev/full", "wb") as full:
        demo = start(stdout=full)
    assert demo.end() == (1, "kith: cannot write the output: the disk is full\n")
    demo.check_nothing_left()


# ---- signals ----

def signals(demo, which):
    """Those that the driver ignores (SigIgn) or holds back (SigBlk)."""
    status = pathlib.Path(f"/proc/{demo.process.pid}/status").read_text()
    bits = int(status.split(f"{which}:")[1].split()[0], 16)
    return {signum for signum in signal.Signals if bits >> (signum - 1) & 1}


def at_once(demo):
    pass


def as_soon_as_it_runs(demo):
    until(lambda: signal.SIGPIPE in signals(demo, "SigIgn"), "main")


def once_it_holds_signals_back(demo):
    until(lambda: signal.SIGINT in signals(demo, "SigBlk"), "the mask")


def with_its_folder(demo):
    demo.line()
    until(demo.scratch, "the scratch folder")


def at_first_line(demo):
    demo.line()


def with_its_clients(demo):
    demo.read_until("The server is ready to receive")
    until(lambda: len(demo.others()) == 3, "the hub and two clients")


def in_mid_story(demo):
    demo.read_until("step 5")


def with_nobody_reading(demo):
    in_mid_story(demo)
    ready, _, _ = select.select([demo.heard], [], [], PATIENCE)
    assert ready


MOMENTS = [at_once, as_soon_as_it_runs, once_it_holds_signals_back, at_first_line,
           with_its_folder, with_its_clients, in_mid_story, with_nobody_reading]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("signum", ENDING_SIGNALS)
def test_a_signal(start, long_story, moment, signum):
    demo = start("--story", long_story)
    moment(demo)
    demo.process.send_signal(signum)
    code, said = demo.process.wait(PATIENCE), demo.process.stderr.read()
    assert (code, said) == (-signum, b"")
    demo.check_nothing_left()


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_for_all(start, long_story, moment):
    """It goes to the whole process group."""
    demo = start("--story", long_story)
    moment(demo)
    os.killpg(demo.process.pid, signal.SIGINT)
    code, said = demo.process.wait(PATIENCE), demo.process.stderr.read()
    assert (code, said) == (-signal.SIGINT, b"")
    demo.check_nothing_left()
    if moment is in_mid_story:
        check_hub_stopped(demo)


def test_ctrl_c_typed(build, tmp_path, long_story):
    child = pexpect.spawn(str(build / "kith"), ["demo", "--logs", str(tmp_path / "logs"), "--story",
                          str(long_story)], timeout=PATIENCE, maxread=100,
                          env=dict(os.environ, TMPDIR=str(tmp_path)))
    child.expect_exact("step 5\r\n")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.signalstatus == signal.SIGINT
    assert b"kith: " not in child.before
    assert list(tmp_path.glob("kith-demo-*")) == []


def test_a_signal_that_was_ignored(start, long_story):
    """As nohup does it."""
    demo = start("--story", long_story, ignored=[signal.SIGHUP])
    demo.read_until("step 5")
    demo.process.send_signal(signal.SIGHUP)
    assert demo.end() == (0, "")
    demo.check_nothing_left()


def test_where_ended_children_are_ignored(start):
    demo = start(ignored=[signal.SIGCHLD])
    assert demo.end() == (0, "")
    demo.check_nothing_left()


@pytest.mark.parametrize("moment", [with_its_folder, with_its_clients, in_mid_story])
def test_the_driver_is_killed(start, long_story, moment):
    demo = start("--story", long_story)
    moment(demo)
    demo.process.kill()
    demo.process.wait(PATIENCE)
    until(lambda: demo.others() == [], "the end of the hub and the clients")


# ---- others die ----

def test_the_hub_is_killed(start, long_story):
    demo = start("--story", long_story)
    demo.read_until("step 5")
    os.kill(demo.find(b"kithd"), signal.SIGKILL)
    code, said = demo.end()
    assert code == 1
    client, hub = said.splitlines()
    assert client.startswith(("kith: A: ", "kith: B: "))
    assert hub == "kith: the hub was ended by signal 9"
    demo.check_nothing_left()


def test_a_hub_that_runs_is_stopped(start, long_story, hub):
    demo = start("--story", long_story, "--hub", hub.where)
    demo.read_until("step 5")
    hub.stop()
    code, said = demo.end()
    assert code == 1 and said.count("\n") == 1
    assert said.startswith(("kith: A: ", "kith: B: "))
    demo.check_nothing_left()


def test_no_hub_runs_there(start, tmp_path):
    demo = start("--hub", tmp_path / "none")
    assert demo.end() == (3, f"kith: nothing to connect to at {tmp_path}/none: "
                             "there is no such socket\n")
    demo.check_nothing_left()
    assert not (tmp_path / "logs").exists()


def test_a_client_is_killed(start, long_story):
    demo = start("--story", long_story)
    demo.read_until("step 5")
    os.kill(demo.find(b".actor", b"B"), signal.SIGKILL)
    assert demo.end() == (1, "kith: B: the process was ended by signal 9\n")
    demo.check_nothing_left()
    check_hub_stopped(demo)


def programs(build, folder, kithd=None):
    """A copy of kith, and what shall stand for kithd beside it."""
    folder.mkdir()
    shutil.copy(build / "kith", folder)
    if kithd:
        (folder / "kithd").write_text(kithd)
        (folder / "kithd").chmod(0o755)
    return folder


def test_a_hub_that_is_not_there(start, build, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    demo = start(program=programs(build, tmp_path / "bin"))
    assert demo.end() == (1, "kith: cannot start the hub, kithd: no such file or folder\n")
    demo.check_nothing_left()


def test_a_hub_that_does_not_stop(start, build, tmp_path):
    deaf = "#!/bin/sh\ntrap '' TERM\necho no hub\nexec sleep 1000\n"
    demo = start(program=programs(build, tmp_path / "bin", deaf))
    assert demo.end() == (1, "kith: the hub did not say where it listens\n")
    demo.check_nothing_left()


def test_clients_that_are_not_on_the_hub_yet(start, build, tmp_path, long_story):
    """They would say that there is nothing to connect to."""
    folder = programs(build, tmp_path / "bin", "#!/bin/sh\ntrap 'exit 0' TERM\n"
                      "echo Server listening on 127.0.0.1:1\nwhile :; do sleep 0.01; done\n")
    demo = start("--story", long_story, program=folder)
    until(demo.scratch, "the scratch folder")
    (folder / "slow").write_text("#!/bin/sh\nwhile read -r line; do :; done\n"
                                 f'exec {build}/kith "$@"\n')
    (folder / "slow").chmod(0o755)
    (folder / "slow").rename(folder / "kith")
    demo.read_until("The server is ready to receive")
    until(lambda: sum(b".actor" in arguments(pid) for pid in demo.others()) == 2, "both")
    demo.process.send_signal(signal.SIGINT)
    assert demo.end() == (-signal.SIGINT, "")
    demo.check_nothing_left()


# ---- at the meeting point ----

class MeetingPoint:
    """Two clients on a hub that reads nothing of what B asks: A has begun, B never will."""

    STORY = "client A full\nclient B full\ntogether\nask A hello\nexpect hello\n" \
            f"ask B {'x' * 900000}\nexpect y\nend\n"

    def __init__(self, start, folder):
        (folder / "meeting.story").write_text(self.STORY)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.settimeout(PATIENCE)
        self.server.bind(str(folder / "hub"))
        self.server.listen()
        self.demo = start("--story", folder / "meeting.story", "--hub", folder / "hub")
        self.accept().close()  # the driver looks whether anybody is there
        self.clients = [self.greet(), self.greet()]
        until(lambda: sorted(self.peek(c)[:5] for c in self.clients) == [b"hello", b"xxxxx"],
              "the meeting")

    def accept(self):
        client, _ = self.server.accept()
        client.settimeout(PATIENCE)
        return client

    def greet(self):
        client = self.accept()
        assert client.recv(100) == b"REPLIES full\n"
        client.sendall(b"full\n")
        return client

    def peek(self, client):
        try:
            return client.recv(100, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""

    def close(self):
        for s in [self.server, *self.clients]:
            s.close()


@pytest.fixture
def meeting(start, tmp_path):
    point = MeetingPoint(start, tmp_path)
    yield point
    point.close()


@pytest.mark.parametrize("signum", ENDING_SIGNALS)
def test_a_signal_at_the_meeting_point(meeting, signum):
    os.killpg(meeting.demo.process.pid, signum)
    assert meeting.demo.end() == (-signum, "")
    meeting.demo.check_nothing_left()


def test_a_client_is_killed_at_the_meeting_point(meeting):
    os.kill(meeting.demo.find(b".actor", b"B"), signal.SIGKILL)
    assert meeting.demo.end() == (1, "kith: B: the process was ended by signal 9\n")
    meeting.demo.check_nothing_left()


def test_a_hub_ends_at_the_meeting_point(meeting):
    meeting.close()
    code, said = meeting.demo.end()
    assert code == 1 and said.startswith("kith: B: ") and said.count("\n") == 1
    meeting.demo.check_nothing_left()
