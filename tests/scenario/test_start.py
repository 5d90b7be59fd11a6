"""Options, refusals to start, supervision, the log."""

import os
import re
import signal
import socket
import subprocess

import pexpect
import pytest

from hubs import PATIENCE, run_kithd, until
from talk import Lines, bare, connect, exchange, is_served, read_all, resp


def check_refusal(done, code, *words):
    """One clear line, and nothing else."""
    assert done.returncode == code, done
    assert done.stdout == ""
    assert done.stderr.startswith("kithd: ") and done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert str(word) in done.stderr, done.stderr


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


# ---- options ----

def test_help_and_version():
    usage = "usage: kithd [NAME [ADDR [PORT]]]"
    for option, words in [("--help", usage), ("-h", usage), ("--version", "kithd ")]:
        done = run_kithd(option)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(words)


def test_help_tells_every_option():
    said = run_kithd("--help").stdout
    for option in ["listen", "data", "durability", "replies", "workers", "backlog",
                   "maxmemory", "one-at-a-time", "delay", "unframed-ms", "open", "open-admin", "log",
                   "log-requests"]:
        assert f"--{option}" in said


@pytest.mark.parametrize("options", [
    ["--nosuch"], ["-x"], ["--listen"], ["--data"], ["--durability", "never"],
    ["--replies", "loud"], ["--workers", "0"], ["--workers", "257"], ["--workers", "two"],
    ["--workers", "-1"], ["--workers", ""], ["--backlog", "0"], ["--backlog", "65536"],
    ["--delay", "-1"], ["--delay", "1s"], ["--delay", "3600001"], ["--unframed-ms", "60001"],
    ["--unframed-ms", "x"], ["--one-at-a-time", "--workers", "2"], ["--one-at-a-time=yes"],
    ["--listen", "127.0.0.1:65536"], ["--listen", "127.0.0.1:x"], ["--listen", "127.0.0.1:"],
    ["--listen", ""], ["--listen", "[::1"], ["--listen", "[::1]x"],
    ["--listen", "127.0.0.1:0,replies=loud"], ["--listen", "127.0.0.1:0,"],
    ["a", "127.0.0.1", "0", "more"], ["a", "127.0.0.1", "65536"], ["a", "127.0.0.1", "port"],
    ["x" * 65], [" blank"], [""], ["two\nlines"],
], ids=" ".join)
def test_a_bad_option(options, data):
    check_refusal(run_kithd(*options, "--data", data), 2)
    assert not data.exists()


@pytest.mark.parametrize("options, said", [
    (["--port", "12400"], "--port is not an option, but --listen :PORT is"),
    (["--port=12400"], "--port is not an option, but --listen :PORT is"),
    (["-p", "12400"], "-p is not an option, but --listen :PORT is"),
    (["-px"], "-p is not an option, but --listen :PORT is"),
    (["--hub", ":12400"], "--hub is not an option, but --listen ADDR:PORT is"),
    (["-xy"], "-x is not an option"), (["--nosuch=1"], "--nosuch is not an option"),
    (["--open=1"], "--open takes no value"), (["--data"], "--data needs a value")])
def test_what_an_option_should_have_been(options, said):
    done = run_kithd(*options)
    assert (done.returncode, done.stdout, done.stderr) == (
        2, "", f"kithd: {said}; kithd --help says more\n")


@pytest.mark.parametrize("word, hint", [
    ("12400", "for a port say --listen 127.0.0.1:12400"),
    ("127.0.0.1:12377", "for an address say --listen 127.0.0.1:12377"),
    *((word, f"for an address say --listen {word}") for word in [
        "0.0.0.0", "localhost", "LocalHost", "::1", "[::1]", "[::1]:12377", ":12377", "lab.example:80",
        "unix:hub.sock"]),
    *((word, f"for a socket say --listen {word}, for a folder --data {word}") for word in [
        "./hub.sock", "/tmp/dir", "lab/"])])
def test_a_place_is_no_name(data, word, hint):
    check_refusal(run_kithd(word, "--data", data), 2, f"the first word is the hub's name; {hint}")
    assert not data.exists()


