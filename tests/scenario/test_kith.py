"""Goal: every command of kith does on a real hub what its help says, for people and scripts."""

import base64
import json
import os
import socket
import subprocess

import pexpect
import pytest
from conftest import WAIT_S, run_kith
from hubs import until
from talk import answer_once, connect, exchange, resp


def check(result, code, stdout=b"", stderr=b""):
    assert (result.stdout, result.stderr, result.returncode) == (stdout, stderr, code)


def test_store_get_del(hub):
    check(hub.kith("store", "foo", "foo-val"), 0, b"Saved Successfully for key:foo\n")
    check(hub.kith("store", "foo", "a = b c"), 0, b"Update Successfully for key:foo\n")
    check(hub.kith("get", "foo"), 0, b"a = b c\n")
    check(hub.kith("get", "abc"), 1, b"", b"Invalid Key:abc\n")
    check(hub.kith("del", "abc", "foo"), 1, b"Deleted key:foo\n", b"Invalid Key:abc\n")
    check(hub.kith("get", "foo"), 1, b"", b"Invalid Key:foo\n")


def test_echo(hub):
    check(hub.kith("echo"), 0, b"Received from server: Hello, server!\n")
    check(hub.kith("echo", "two", "words"), 0, b"Received from server: two words\n")


def test_name(hub):
    check(hub.kith("name", "ada"), 0, b"ada\n")
    check(hub.kith("name"), 0, b"ada\n")


def test_info(hub):
    lines = hub.kith("info").stdout.decode().splitlines()
    pairs = dict(line.split(":", 1) for line in lines if ":" in line)
    assert pairs
    fields = json.loads(hub.kith("--json", "info").stdout)
    assert set(fields) == set(pairs)


@pytest.mark.parametrize("words", [["quit"], ["--key=QUIT"], ["--key", "QUIT"]])
def test_quit(hub, words):
    check(hub.kith(*words), 0, b"Server Quitting..!\n")
    assert hub.wait() == 0


def test_keyed(hub):
    check(hub.kith("--key=foo", "--value=v"), 0, b"Saved Successfully for key:foo\n")
    check(hub.kith("--key", "foo", "--value", "--w"), 0, b"Update Successfully for key:foo\n")
    check(hub.kith("--key=foo"), 0, b"--w\n")
    check(hub.kith("--key=QUIT", "--value=x"), 0, b"Saved Successfully for key:QUIT\n")


def test_store_on_conditions(hub):
    check(hub.kith("store", "--if-absent", "k", "v"), 0, b"Saved Successfully for key:k\n")
    check(hub.kith("store", "--if-absent", "k", "w"), 1, b"",
          b"Not Saved for key:k: it has a value already\n")
    check(hub.kith("store", "--if-equal", "x", "k", "w"), 1, b"",
          b"Not Saved for key:k: its value is not the one given\n")
    check(hub.kith("store", "--if-equal=v", "k", "w"), 0, b"Update Successfully for key:k\n")
    check(hub.kith("--json", "store", "--if-absent", "k", "v"), 1,
          b'{"key":"k","stored":"no"}\n')
    check(hub.kith("get", "k"), 0, b"w\n")
    check(hub.kith("get", "--if-absent", "k"), 2, b"",
          b"kith: --expire, --if-absent and --if-equal go with store\n")
    check(hub.kith("store", "--if-absent", "--if-equal", "a", "k", "v"), 2, b"",
          b"kith: --if-absent and --if-equal exclude each other\n")


def test_store_for_a_while(hub):
    check(hub.kith("store", "--expire", "500ms", "k", "v"), 0, b"Saved Successfully for key:k\n")
    until(lambda: hub.kith("get", "k").returncode == 1, "the end of a key")
    check(hub.kith("--expire=12h", "--key=k", "--value=v"), 0, b"Saved Successfully for key:k\n")
    with connect(hub) as s:
        s.sendall(resp("TTL", "k"))
        assert 43000 < int(s.recv(100)[1:]) <= 43200
    for wrong in ["", "5", "s", "-5s", "0s", "1.5s", "5 s", "99999999999999999999s",
                  "9999999999999999d", "5y"]:
        check(hub.kith("store", "--expire", wrong, "k", "v"), 2, b"",
              b"kith: --expire takes a time, as in 500ms, 30s, 10m, 12h or 7d, not '%s'\n" % wrong.encode())


