"""What ./dev bench measures with: its programs answer right, and its writers write right."""

import contextlib
import os
import pathlib
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
import xml.dom.minidom

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import delays  # noqa: E402
import figures  # noqa: E402
import files  # noqa: E402
import files_chat  # noqa: E402
import files_link  # noqa: E402
import files_others  # noqa: E402
import files_pair  # noqa: E402
import kv_cost  # noqa: E402
import load  # noqa: E402
import people  # noqa: E402
import people_load  # noqa: E402
import peers  # noqa: E402
import processes  # noqa: E402
import run  # noqa: E402
import svg  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def programs():
    subprocess.run(["ninja", "-C", peers.build(), "kithd", "kith", "bench-programs"], check=True,
                   capture_output=True)


@pytest.fixture(params=["bare_answer", "bare_commit", "kithd"])
def peer(request, tmp_path):
    with getattr(peers, request.param)(tmp_path / "peer") as p:
        yield p


def receive(s, count):
    data = b""
    while len(data) < count:
        some = s.recv(count - len(data))
        assert some, f"closed after {data[-100:]}"
        data += some
    return data


@pytest.mark.parametrize("count", [1, 16, 5000])
def test_every_write_of_a_pipeline_is_answered(peer, count):
    with peer.connect() as s:
        s.sendall(peers.command("SET", "key:000000000000", "v" * 32) * count)
        assert receive(s, 5 * count) == b"+OK\r\n" * count
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b""


def test_a_command_in_pieces_is_one_command(peer):
    with peer.connect() as s:
        for byte in peers.command("SET", "key", "value"):
            s.sendall(bytes([byte]))
        assert receive(s, 5) == b"+OK\r\n"
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b""


def test_the_bare_committer_writes_what_it_acknowledges(tmp_path):
    with peers.bare_commit(tmp_path / "peer") as peer:
        request = peers.command("SET", "key:000000000007", "v" * 32)
        peer.ask("SET", "key:000000000007", "v" * 32)
        assert (peer.folder / "written").read_bytes().startswith(request)


def test_others_give_way_until_the_end(tmp_path):
    """A file in the kernel's stead: what it is told there."""
    session = tmp_path / "autogroup"
    session.write_text("/autogroup-7 nice 3\n")
    with run.session_first(session):
        assert session.read_text() == "-20"
    assert session.read_text() == "3"
    with run.session_first(tmp_path / "none"):
        assert not (tmp_path / "none").exists()


def test_fill_sets_the_keys_that_are_asked_for(tmp_path):
    with peers.kithd(tmp_path / "peer") as hub:
        load.fill(hub, 1000, 64)
        assert hub.ask("DBSIZE") == b":1000\r\n"
        assert hub.ask("GET", "key:000000000999") == b"$32\r\n" + b"v" * 32 + b"\r\n"


def test_a_probe_counts_its_turns_and_begins_anew(tmp_path):
    with peers.kithd(tmp_path / "peer") as hub, load.Probe(hub, 100) as probe:
        first = probe.window()
        while first["count"] == 0:
            first = probe.window()
        assert 0 < first["p50"] <= first["p99"] <= first["p999"] <= first["max"]


class LateServer:
    """Answers nothing before so many requests wait."""

    def __init__(self, waiting):
        self.waiting, self.had, self.listener = waiting, 0, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def ask(self, *_):
        """The key a probe asks for needs not be set here."""

    def serve(self):
        with self.listener, self.listener.accept()[0] as s:
            answered = 0
            while some := s.recv(65536):
                self.had += some.count(b"GET")
                if self.had >= self.waiting:
                    s.sendall(b"$1\r\nv\r\n" * (self.had - answered))
                    answered = self.had


def test_a_probe_asks_in_turn_though_an_answer_is_late():
    server = LateServer(50)
    with load.Probe(server, 1000) as probe:
        peers.wait_for(lambda: server.had >= 50, "fifty requests")
        seen = probe.window()
    assert seen["count"] >= 50 and 0 < seen["p50"] <= seen["max"]