@pytest.mark.parametrize("name", ["lab", "two words", "a:b", "1.2.3", "[lab]", "büro"])
def test_a_name_is_logged(start_hub, name):
    hub = start_hub(name)
    assert bare(hub, "#HELP") and hub.kith("name").stdout.decode() == name + "\n"
    shown = f'"{name}"' if " " in name else name
    hub.wait_log(f"level=info msg=named name={shown}\n")


@pytest.mark.parametrize("address, why", [("192.0.2.1", "it is no address of this machine"),
                                          ("nosuch.invalid", "no such host")])
def test_an_address_that_is_not_here(data, address, why):
    check_refusal(run_kithd("--listen", f"{address}:0", "--data", data), 3,
                  f"cannot listen on {address} port 0: {why}")


# ---- open files ----

def allowed(files):
    """Words that run a program with so many open files allowed."""
    return ["sh", "-c", f'ulimit -n {files}; exec "$0" "$@"']


@pytest.mark.parametrize("workers", [1, 8])
def test_few_open_files(build, start_hub, data, workers):
    """Where a hub starts it has descriptors for some clients, too."""
    for files in [7, 30, 64]:
        done = subprocess.run([*allowed(files), build / "kithd", "--data", data, "--workers", str(workers)],
                              text=True, capture_output=True, timeout=PATIENCE)
        check_refusal(done, 3, f"{files} open files are too few", "ulimit -n")
        assert not data.exists()
    needed = int(re.search(r"it needs (\d+)", done.stderr)[1])
    hub = start_hub("--workers", workers, prefix=allowed(needed))
    clients = [Lines(hub) for _ in range(32)]
    assert [c.ask("x") for c in clients] == ["x"] * 32
    for c in clients:
        c.close()


# ---- the port, the socket ----

def test_a_port_that_is_taken(hub, data):
    check_refusal(run_kithd("--listen", f"127.0.0.1:{hub.port}", "--data", data), 3, hub.port,
                  "taken")
    assert is_served(hub)


def test_a_port_is_free_again_after_a_stop(hub):
    with Lines(hub) as c:
        assert c.ask("x") == "x"
        hub.stop()
        port = hub.port
        hub.restart("--listen", f"127.0.0.1:{port}")
        assert hub.port == port


def test_a_unix_socket(start_hub, tmp_path):
    path = tmp_path / "hub.sock"
    hub = start_hub("--listen", path)
    assert hub.said == [f"Server listening on {path}"]
    assert bare(path, "STORE k = v") == "1"
    assert exchange(path, resp("GET", "k")) == b"$1\r\nv\r\n"
    check_refusal(run_kithd("--listen", path, "--data", tmp_path / "other"), 3, path, "taken")
    assert bare(path, "GET k") == "v"
    hub.kill()
    assert path.exists()
    hub.restart()
    assert bare(path, "GET k") == "v"
    assert bare(path, "QUIT") == "Server Quitting..!"
    assert hub.wait() == 0
    assert not path.exists()


def test_listening_twice(tmp_path, data):
    path = tmp_path / "a.sock"
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    for first, second, said in [
            (f"127.0.0.1:{port}", f"127.0.0.1:{port}", f"127.0.0.1:{port} is listened on twice"),
            (f"127.1:{port}", f"127.0.0.1:{port}", f"127.0.0.1:{port} is listened on twice"),
            (path, path, f"{path} is listened on twice"),
            (path, f"{tmp_path}/./a.sock", f"{tmp_path}/./a.sock is listened on twice")]:
        check_refusal(run_kithd("--data", data, "--listen", first, "--listen", second), 3, said)
        assert not path.exists()
    done = run_kithd("--data", data, "--listen", f"0.0.0.0:{port}", "--listen", f"[::]:{port}")
    assert done.returncode == 3
    assert f"kithd: [::]:{port} is taken, perhaps by another listener of this hub" in done.stderr


