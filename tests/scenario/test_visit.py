"""Goal: whoever visits a hub sees what he types and what comes in, each whole, on a terminal; a
program gets lines."""

import os
import re
import signal
import socket
import subprocess

import pexpect
import pytest
from hubs import PATIENCE, run_kith, until
from screen import Screen
from talk import read_all

WHICH = "Are you new here, or returning? [new/returning]"


@pytest.fixture
def home(tmp_path):
    """An environment in which kith remembers things in a folder of the test's."""
    folder = tmp_path / "config"
    folder.mkdir(exist_ok=True)
    return {"XDG_CONFIG_HOME": str(folder), "NO_COLOR": "1"}


@pytest.fixture
def start_screen(build, tmp_path, home):
    """Opens visits, each on a screen of its own."""
    opened = []

    def start(hub, *options, **how):
        folder = tmp_path / f"s{len(opened)}"
        folder.mkdir()
        host, port = hub.where.rsplit(":", 1)
        screen = Screen(folder, [build / "kith", *options, host, port], env=home, **how)
        opened.append(screen)
        return screen

    yield start
    for screen in opened:
        screen.close()


def come_in(screen):
    """As nobody: the table of a hub on this machine is free to use."""
    screen.wait(WHICH)
    screen.press("Enter")
    screen.wait("//text                say a line that begins with a slash", ">")


@pytest.fixture
def screen(hub, start_screen):
    screen = start_screen(hub)
    come_in(screen)
    return screen


def visit(hub, build, home, text, *options):
    """What a visit through pipes comes to."""
    return run_kith(build, *options, *hub.where.rsplit(":", 1), input=text.encode(), env=home)


# ---- through pipes ----


def test_lines_in_lines_out(hub, build, home):
    done = visit(hub, build, home, "STORE a = b\nGET a\nhello\nGET none\nREPLIES terse\n"
                                   "GET none\nSTORE a\r\nSTORE a = \x01\x1b[31m\nGET a")
    assert done.stdout.decode().splitlines() == [
        "Saved Successfully for key:a", "b", "hello", "Invalid Key:none", "terse", "ERROR", "1",
        "\\x01\\x1b[31m"]
    assert done.returncode == 0
    assert b"there is no '='" in done.stderr and b"\x1b" not in done.stderr
    again = visit(hub, build, home, "CLOSE_SESSION\n/frob\nSEND_FILE x\n")
    assert again.stdout == b""
    assert again.stderr.decode().splitlines() == [
        "kith: No session", "kith: There is no /frob; /help shows what there is",
        "kith: To whom? /talk NAME puts somebody in front."]


def test_a_file_and_nothing_as_input(hub, build, home, tmp_path):
    lines = tmp_path / "lines"
    lines.write_text("STORE a = b\nGET a\n" + "GET a\n" * 5000)
    words = [build / "kith", *hub.where.rsplit(":", 1)]
    env = dict(os.environ, **home)
    with open(lines) as file:
        out = subprocess.run(words, stdin=file, capture_output=True, env=env, timeout=PATIENCE)
    assert out.stdout == b"Saved Successfully for key:a\n" + b"b\n" * 5001
    nothing = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=env,
                             timeout=PATIENCE)
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, b"", b"")


def test_an_account_through_pipes(hub, build, home):
    made = visit(hub, build, home, "new\nalice\nlong-secret\nlong-secret\nSTORE a = b\n")
    assert made.stdout == b"Saved Successfully for key:a\n"
    assert b"kith: Welcome, alice. You are at" in made.stderr and made.returncode == 0
    assert b"GET_CLIENT_LIST" not in made.stderr  # instructions are for persons
    known = visit(hub, build, home, "GET a\n")  # the device is
    assert known.stdout == b"b\n" and b"Welcome, alice" in known.stderr
    assert visit(hub, build, home, "GET a\n", "--quiet").stderr == b""
    wrong = visit(hub, build, home, "returning\nalice\nlong-secrot\nGET a\n", "--as", "other")
    assert (wrong.returncode, wrong.stdout) == (4, b"")
    right = visit(hub, build, home, "returning\nalice\nlong-secret\nGET a\n", "--as", "other")
    assert (right.returncode, right.stdout) == (0, b"b\n")
    assert b"This device is unsigned" in right.stderr and b"kith devices --sign" in right.stderr
    assert right.stderr.count(b"This device is unsigned") == 1
    again = visit(hub, build, home, "GET a\n", "--as", "other")
    assert (again.returncode, again.stdout) == (0, b"b\n")
    assert again.stderr.count(b"This device is unsigned") == 1
    assert b"unsigned" not in visit(hub, build, home, "GET a\n").stderr  # the first
    assert "long-secret" not in hub.log()