def test_ls(hub):
    check(hub.kith("ls"), 0, b"")
    for key in ["user:1", "user:2", "user*x", "other"]:
        hub.kith("store", key, "v")
    assert sorted(hub.kith("ls").stdout.split()) == [b"other", b"user*x", b"user:1", b"user:2"]
    assert sorted(hub.kith("ls", "user:").stdout.split()) == [b"user:1", b"user:2"]
    check(hub.kith("ls", "user*"), 0, b"user*x\n")
    check(hub.kith("--json", "ls", "oth"), 0, b'{"key":"other"}\n')
    assert sorted(hub.kith("ls", "--match", "user?[12x]").stdout.split()) == [b"user*x", b"user:1", b"user:2"]
    check(hub.kith("ls", "--match=user\\*?"), 0, b"user*x\n")
    check(hub.kith("ls", "--match=ser"), 0, b"")
    check(hub.kith("ls", "use", "--match=*"), 2, b"", b"kith: a PREFIX and --match exclude each other\n")
    check(hub.kith("watch", "--match=*"), 2, b"", b"kith: --match goes with ls\n")
    check(hub.kith("--match=*"), 2, b"", b"kith: --match goes with ls\n")
    with connect(hub) as s:
        s.sendall(resp("MSET", *sum(([f"many:{i}", "v"] for i in range(5000)), [])))
        s.recv(100)
    assert len(hub.kith("ls", "--match", "many:*[05]").stdout.split()) == 1000
    assert sorted(hub.kith("ls", "many:").stdout.split()) == sorted(
        b"many:%d" % i for i in range(5000))


def test_no_key_or_value_forges_a_line(hub, tmp_path):
    key, shown = "a\nkith: forged\x1b[31m", b"a\\x0akith: forged\\x1b[31m"
    log = tmp_path / "watch.log"
    watching = subprocess.Popen([hub.build / "kith", "--hub", hub.where, "--log", log, "watch"],
                                stdout=subprocess.PIPE)
    try:
        until(lambda: log.exists() and log.read_text().count("msg=answered") == 2, "a watcher")
        check(hub.kith("store", key, "b\nc"), 0, b"Saved Successfully for key:" + shown + b"\n")
        assert watching.stdout.readline() == shown + b" = b\\x0ac\n"
        check(hub.kith("ls"), 0, shown + b"\n")
        assert json.loads(hub.kith("--json", "ls").stdout) == {"key": key}
        check(hub.kith("echo", "a\nb"), 0, b"Received from server: a\\x0ab\n")
        check(hub.kith("get", key), 0, b"b\nc\n")
        check(hub.kith("del", key), 0, b"Deleted key:" + shown + b"\n")
        assert watching.stdout.readline() == shown + b" (removed)\n"
    finally:
        watching.kill()
        watching.wait()
        watching.stdout.close()


def test_a_value_of_any_bytes(hub):
    value = bytes(range(256)) * 20000
    check(hub.kith("store", "b", "-", input=value), 0, b"Saved Successfully for key:b\n")
    check(hub.kith("get", "b"), 0, value + b"\n")
    check(hub.kith("store", "e", "-"), 0, b"Saved Successfully for key:e\n")
    check(hub.kith("get", "e"), 0, b"\n")
    check(hub.kith("store", "d", "--", "-"), 0, b"Saved Successfully for key:d\n")
    check(hub.kith("get", "d"), 0, b"-\n")