def test_a_benchmark_is_measured_and_charged_to_the_server(peer):
    load.fill(peer, 100)
    sample = load.cost(peer, "GET", 16, 2000)
    assert sample["cpu"] > 0 and sample["rate"] > 0
    assert 0 < sample["p50"] <= sample["p99"] <= sample["p999"]


def test_a_benchmark_of_errors_is_none(tmp_path):
    with peers.redis(tmp_path / "peer") as redis:
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(RuntimeError, match="OOM"):
            load.cost(redis, "SET", 1, 100)


def test_ratios_are_taken_round_by_round():
    ours, theirs = ([{"cpu": c} for c in costs] for costs in [[1, 20, 3], [2, 10, 3]])
    assert figures.median_ratio(ours, theirs, "cpu") == 1


@pytest.mark.parametrize("how, measured, verdict", [
    ({"at_most": 1.15}, 1.15, "met"), ({"at_most": 1.15}, 1.16, "missed"),
    ({"at_least": 2.5}, 2.5, "met"), ({"at_least": 2.5}, 2.4, "missed"),
    ({"at_most": 5}, None, "missed"),
])
def test_a_bar_is_met_or_missed(how, measured, verdict):
    assert figures.Bar("it", measured=measured, **how).row()[3] == verdict


def test_each_workload_has_its_bars():
    of = [[{"cpu": c, "rate": c}] for c in [1, 2, 4, 8, 16, 32]]
    found = {part: [bar.measured for bar in kv_cost.bars(part, of)] for part in kv_cost.WORKLOADS}
    assert found == {"get-single": [1 / 16], "get-pipe": [1 / 4],
                     "set-single": [2 / 16, 1 / 32, 1 / 32], "set-pipe": [2 / 4, 1 / 8, 1 / 4]}


def test_a_table():
    assert figures.table(["what", "n"], [["one", 1], ["thousand", 1000]]) == (
        "| what     |    n |\n"
        "| -------- | ---: |\n"
        "| one      |    1 |\n"
        "| thousand | 1000 |\n")


def test_a_picture_shows_every_point():
    chart = svg.Chart("Speed & more", "clients", [1, 2, 4], [("one", [1, 10, 100]),
                                                             ("all", [100, 10, 1])])
    drawn = xml.dom.minidom.parseString(svg.picture([chart]))
    circles = [(c.getAttribute("class"), float(c.getAttribute("cx")), float(c.getAttribute("cy")))
               for c in drawn.getElementsByTagName("circle")]
    low, high = chart.y(1), chart.y(100)
    assert (low, high) == (svg.HEIGHT - svg.BOTTOM, svg.TOP)
    assert [y for _, _, y in circles] == pytest.approx(
        [low, (low + high) / 2, high, high, (low + high) / 2, low])
    assert [x for _, x, _ in circles[:3]] == [svg.LEFT, 305, svg.WIDTH - svg.RIGHT]
    assert "prefers-color-scheme: dark" in drawn.toxml()


def test_the_report_on_delays_says_what_was_measured():
    results = {form: {c: {"rate": 10.0 * c * n, "median": 20.0 * n, "longest": 5000.0 + n, "lost": 7}
                      for c in delays.CLIENTS} for n, form in enumerate(delays.FORMS, 1)}
    arrivals = dict(zip(delays.FORMS, [33.0, 31.0, 21.0]))
    text = delays.compose(results, arrivals, 5)
    for said in ["waited 31 ms", "waited 21 ms", "1,920 from the one, 64 times as many",
                 "1,280 from the other", "the longest wait 5,001 ms", "each 5 times",
                 "7 messages were given up",
                 "| 64      |"]:
        assert said in text.replace("\n", " "), said
    assert delays.draw(results).count("<circle") == 2 * 3 * len(delays.CLIENTS)