def test_no_hub(build, home, hub):
    nobody = run_kith(build, "127.0.0.1", "1", env=home)
    assert nobody.returncode == 3
    assert nobody.stderr == (b"kith: nothing to connect to at 127.0.0.1:1: connection refused; "
                             b"kithd starts a hub\n")
    assert run_kith(build, "127.0.0.1", "x", env=home).returncode == 2
    assert run_kith(build, "--json", "127.0.0.1", "1", env=home).returncode == 2
    assert b"there is no command" in run_kith(build, "nohost", env=home).stderr
    twice = run_kith(build, "--hub", hub.where, *hub.where.split(":"), env=home)
    assert (twice.returncode, twice.stderr) == (2, b"kith: give --hub or HOST, not both\n")
    print_of = "A" * 43
    other = run_kith(build, f"kith://{hub.where}#{print_of}", input=b"STORE a = b\n", env=home)
    assert (other.returncode, other.stdout) == (5, b"")
    assert hub.kith("get", "a").returncode == 1


def test_a_visit_is_never_in_plaintext(build, home):
    """Whoever answers, but not in TLS, hears nothing but the beginning of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = [build / "kith", "127.0.0.1", str(server.getsockname()[1])]
        kith = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=dict(os.environ, **home))
        kith.stdin.write(b"STORE secret = word\n")
        kith.stdin.close()
        peer, _ = server.accept()
        with peer:
            said = peer.recv(65536)
            peer.sendall(b"+OK\r\n" * 10)
            said += read_all(peer)
    assert said[:1] == b"\x16" and b"secret" not in said
    assert kith.wait(PATIENCE) == 3
    kith.stderr.close()


def test_quit_through_a_pipe_stops_the_hub(hub, build, home):
    done = visit(hub, build, home, "QUIT\n")
    assert (done.returncode, done.stdout) == (0, b"Server Quitting..!\n")
    assert hub.wait() == 0


# ---- at a terminal ----


def test_new_and_returning(hub, start_screen):
    first = start_screen(hub, "--as", "first")
    first.wait(WHICH)
    for answer, next_line in [("perhaps", WHICH), ("new", "What shall you be called?"),
                              ("alice", "A password, 8 or more:"), ("long-secret", "The same again:"),
                              ("long-secrot", "A password, 8 or more:"), ("long-secret", "The same again:"),
                              ("long-secret", "alice>")]:
        first.type(answer)
        first.press("Enter")
        until(lambda: first.lines()[-1] == next_line, next_line)
    shown = "\n".join(first.lines())
    assert "GET_CLIENT_LIST       who is here" in shown and "long" not in shown
    first.type("DISCONNECT_CLIENT")
    first.press("Enter")
    first.wait("alice> DISCONNECT_CLIENT", "ended 0")
    second = start_screen(hub, "--as", "second")
    second.wait(WHICH)
    for answer, next_line in [("returning", "Your name:"), ("alice", "Your password:"),
                              ("wrong-secret", "Your name:"), ("alice", "Your password:"),
                              ("long-secret", "alice>")]:
        second.type(answer)
        second.press("Enter")
        until(lambda: second.lines()[-1] == next_line, next_line)
    again = start_screen(hub, "--as", "first")  # known by its key, not asked
    again.wait("//text                say a line that begins with a slash", "alice>")


def test_what_comes_in_does_not_garble_what_is_typed(hub, screen):
    screen.type("WATCH k")
    screen.press("Enter")
    screen.wait("OK", ">")
    screen.type("grüße 世界 ab")
    screen.press("Left")
    hub.kith("store", "k1", "one")
    screen.wait("k1 = one", "> grüße 世界 ab")
    for n in range(50):
        hub.kith("store", "k2", str(n))
        screen.type("x")
    screen.wait("k2 = 49", "> grüße 世界 a" + "x" * 50 + "b")
    assert screen.cursor()[0] == 64
    screen.press("C-a")
    screen.type("STORE w = ")
    screen.press("Enter")
    screen.wait("Saved Successfully for key:w", ">")
    assert hub.kith("get", "w").stdout.decode() == "grüße 世界 a" + "x" * 50 + "b\n"


def test_a_narrower_window(hub, screen):
    screen.type("WATCH k")
    screen.press("Enter")
    screen.wait("OK", ">")
    screen.type("a" * 50)
    screen.wait("> " + "a" * 50)
    screen.resize(30, 20)
    hub.kith("store", "k", "v")
    screen.wait("k = v", "> " + "a" * 28, "a" * 22)
    screen.resize(70, 20)
    hub.kith("store", "k", "w")
    screen.wait("k = v", "k = w", "> " + "a" * 50)


def test_what_is_pasted_waits_for_enter(screen):
    screen.paste("STORE a = 1\nSTORE b = two\x09words\nGET b\n")
    screen.wait("> STORE a = 1␊STORE b = two␉words␊GET b␊")
    screen.press("Enter")
    screen.wait("Saved Successfully for key:a", "Saved Successfully for key:b",
                "two\\x09words", ">")


def test_editing_and_history(screen):
    screen.type("STORE a = vaule")
    screen.press("Left", "Left", "Left", "BSpace", "Right", "Enter")
    screen.wait("Saved Successfully for key:a", ">")
    screen.type("/frob")
    screen.press("C-w")
    screen.type("GET ab")
    screen.press("BSpace", "Enter")
    screen.wait("vule", ">")
    screen.press("Up", "Up")
    screen.wait("> STORE a = vule")
    screen.press("Down", "Down")
    screen.wait("vule", ">")


def test_completion(screen, tmp_path):
    (tmp_path / "some folder").mkdir()
    (tmp_path / "some folder/film.mkv").touch()
    screen.type("GET_CLIENT_I")
    screen.press("Tab")
    screen.wait("> GET_CLIENT_INFO")
    screen.press("C-u")
    screen.type(f"/send {tmp_path}/some")
    screen.press("Tab")
    screen.type("fi")
    screen.press("Tab")
    until(lambda: "".join(screen.lines()[-3:]).endswith("some folder/film.mkv"), "the path")
    screen.press("C-u")
    screen.type("/")
    screen.press("Tab")
    until(lambda: any("/accept  /decline" in line for line in screen.lines()), "all verbs")
    assert "/send" in " ".join(screen.lines()[-4:])
    screen.wait("> /")


def test_quit_asks(hub, screen):
    for answer in ["", "n", "what"]:
        screen.type("QUIT")
        screen.press("Enter")
        screen.wait("Stop the hub for everyone? [y/N]")
        screen.type(answer)
        screen.press("Enter")
        screen.wait("It goes on.", ">")
    screen.type("QUIT")
    screen.press("Enter")
    screen.wait("Stop the hub for everyone? [y/N]")
    screen.type("y")
    screen.press("Enter")
    screen.wait("Server Quitting..!", "ended 0")
    assert hub.wait() == 0


def test_ctrl_c_and_ctrl_d(hub, screen, start_screen):
    screen.type("half a line")
    screen.press("C-c")
    screen.wait("Ctrl+C again leaves.", ">")
    screen.type("x")
    screen.press("C-c")
    screen.wait("Ctrl+C again leaves.", "Ctrl+C again leaves.", ">")
    screen.press("C-c")
    screen.wait("ended 0")
    other = start_screen(hub)
    come_in(other)
    other.press("C-d")
    other.wait("ended 0")


def test_a_lost_hub_comes_back(start_hub, start_screen):
    hub = start_hub()
    screen = start_screen(hub)
    come_in(screen)
    screen.type("half")
    hub.kill()
    screen.wait(f"Lost the hub at {hub.where}: it was cut off. Trying to get back.", "> half")
    screen.press("Enter")
    screen.wait("> half", "Not sent, the hub is away: half", ">")
    screen.type("typed meanwhile")
    hub.options = ["--listen", hub.where]
    hub.start()
    screen.wait(f"The hub at {hub.where} is back.", "> typed meanwhile")
    screen.press("Enter")
    screen.wait("> typed meanwhile", "typed meanwhile", ">")


def test_another_hub_in_its_place_ends_the_visit(start_hub, start_screen):
    hub = start_hub()
    screen = start_screen(hub)
    come_in(screen)
    hub.stop()
    start_hub(listen=hub.where)
    screen.wait("ended 5")


def test_the_terminal_is_left_as_it_was(hub, build, home):
    def modes(child):
        return subprocess.run(["stty", "-g"], stdin=child.fileno(), capture_output=True,
                              check=True).stdout

    child = pexpect.spawn("sh", ["-c", 'read go; "$@"; read x', "sh", str(build / "kith"),
                                 "127.0.0.1", str(hub.port)], timeout=PATIENCE,
                          env=dict(os.environ, TERM="xterm", XDG_CONFIG_HOME=home["XDG_CONFIG_HOME"]),
                          encoding="utf-8")
    before = modes(child)  # kith begins when this is known
    child.sendline("")
    child.expect(re.escape(WHICH))
    assert "\x1b[1m" in child.before  # without NO_COLOR
    until(lambda: modes(child) != before, "a mode of its own")
    pid = int(subprocess.run(["pgrep", "-P", str(child.pid)], capture_output=True, check=True).stdout)
    os.kill(pid, signal.SIGTERM)
    until(lambda: modes(child) == before, "the mode as it was")
    child.sendline("")
    child.expect(pexpect.EOF)
    child.close()
