"""kith over TLS: whom it believes, what it remembers, and what it says when a hub is another."""

import json
import pathlib
import re
import socket
import subprocess
import threading

import pytest

from hubs import run_kith, until
from talk import answer_once


@pytest.fixture
def home(tmp_path):
    """An environment in which kith remembers things in a folder of the test's."""
    folder = tmp_path / "config"
    folder.mkdir()
    return {"XDG_CONFIG_HOME": str(folder)}


def fingerprint(hub):
    return re.findall(r"fingerprint=(\S+)", hub.log())[-1]


def url(hub, known_by=None):
    return f"kith://{hub.where}" + (f"#{known_by}" if known_by else "")


def another(text):
    """A fingerprint, but another one."""
    return ("B" if text[0] == "A" else "A") + text[1:]


def known_hubs(home):
    return pathlib.Path(home["XDG_CONFIG_HOME"], "kith/default/known_hubs").read_text()


def test_a_hub_is_met_and_known_from_then_on(hub, build, home):
    first = run_kith(build, "--hub", url(hub), "store", "k", "v", env=home)
    assert first.returncode == 0
    assert first.stdout == b"Saved Successfully for key:k\n"
    assert b"for the first time" in first.stderr and fingerprint(hub).encode() in first.stderr
    assert known_hubs(home) == f"{hub.where} {fingerprint(hub)}\n"
    second = run_kith(build, "--hub", url(hub), "get", "k", env=home)
    assert (second.returncode, second.stdout, second.stderr) == (0, b"v\n", b"")


def test_a_fingerprint_decides_and_nothing_is_remembered(hub, build, home, tmp_path):
    right = run_kith(build, "--hub", url(hub, fingerprint(hub)), "echo", "hi", env=home)
    assert (right.returncode, right.stderr) == (0, b"")
    wrong = run_kith(build, "--hub", url(hub, another(fingerprint(hub))), "store", "k", "v",
                     env=home)
    assert wrong.returncode == 5
    assert b"is another one" in wrong.stderr
    assert hub.kith("get", "k").returncode == 1  # nothing was sent
    assert not (tmp_path / "config/kith/default/known_hubs").exists()


def test_another_hub_at_a_known_address_is_a_hard_stop(start_hub, build, home):
    hub = start_hub()
    assert run_kith(build, "--hub", url(hub), "echo", env=home).returncode == 0
    hub.stop()
    impostor = start_hub(listen=hub.where)
    refused = run_kith(build, "--hub", url(impostor), "store", "k", "v", env=home)
    assert refused.returncode == 5
    assert fingerprint(hub).encode() in refused.stderr
    assert fingerprint(impostor).encode() in refused.stderr
    as_json = run_kith(build, "--json", "--hub", url(impostor), "get", "k", env=home)
    assert as_json.returncode == 5
    assert json.loads(as_json.stdout)["code"] == 5
    assert impostor.kith("get", "k").returncode == 1
    # Who says so himself gets out of it.
    joined = run_kith(build, "join", url(impostor, fingerprint(impostor)), env=home)
    assert joined.stdout.decode() == f"Joined {url(impostor, fingerprint(impostor))}\n"
    assert run_kith(build, "--hub", url(impostor), "echo", env=home).returncode == 0


def test_join_without_a_fingerprint_believes_what_is_known(start_hub, build, home):
    hub = start_hub()
    assert run_kith(build, "join", url(hub), env=home).returncode == 0
    hub.stop()
    impostor = start_hub(listen=hub.where)
    assert run_kith(build, "join", url(impostor), env=home).returncode == 5
    assert known_hubs(home) == f"{hub.where} {fingerprint(hub)}\n"


@pytest.mark.parametrize("words, why", [
    ([], b"the hub is missing"), (["./a.sock"], b"needs no joining"),
    (["kith://a#short"], b"43 letters and digits"), (["kith://a/b"], b"nothing but a fingerprint")])
def test_join_says_what_is_wrong(build, home, words, why):
    refused = run_kith(build, "join", *words, env=home)
    assert refused.returncode == 2 and why in refused.stderr


def test_many_meet_at_once(hub, build, home):
    codes = []

    def meet():
        codes.append(run_kith(build, "--hub", url(hub), "echo", env=home).returncode)

    threads = [threading.Thread(target=meet) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert codes == [0] * 16
    assert known_hubs(home) == f"{hub.where} {fingerprint(hub)}\n"


def test_what_is_remembered_is_ones_own(hub, build, home, tmp_path):
    assert run_kith(build, "--hub", url(hub), "echo", env=home).returncode == 0
    folder = tmp_path / "config/kith/default"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "known_hubs").stat().st_mode & 0o777 == 0o600
    folder.chmod(0o755)
    refused = run_kith(build, "--hub", url(hub), "echo", env=home)
    assert refused.returncode == 1
    assert b"chmod 700" in refused.stderr