@pytest.mark.parametrize("what", ["kv", "people", "files"])
def test_a_part_that_is_none_is_refused(what):
    result = subprocess.run(["/usr/bin/python3", ROOT / "bench/main.py", what, "nonsense"],
                            capture_output=True, text=True)
    assert (result.returncode, f"no such part of {what}: nonsense" in result.stderr) == (2, True)


# ---- people ----

def test_a_crowd_is_logged_in_by_its_devices_and_stays(tmp_path):
    with peers.hub_of(20)(tmp_path / "peer") as hub:
        with people_load.Crowd(hub, "hold", 20, 8) as crowd:
            seen = crowd.log_in()
            assert seen["rate"] > 0 and seen["cpu"] > 0
            assert people.present(hub) == 20
            assert "member19" in hub.ask("GET_CLIENT_LIST").decode()
        deadline = time.monotonic() + peers.PATIENCE
        while people.present(hub) > 0:
            assert time.monotonic() < deadline


def test_a_crowd_of_strangers_is_none(tmp_path):
    with peers.hub_of(3)(tmp_path / "peer") as hub:
        with people_load.Crowd(hub, "leave", 4, 1) as crowd, pytest.raises(RuntimeError):
            crowd.log_in()


def test_leavers_log_in_one_after_the_other(tmp_path):
    with peers.hub_of(5)(tmp_path / "peer") as hub:
        assert people_load.logins(hub, 5, 2)["rate"] > 0
        deadline = time.monotonic() + peers.PATIENCE
        while people.present(hub) > 0:
            assert time.monotonic() < deadline


def test_handshakes_of_openssl_are_counted(tmp_path):
    with peers.s_server(tmp_path / "peer") as server:
        seen = people_load.handshakes(server, 1)
        assert seen["rate"] > 1 and seen["cpu"] > 0


def test_two_meet_as_often_as_asked(tmp_path):
    with peers.hub_of(2)(tmp_path / "peer") as hub:
        times = people_load.meetings(hub, 5)
        assert len(times) == 5 and min(times) > 0


def test_talk_is_heard_and_shown():
    seen = people_load.talk(10_000)  # more than a session keeps unacknowledged
    assert seen["rate"] > 0 and seen["cpu"] > 0


def answer_irc(line, s, everybody):
    if line.startswith(b"USER"):
        s.sendall(b":x 001 m :Hi\r\n:x 376 m :End\r\n")
    elif line.startswith(b"PRIVMSG"):
        for other in everybody:
            if other is not s:
                other.sendall(b":sayer " + line)


def serve_irc(listener, context):
    """As much of an IRC server as the load needs: a welcome, and PRIVMSG to everybody else."""
    everybody = []
    while True:
        if listener.fileno() < 0:
            return
        for s in select.select([listener, *everybody], [], [])[0]:
            if s is listener:
                everybody.append(context.wrap_socket(s.accept()[0], server_side=True))
                continue
            try:
                heard = s.recv(65536)
            except OSError:
                heard = b""
            if not heard:
                everybody.remove(s)
            for line in heard.splitlines(keepends=True):
                answer_irc(line, s, everybody)


def test_irc_is_spoken(tmp_path):
    peers.certificate(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve_irc, args=[listener, context], daemon=True).start()
        port = str(listener.getsockname()[1])
        said = people_load.run_json([peers.build() / "bench/irc-talk", port, "1000"])
        assert said["count"] == 1000
        crowd = subprocess.run([peers.build() / "bench/crowd", "irc", "leave", port, "5", "2"],
                               input="go\n", capture_output=True, text=True, timeout=peers.PATIENCE)
        assert '"count": 5' in crowd.stdout


# ---- files ----

@pytest.fixture
def pair(tmp_path):
    with contextlib.ExitStack() as stack:
        yield files_pair.pair_on_loopback(tmp_path / "pair", stack)


@pytest.fixture
def source(tmp_path):
    return files.make_file(tmp_path / "source", (1 << 20) + 7)


def test_a_bare_pipe_and_a_copy_bring_all_of_a_file(tmp_path, source):
    for bring in [files_others.pipe, files_others.copy]:
        target = tmp_path / "target"
        target.unlink(missing_ok=True)
        assert bring(source, target)
        assert target.read_bytes() == source.read_bytes()