def test_a_closed_standard_input_is_no_value(hub):
    hub.kith("store", "k", "v")
    done = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", hub.build / "kith", "--hub",
                           hub.where, "store", "k", "-"], capture_output=True, timeout=WAIT_S)
    check(done, 2, b"", b"kith: cannot read standard input: it is closed\n")
    check(hub.kith("get", "k"), 0, b"v\n")


def test_a_value_too_large(hub):
    result = hub.kith("store", "b", "-", input=bytes(64 * 1024 * 1024 + 1))
    check(result, 2, b"", b"kith: a value is at most 64 MiB\n")


@pytest.mark.parametrize("words", [["store", "KEY", "v"], ["get", "KEY"], ["del", "KEY"],
                                   ["--key=KEY"], ["--key=KEY", "--value=v"]], ids=" ".join)
def test_what_no_hub_takes_for_a_key(hub, words):
    for key in ["", "k" * 65537]:
        check(hub.kith(*(word.replace("KEY", key) for word in words)), 2, b"",
              b"kith: a key is 1 to 65536 bytes (64 KiB), not %d\n" % len(key))
    check(hub.kith("store", "k" * 65536, "v", "--quiet"), 0)


def test_del_ends_with_the_first_that_is_not_removed(hub):
    for key in ["a", "b"]:
        hub.kith("store", key, "v")
    check(hub.kith("del", "a", "none", "", "b"), 2, b"Deleted key:a\n",
          b"Invalid Key:none\n"
          b"kith: a key is 1 to 65536 bytes (64 KiB), not 0\n"
          b"kith: not removed, nor what follows: \n")
    check(hub.kith("del", "", "--quiet"), 2, b"", b"kith: a key is 1 to 65536 bytes (64 KiB), not 0\n")
    check(hub.kith("get", "b"), 0, b"v\n")


@pytest.mark.parametrize("line, why", [
    ("[1]", "not a JSON object"), ("garbage", "a line is a JSON object"), ("7", "a line is a JSON object"),
    ("", None)])
def test_a_line_to_import_that_is_no_object(hub, line, why):
    result = hub.kith("import", input=line.encode() + b"\n")
    if why is None:
        check(result, 0, b"Imported 0 entries\n")
        return
    assert (result.returncode, result.stdout) == (2, b"")
    said = result.stderr.decode()
    assert said.startswith("kith: line 1: ") and why in said, said
    assert said.endswith(', as in {"key":"k","value":"v"}\n'), said


def test_json(hub):
    def ask(*words, code=0, **options):
        result = hub.kith("--json", *words, **options)
        assert (result.returncode, result.stderr) == (code, b"")
        return json.loads(result.stdout)

    text = 'ä"\\\n\x1b\u202e😀'
    assert ask("store", "k", "-", input=text.encode()) == {"key": "k", "stored": "saved"}
    assert ask("store", "k", text) == {"key": "k", "stored": "updated"}
    assert ask("get", "k") == {"key": "k", "value": text}
    assert b"\x1b" not in hub.kith("--json", "get", "k").stdout
    ask("store", "b", "-", input=b"\xff\x00")
    assert base64.b64decode(ask("get", "b")["value_base64"]) == b"\xff\x00"
    assert ask("del", "k") == {"key": "k", "deleted": True}
    assert ask("get", "k", code=1) == {"error": "Invalid Key", "code": 1, "key": "k"}
    assert ask("echo", "x") == {"reply": "x"}
    assert ask("name", "ada") == {"name": "ada"}
    assert ask("--raw", "hello") == {"answer": "hello"}
    assert ask("nonsense", code=2)["code"] == 2
    assert ask("quit") == {"stopped": True}
    assert hub.wait() == 0


def test_quiet(hub):
    check(hub.kith("--quiet", "store", "k", "v"), 0)
    check(hub.kith("get", "k", "--quiet"), 0, b"v\n")
    check(hub.kith("--quiet", "get", "nope"), 1)
    check(hub.kith("--quiet", "echo", "x"), 0, b"x\n")
    check(hub.kith("--quiet", "name", "ada"), 0)
    check(hub.kith("--quiet", "name"), 0, b"ada\n")
    check(hub.kith("--quiet", "del", "k"), 0)