@pytest.mark.parametrize("option", ["--data", "--log"])
def test_a_path_without_a_name(option):
    check_refusal(run_kithd(option, ""), 2, f"{option} needs the name of")


def test_replies_by_listener(start_hub, tmp_path):
    terse, full = tmp_path / "terse.sock", tmp_path / "full.sock"
    start_hub("--replies", "full", "--listen", f"{terse},replies=terse", "--listen", full)
    assert bare(terse, "STORE k = v") == "1"
    assert bare(full, "STORE k = v") == "Update Successfully for key:k"


def test_every_listener_is_told(start_hub):
    hub = start_hub("--listen", "127.0.0.1:0", "--listen", "[::1]:0")
    assert len(hub.addresses) == 2
    for address in hub.addresses:
        hub.wait_log(f"msg=listening on={address}\n")


def test_one_screen_is_told_once(data, build):
    """Where standard output and the log are one terminal; at its side the log has it all the same."""
    child = pexpect.spawn(str(build / "kithd"), ["--listen", "127.0.0.1:0", "--data", str(data)],
                          timeout=PATIENCE, encoding="utf-8")
    child.expect(r"Server listening on 127\.0\.0\.1:\d+\r\n")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert "stopped" in child.before and "listening" not in child.before
    assert child.exitstatus == 0


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_a_segment_that_is_no_file(data, kind):
    data.mkdir(mode=0o700)
    path = data / "log-00000000000000fe"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/null")
    check_refusal(run_kithd("--data", data, "--listen", "127.0.0.1:0"), 3,
                  f"{path} is corrupt at offset 0: not a log segment")


@pytest.mark.parametrize("other", ["socket", "file"])
def test_what_took_the_place_of_a_socket_stays(start_hub, tmp_path, other):
    path = tmp_path / "a.sock"
    first = start_hub(listen=path)
    path.unlink()
    if other == "file":
        path.write_text("mine")
    else:
        start_hub(listen=path)
    first.stop()
    assert path.read_text() == "mine" if other == "file" else bare(path, "hello") == "hello"


def takes_clients(path):
    """A Unix socket's path stands before anybody listens there."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_stay_out_of_the_way(build, data, tmp_path, closed):
    """No file of the hub's, and no client, may stand where people are spoken to."""
    path = tmp_path / "s"
    process = subprocess.Popen(
        ["sh", "-c", f'exec "$0" --listen "$2" --data "$1" {closed}', build / "kithd", data, path],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: takes_clients(path), "the socket")
        assert bare(path, "hello") == "hello"
        fds = [os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in range(3)]
        assert fds == ["/dev/null"] * 3
        assert (data / "lock").read_text().strip() == str(process.pid)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_a_plain_file_where_the_socket_should_be(tmp_path, data):
    path = tmp_path / "file"
    path.write_text("precious")
    check_refusal(run_kithd("--listen", path, "--data", data), 3, path)
    assert path.read_text() == "precious"


def test_a_socket_path_that_cannot_be(tmp_path, data):
    check_refusal(run_kithd("--listen", tmp_path / "none" / "s", "--data", data), 3, "none")
    check_refusal(run_kithd("--listen", f"/{'x' * 200}", "--data", data), 3)


# ---- the data folder ----

def test_a_folder_of_another_kithd(hub):
    check_refusal(run_kithd("--listen", "127.0.0.1:0", "--data", hub.data), 3, hub.data, hub.pid)
    assert is_served(hub)