def test_a_transfer_is_measured_on_both_sides(tmp_path, pair):
    (tmp_path / "into").mkdir()
    source = files.make_file(tmp_path / "source", 64 << 20)  # processor time is counted in 10 ms
    seen = files_pair.transfer(pair, source, tmp_path / "into")
    assert 0 < seen["seconds"] < seen["whole"] and min(seen["sends"], seen["receives"]) > 0
    assert (tmp_path / "into/source").read_bytes() == source.read_bytes()


def test_a_transfer_that_fails_has_no_figures(tmp_path, pair):
    (tmp_path / "into").mkdir()
    with pytest.raises(RuntimeError, match="kith ended"):
        files_pair.transfer(pair, tmp_path / "nothing", tmp_path / "into")


def test_the_memory_of_carriers_is_seen_too(tmp_path, pair):
    source = files.make_sparse(tmp_path / "sparse", 64 << 20)
    (tmp_path / "into").mkdir()
    peaks = files.peaks_of(pair, source, tmp_path / "into")
    assert set(peaks) == {(side, which) for side in ["sends", "receives"]
                          for which in ["itself", "carriers"]}
    assert min(peaks.values()) > 1


def test_the_peak_is_what_was_there_once():
    words = "import mmap; m = mmap.mmap(-1, 1 << 26); m.write(b'x' * (1 << 26)); m.close(); print(1); input()"
    with subprocess.Popen(["/usr/bin/python3", "-c", words], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout.read(2) == b"1\n"
        assert processes.peak_kib(process.pid) > 1 << 16
        assert process.pid in processes.children(os.getpid())
    assert processes.peak_kib(process.pid) is None


def test_what_was_killed_goes_on_where_it_was(tmp_path, pair):
    (tmp_path / "into").mkdir()
    source = files.make_file(tmp_path / "source", 256 << 20)
    seen = files.resume_once(pair, source, tmp_path / "into")
    assert seen["seconds"] > 0 and 0.5 <= seen["had"] < 1


def test_texts_are_answered_beside_a_file(tmp_path, pair, source):
    pair.bob.env["HOME"] = str(tmp_path)
    with files_chat.Visit(pair.alice) as alice, files_chat.Visit(pair.bob, "--accept", "alice,100G") as bob:
        files_chat.met(alice, bob)
        moving = files_chat.Files(alice, source, tmp_path / "Downloads/kith")
        bob.hears = moving.hear
        moving.begin()
        assert min(files_chat.round_trips(alice, bob, None, 5)) > 0
        peers.wait_for(lambda: moving.count >= 2, "a second transfer")


ANSWERS = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.80.0.2", 7))
print(1, flush=True)
while True:
    s.sendto(*s.recvfrom(99))
"""
ASKS = """
import select, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.80.0.2", 7))
begin, first, count = time.monotonic(), None, 0
for batch in range(20):
    for i in range(100):
        s.send(b"one")
    heard, last = b"", b"last of %d" % batch
    while heard != last:
        if not select.select([s], [], [], 0.1)[0]:
            s.send(last)
            continue
        heard = s.recv(99)
        first = first or time.monotonic() - begin
        count += heard == b"one"
print(first, count)
"""


def test_a_link_takes_its_time_and_loses_some():
    with files_link.Link() as link:
        with subprocess.Popen([*link.inside("b"), "/usr/bin/python3", "-c", ANSWERS],
                              stdout=subprocess.PIPE) as answers:
            assert answers.stdout.read(2) == b"1\n"
            asked = subprocess.run([*link.inside("a"), "/usr/bin/python3", "-c", ASKS],
                                   capture_output=True, text=True, timeout=peers.PATIENCE)
            answers.kill()
        first, count = map(float, asked.stdout.split())
        assert first >= 0.05 and 1900 < count < 2000
    assert not any(name in os.listdir("/run/netns") for name in link.names.values())