def test_raw(hub):
    check(hub.kith("--raw", "any", "words"), 0, b"any words")
    check(hub.kith("--raw", "--key=k", "--value=v w"), 0, b"1")
    check(hub.kith("--raw", "--key=k"), 0, b"v w")
    check(hub.kith("--raw", "GET", "nope"), 0, b"ERROR")
    check(hub.kith("--raw", "GET k\nGET nope\n"), 0, b"v w\nERROR\n")
    closed = b"kith: %s closed the connection without an answer\n" % hub.where.encode()
    check(hub.kith("--raw", "GET / HTTP/1.1"), 1, b"", closed)
    check(hub.kith("--raw", "--key=QUIT"), 0, b"Server Quitting..!")
    assert hub.wait() == 0


def test_raw_where_silence_ends_no_message(start_hub):
    hub = start_hub("--unframed-ms", "0")
    check(hub.kith("--raw", "any", "words"), 0, b"any words")
    check(hub.kith("--raw", "--key=k", "--value=v"), 0, b"1")
    check(hub.kith("--raw", "GET", "k"), 0, b"v")


def test_log(hub, tmp_path):
    log = tmp_path / "client.log"
    hub.kith("--log", log, "store", "k", "red \x1b[31m")
    hub.kith("--log", log, "get", "nope")
    lines = log.read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == [
        'msg=asked text="STORE k red \\x1b[31m"', "msg=answered text=Saved",
        'msg=asked text="GET nope"', 'msg="answered nothing" text=""']
    assert all(line.startswith("time=20") for line in lines)


def test_where(start_hub, tmp_path, build):
    for listen in [str(tmp_path / "sock"), "[::1]:0"]:
        hub = start_hub(listen=listen)
        check(hub.kith("echo", "x"), 0, b"Received from server: x\n")
        assert run_kith(build, "echo", env={"KITH_HUB": hub.where}).returncode == 0


def test_nothing_to_connect_to(build, tmp_path):
    with socket.socket() as s:  # bound, never listening: nobody else gets the port
        s.bind(("127.0.0.1", 0))
        where = "127.0.0.1:%d" % s.getsockname()[1]
        check(run_kith(build, "--hub", where, "echo"), 3, b"",
              b"kith: nothing to connect to at %s: connection refused; kithd starts a hub\n"
              % where.encode())
    path = str(tmp_path / "none")
    check(run_kith(build, "--hub", path, "echo"), 3, b"",
          b"kith: nothing to connect to at %s: there is no such socket\n" % path.encode())


@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["get"], ["store"], ["store", "k"], ["get", "a", "b"], ["--nonsense"],
    ["--value=v"], ["get", "--key=k"], ["--raw"], ["echo", "--logs", "x"], ["--hub"],
    ["--hub", "1234", "echo"], ["--json=1", "echo"], ["--hub=a", "--hub=b", "echo"],
    ["demo", "--log", "x"], ["help", "nonsense"]])