def test_a_folder_that_cannot_be_used(tmp_path):
    def refused(folder, *words):
        check_refusal(run_kithd("--listen", "127.0.0.1:0", "--data", folder), 3, folder, *words)
    (tmp_path / "file").write_text("precious")
    refused(tmp_path / "file")
    refused(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "precious"
    (tmp_path / "open").mkdir(mode=0o755)
    refused(tmp_path / "open", "is not yours alone")
    assert list((tmp_path / "open").iterdir()) == []
    (tmp_path / "others").mkdir(mode=0o700)
    os.chown(tmp_path / "others", 65534, 65534)
    refused(tmp_path / "others")
    refused("/proc/kith")


def refuse_for_a_second_listener(data):
    """Found out only when the store is open and its log made."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    done = run_kithd("lab", "--data", data, "--listen", f"0.0.0.0:{port}", "--listen", f"[::]:{port}")
    assert done.returncode == 3 and "is taken, perhaps by another listener" in done.stderr


def test_a_refused_start_leaves_nothing_behind(tmp_path, start_hub):
    refuse_for_a_second_listener(tmp_path / "a/b/c")
    assert list(tmp_path.iterdir()) == []
    refuse_for_a_second_listener(f"{tmp_path}/a//b/")
    assert list(tmp_path.iterdir()) == []
    other = tmp_path / "mine"
    other.mkdir(mode=0o700)
    (other / "notes").write_text("mine")
    refuse_for_a_second_listener(other)
    assert [f.name for f in other.iterdir()] == ["notes"]
    refuse_for_a_second_listener(tmp_path / "mine/new")
    assert [f.name for f in other.iterdir()] == ["notes"]
    hub = start_hub(data=other)
    assert bare(hub, "STORE k = v") == "1"
    hub.stop()
    (other / "lock").unlink()
    files = {f.name for f in other.iterdir() if not f.name.startswith("log-")}
    refuse_for_a_second_listener(other)
    assert {f.name for f in other.iterdir() if not f.name.startswith("log-")} == files
    hub.restart()
    assert bare(hub, "GET k") == "v"


@pytest.mark.parametrize("free", [0, 4096])
def test_a_start_refused_by_a_full_disk_leaves_nothing_behind(tmp_path, build, free):
    script = ('mount -t tmpfs -o size=1m,mode=700 disk "$1"; cat /dev/zero >"$1/ballast" 2>/dev/null; '
              'truncate -s -"$2" "$1/ballast"; "$0" --listen 127.0.0.1:0 --data "$1/a/b"; echo $?; ls -A "$1"')
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, build / "kithd", tmp_path, str(free)],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "3\nballast\n"
    assert "full" in done.stderr


def ask_to_quit(p, build, port):
    """Not by a signal: TSan loses those that come before a loop has first waited."""
    subprocess.run(["nsenter", "-t", str(p.pid), "-n", build / "kith", "--hub", f":{port}", "quit"],
                   check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    assert p.wait(PATIENCE) == 0
    p.stdout.close()


def test_the_folder_is_private_and_by_port_where_none_is_named(tmp_path, build):
    env = dict(os.environ, HOME=str(tmp_path))
    env.pop("XDG_DATA_HOME", None)
    p = subprocess.Popen([build / "kithd", "--listen", "127.0.0.1:0"], env=env, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    port = p.stdout.readline().rsplit(":", 1)[1].strip()
    folder = tmp_path / ".local/share/kith" / f"hub-{port}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(f.stat().st_mode & 0o077 == 0 for f in folder.iterdir())
    ask_to_quit(p, build, port)
    del env["HOME"]
    check_refusal(run_kithd("--listen", "127.0.0.1:0", env=env), 3, "--data")


@pytest.mark.parametrize("listen", ["./a.sock", "{}/a.sock"], ids=["relative", "absolute"])
def test_the_folder_is_by_the_whole_path_of_a_socket(tmp_path, build, listen):
    folder, env = tmp_path / "data", dict(os.environ, XDG_DATA_HOME=f"{tmp_path}/data")
    p = subprocess.Popen([build / "kithd", "--listen", listen.format(tmp_path)], env=env, text=True,
                         cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert p.stdout.readline().startswith("Server listening on ")
    assert bare(tmp_path / "a.sock", "QUIT") == "Server Quitting..!"
    assert p.wait(PATIENCE) == 0
    p.stdout.close()
    name = "hub-" + str(tmp_path / "a.sock").replace("/", "-")
    assert [f.name for f in (folder / "kith").iterdir()] == [name]


def test_the_defaults_are_the_origins(build, tmp_path):
    """Listens on 127.0.0.1:12345; in a network of its own, where this port is free."""
    script = f"ip link set lo up && exec {build}/kithd --data {tmp_path}/data"
    p = subprocess.Popen(["unshare", "-n", "sh", "-c", script], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert p.stdout.readline() == "Server listening on 127.0.0.1:12345\n"
    ask_to_quit(p, build, 12345)


# ---- a supervisor ----

@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_readiness(start_hub, tmp_path, abstract):
    name = f"@{tmp_path}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind("\0" + name[1:] if abstract else name)
        s.settimeout(PATIENCE)
        hub = start_hub(env={"NOTIFY_SOCKET": name})
        assert s.recv(100) == b"READY=1"
        hub.stop()
        assert s.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("name", ["/nosuch/socket", "nonsense", "@" + "x" * 300, ""])
def test_a_supervisor_that_does_not_listen(start_hub, name):
    assert is_served(start_hub(env={"NOTIFY_SOCKET": name}))


# ---- the log ----

LOGFMT = re.compile(r'time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(info|warning|error) msg='
                    r'("([^"\\]|\\.)*"|[^ "=]+)( [a-z_]+=("([^"\\]|\\.)*"|[^ "]*))*')


def check_logfmt(text):
    assert text.endswith("\n")
    for line in text.splitlines():
        assert LOGFMT.fullmatch(line), line
        assert line.isprintable(), line


def test_a_log_file_is_reopened(start_hub, tmp_path):
    log = tmp_path / "the.log"
    hub = start_hub("--log", log, "--log-requests")
    assert hub.log() == ""
    assert log.stat().st_mode & 0o777 == 0o600
    assert bare(hub, "before") == "before"
    until(lambda: "argument=before" in log.read_text())
    log.rename(tmp_path / "old.log")
    hub.signal(signal.SIGHUP)
    until(lambda: log.exists() and "log reopened" in log.read_text())
    assert bare(hub, "after") == "after"
    until(lambda: "argument=after" in log.read_text())
    assert "after" not in (tmp_path / "old.log").read_text()
    hub.stop()
    check_logfmt((tmp_path / "old.log").read_text())
    check_logfmt(log.read_text())
    assert "stopped" in log.read_text()


def test_a_log_that_cannot_be_written(tmp_path, data):
    check_refusal(run_kithd("--log", tmp_path, "--data", data, "--listen", "127.0.0.1:0"), 3,
                  f"cannot log to {tmp_path}: it is a folder")


def test_a_log_that_cannot_be_reopened(start_hub, tmp_path):
    log = tmp_path / "the.log"
    hub = start_hub("--log", log)
    log.rename(tmp_path / "old.log")
    log.mkdir()
    hub.signal(signal.SIGHUP)
    until(lambda: 'level=error msg="cannot reopen the log; the old one is kept" reason="it is a folder"'
          in (tmp_path / "old.log").read_text())


def test_hostile_bytes_in_the_log(start_hub):
    hub = start_hub("--log-requests")
    hostile = (b"\x1b]0;owned\x07 \x7f \x9b31m \xff\xfe \xe2\x80\xae abc \" \\ = \xc2\x85 "
               b"\rlevel=error msg=forged\0")
    with connect(hub) as s:
        s.sendall(b"a " + hostile + b"\n")
        s.sendall(b"STORE " + hostile[:5] + b"=" + hostile + b"\n")
        s.shutdown(socket.SHUT_WR)
        read_all(s)
    exchange(hub, resp(b"PING", b"\ntime=2026-01-01T00:00:00.000Z level=error msg=forged\n"))
    exchange(hub, resp(hostile))
    until(lambda: hub.log().count("msg=request") >= 2)
    hub.stop()
    check_logfmt(hub.log())
    assert not re.search(r"^level|level=error", re.sub(r'"([^"\\]|\\.)*"', "", hub.log()), re.M)


def test_requests_are_logged_only_when_asked_for(start_hub):
    quiet = start_hub()
    assert bare(quiet, "STORE k = secret") == "1"
    quiet.stop()
    assert "secret" not in quiet.log() and "msg=request" not in quiet.log()
    check_logfmt(quiet.log())