def test_who_could_not_be_judged_is_told_nothing(hub, build):
    """Whatever a first key has come to, a second one is no way past the judgement."""
    assert hub.kith("store", "k", "v").returncode == 0
    refused = run_kith(build, "--hub", url(hub), "del", "nothing", "k",
                       env={"XDG_CONFIG_HOME": "", "HOME": ""})
    assert refused.returncode == 1
    assert b"no home folder" in refused.stderr and refused.stdout == b""
    assert hub.kith("get", "k").stdout == b"v\n"


def test_comments_and_other_lines_stay(hub, build, home, tmp_path):
    folder = tmp_path / "config/kith/default"
    folder.mkdir(parents=True, mode=0o700)
    before = f"# mine\n\nelsewhere:1 {'A' * 43}\n"
    (folder / "known_hubs").write_text(before)
    assert run_kith(build, "--hub", url(hub), "echo", env=home).returncode == 0
    assert known_hubs(home) == f"{before}{hub.where} {fingerprint(hub)}\n"


def test_a_damaged_line_is_told_and_no_hub_is_believed(hub, build, home, tmp_path):
    folder = tmp_path / "config/kith/default"
    folder.mkdir(parents=True, mode=0o700)
    before = "# mine\nelsewhere:1 abc\n"
    (folder / "known_hubs").write_text(before)
    for words in [("--hub", url(hub), "echo"), ("join", url(hub)), ("join", url(hub, fingerprint(hub))),
                  ("--hub", url(hub), "say", "bob", "hello")]:
        done = run_kith(build, *words, env=home)
        assert done.returncode == 1, words
        assert f"line 2 of {folder}/known_hubs is damaged; no hub is believed".encode() in done.stderr
    assert known_hubs(home) == before


def test_a_known_hubs_without_end_is_told(hub, build, home, tmp_path):
    folder = tmp_path / "config/kith/default"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "known_hubs").write_bytes(b"# " + b"x" * (2 << 20))
    done = run_kith(build, "join", url(hub), env=home)
    assert done.returncode == 1 and f"cannot use {folder}: it is too large".encode() in done.stderr


def test_large_values_and_pushes(hub, build, home):
    where = url(hub, fingerprint(hub))
    value = bytes(range(256)) * 40000
    assert run_kith(build, "--hub", where, "store", "k", "-", input=value,
                    env=home).returncode == 0
    assert run_kith(build, "--hub", where, "get", "k", env=home).stdout == value + b"\n"
    assert run_kith(build, "--hub", where, "export", env=home).returncode == 0
    assert run_kith(build, "--hub", where, "--raw", "hello", "there",
                    env=home).stdout == b"hello there"


@pytest.mark.parametrize("answer", [b"", b"hello\n", b"\x15\x03\x03\x00\x02\x02\x28",
                                    b"\x16\x03\x03\xff\xff" + b"x" * 70000], ids=range(4))
def test_who_speaks_no_tls_is_no_hub(build, home, answer):
    p = run_kith(build, "--hub", f"kith://{answer_once(answer)}", "get", "k", env=home)
    assert p.returncode == 3
    assert b"no TLS at" in p.stderr


def test_a_connection_that_is_cut_off_is_no_answer(hub, build, home):
    """Somebody in between who cuts the connection in the midst of an answer."""
    assert hub.kith("store", "k", "-", input=b"v" * 3_000_000).returncode == 0
    listener = socket.create_server(("127.0.0.1", 0))

    def relay(a, b, limit):
        while limit > 0 and (some := a.recv(min(limit, 65536))):
            b.sendall(some)
            limit -= len(some)
        for s in [a, b]:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other direction was first

    def serve():
        with listener, listener.accept()[0] as client, \
                socket.create_connection(("127.0.0.1", hub.port)) as there:
            back = threading.Thread(target=relay, args=[client, there, 1 << 30])
            back.start()
            relay(there, client, 1_000_000)
            back.join()

    threading.Thread(target=serve, daemon=True).start()
    where = "kith://127.0.0.1:%d#%s" % (listener.getsockname()[1], fingerprint(hub))
    p = run_kith(build, "--hub", where, "get", "k", env=home)
    assert p.returncode == 3
    assert p.stdout == b""


def test_watch_over_tls(hub, build, tmp_path):
    with open(tmp_path / "out", "wb") as out:
        watch = subprocess.Popen([build / "kith", "--hub", url(hub, fingerprint(hub)), "watch"],
                                 stdout=out)
    try:
        def told():
            hub.kith("store", "k", "v")
            return b"k = v\n" in (tmp_path / "out").read_bytes()
        until(told, "a change that is told")
    finally:
        watch.terminate()
        watch.wait()