def test_usage(build, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run_kith(build, *words)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"kith: ") and result.stderr.count(b"\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_hints(build):
    check(run_kith(build, "gte"), 2, b"", b"kith: there is no command gte; kith --help lists them\n")
    check(run_kith(build, "help", "gte"), 2, b"", run_kith(build, "gte").stderr)
    check(run_kith(build, "store", "m", "--5"), 2, b"", b"kith: --5 is not an option; "
          b"kith --help and kith help COMMAND list them, and after -- all are words\n")
    check(run_kith(build, "-x"), 2, b"", b"kith: -x is not an option; kith --help lists them\n")


@pytest.mark.parametrize("words, instead", [
    (["--port", "12400", "ls"], "--hub HOST:PORT"), (["--port=12400", "ls"], "--hub HOST:PORT"),
    (["-p", "12400", "ls"], "--hub HOST:PORT"), (["get", "color", "-p", "12400"], "--hub HOST:PORT"),
    (["-v"], "--version"), (["-s", "./hub.sock", "ls"], "--hub ./SOCKET")])
def test_options_of_other_programs(build, words, instead):
    option = next(word for word in words if word.startswith("-")).split("=")[0]
    check(run_kith(build, *words), 2, b"", f"kith: {option} is not an option, but {instead} is; "
          "kith --help says more\n".encode())


def test_a_letter_is_read_and_written_by_other_names(build):
    check(run_kith(build, "letter", "bob", "hello"), 2, b"",
          b"kith: there is no command letter, but kith letters prints those you have, kith say NAME TEXT "
          b"leaves one; kith --help lists them\n")


def test_raw_is_an_option_with_help_of_its_own(build):
    check(run_kith(build, "raw", "hello"), 2, b"",
          b"kith: there is no command raw, but kith --raw; kith --help lists them\n")
    said = run_kith(build, "help", "raw")
    assert said.returncode == 0 and said.stdout.startswith(b"kith --raw [TEXT]...\n")
    check(run_kith(build, "--raw", "--help"), 0, said.stdout)


@pytest.mark.parametrize("answer, code", [
    (b"-NOPERM only \x1b[31mfriends\r\n", 4), (b"-ERR no\r\n", 1), (b"SSH-2.0-x\r\n", 3),
    (b"", 3), (b"$5\r\nab", 3), (b":1\r\n", 3)])
def test_other_answers(build, answer, code):
    result = run_kith(build, "--hub", answer_once(answer), "get", "k")
    assert (result.returncode, result.stdout) == (code, b"")
    assert result.stderr.startswith(b"kith: ") and result.stderr.count(b"\n") == 1
    assert b"\x1b" not in result.stderr


def test_output_that_cannot_be_written(hub, build):
    hub.kith("store", "k", "-", input=bytes(1000000))
    with open("/dev/full", "wb") as full:
        result = subprocess.run([build / "kith", "--hub", hub.where, "get", "k"], stdout=full,
                                stderr=subprocess.PIPE, timeout=WAIT_S)
    assert result.returncode == 1
    assert result.stderr == b"kith: cannot write the output: the disk is full\n"
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([build / "kith", "--hub", hub.where, "get", "k"], stdout=writer,
                            stderr=subprocess.PIPE, timeout=WAIT_S)
    os.close(writer)
    assert (result.returncode, result.stderr) == (-13, b"")


def terminal(hub, *words):
    return pexpect.spawn(str(hub.build / "kith"), ["--hub", hub.where, *words],
                         timeout=WAIT_S, encoding="utf-8", echo=False)


def end(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.before, child.exitstatus


def test_prompts(hub):
    child = terminal(hub, "store")
    child.expect_exact("Key: ")
    child.sendline("colour")
    child.expect_exact("Value: ")
    child.sendline("light blue")
    assert end(child) == ("Saved Successfully for key:colour\r\n", 0)
    child = terminal(hub, "get")
    child.expect_exact("Key: ")
    child.sendline("colour")
    assert end(child) == ("light blue\r\n", 0)
    child = terminal(hub, "--value=v")
    child.expect_exact("Key: ")
    child.sendline("")
    assert end(child) == ("kith: the key is missing\r\n", 2)
    child = terminal(hub, "--raw")
    child.expect_exact("Message: ")
    child.sendline("any thing")
    assert end(child) == ("any thing\r\n", 0)


def test_what_has_a_default_is_not_asked_for(hub):
    child = terminal(hub, "store", "colour")
    child.expect_exact("Value: ")
    child.sendline("blue")
    assert end(child) == ("Saved Successfully for key:colour\r\n", 0)
    child = terminal(hub, "del")
    child.expect_exact("Key: ")
    child.sendline("colour")
    assert end(child) == ("Deleted key:colour\r\n", 0)
    assert end(terminal(hub, "echo")) == ("Received from server: Hello, server!\r\n", 0)
    assert end(terminal(hub, "name")) == (hub.kith("name").stdout.decode().strip() + "\r\n", 0)


def test_what_is_read_from_a_terminal_is_announced(hub):
    child = terminal(hub, "import")
    child.expect_exact("kith: reading JSON lines from the terminal, until Ctrl+D\r\n")
    child.sendline('{"key":"typed","value":"here"}')
    child.sendeof()
    assert end(child) == ("Imported 1 entry\r\n", 0)
    child = terminal(hub, "store", "typed", "-")
    child.expect_exact("kith: reading the value from the terminal, until Ctrl+D\r\n")
    child.sendline("there")
    child.sendeof()
    assert end(child) == ("Update Successfully for key:typed\r\n", 0)
    check(hub.kith("get", "typed"), 0, b"there\n\n")
    child = terminal(hub, "--quiet", "import")
    child.sendeof()
    assert end(child) == ("", 0)


def test_a_pattern_for_a_prefix_is_hinted_at(hub):
    hub.kith("store", "seat", "v")
    hint = "kith: no key begins so; for a pattern say kith ls --match se*\r\n"
    assert end(terminal(hub, "ls", "se*")) == (hint, 0)
    assert end(terminal(hub, "ls", "--match", "so*")) == ("", 0)
    assert end(terminal(hub, "ls", "so")) == ("", 0)
    assert end(terminal(hub, "--quiet", "ls", "se*")) == ("", 0)
    check(hub.kith("ls", "se*"), 0, b"")
    hub.kith("store", "se*", "v")
    assert end(terminal(hub, "ls", "se*")) == ("se*\r\n", 0)


def test_a_terminal_gets_clean_text(hub):
    hub.kith("store", "k", "-", input=b"\x1b]0;title\x07\n\tred\xff")
    assert end(terminal(hub, "get", "k")) == ("\\x1b]0;title\\x07\r\n\tred\\xff\r\n", 0)
    assert end(terminal(hub, "echo", "a\x1bb")) == ("Received from server: a\\x1bb\r\n", 0)


def test_help(build):
    everything = run_kith(build, "--help")
    assert everything.returncode == 0 and everything.stdout == run_kith(build, "help").stdout
    check(run_kith(build, "-h"), 0, everything.stdout)
    for command in "store get del echo name info quit demo".split():
        assert b"\n  " + command.encode() in everything.stdout
        one = run_kith(build, command, "--help")
        assert one.returncode == 0 and one.stdout.startswith(b"kith " + command.encode())
    assert b"newline, which is not the value's" in run_kith(build, "get", "--help").stdout
    assert run_kith(build, "--version").stdout.startswith(b"kith ")


# Closes its end, and ends only when the other one is closed, too.
PATIENT_HUB = """
import os, socket
open("/proc/self/comm", "w").write("kithd")
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
client = server.accept()[0]
client.recv(1000)
info = b"# Server\\r\\nprocess_id:%d\\r\\n" % os.getpid()
client.sendall(b"$%d\\r\\n%s\\r\\n" % (len(info), info))
client.recv(1000)
client.shutdown(socket.SHUT_WR)
client.recv(1000)
"""


def test_quit_does_not_hold_the_hub_it_waits_for(build):
    hub = subprocess.Popen(["/usr/bin/python3", "-c", PATIENT_HUB], stdout=subprocess.PIPE, text=True)
    try:
        port = hub.stdout.readline().strip()
        check(run_kith(build, "--hub", f":{port}", "quit"), 0, b"Server Quitting..!\n")
    finally:
        hub.kill()
        hub.wait()
        hub.stdout.close()


def test_quit_waits_until_the_hub_has_ended(start_hub):
    hub = start_hub()
    exchange(hub, b"".join(resp("SET", f"k{i}", "v" * 500) for i in range(20_000)))
    assert hub.kith("quit").stdout == b"Server Quitting..!\n"
    assert hub.process.poll() == 0
    hub.restart()
    assert hub.kith("get", "k19999").returncode == 0
