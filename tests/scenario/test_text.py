"""The text door, rule by rule, as the origins' programs and a line client see it."""

import socket

import pytest
import redis

from talk import Lines, bare, connect, exchange, is_served, nc, read_all

KIB = 1024


# ---- bare messages, ended by silence ----

def test_a_bare_client_stores_and_fetches(hub):
    assert bare(hub, "STORE fruit = a ripe pear") == "1"
    assert bare(hub, "GET fruit") == "a ripe pear"
    assert bare(hub, "GET nothing") == "ERROR"
    assert bare(hub, "STORE no equals") == "0"
    assert bare(hub, "STORE = no key") == "0"
    assert bare(hub, "STORE two words = value") == "0"
    assert bare(hub, "STORE novalue =") == "0"
    assert bare(hub, "GET") == "ERROR"
    assert bare(hub, "GET two words") == "ERROR"


def test_a_bare_client_is_echoed(hub):
    assert bare(hub, "Hello, server!") == "Hello, server!"
    assert bare(hub, "grüße, 世界 🌍") == "grüße, 世界 🌍"
    assert bare(hub, "one", "two", "three") == "three"


def test_bare_messages_on_one_connection(hub):
    assert bare(hub, "STORE a=1", "STORE a=2", "GET a") == "2"


def test_blanks_and_equals_signs_in_a_value(hub):
    with Lines(hub) as c:
        assert c.ask("STORE k = a  b =  c = d ") == "1"
        assert c.ask("GET k") == "a  b =  c = d"
        assert c.ask("STORE\tk\t=\ttabs\tinside\t") == "1"
        assert c.ask("GET\tk") == "tabs\tinside"
        assert c.ask("STORE k==x") == "1"
        assert c.ask("GET k") == "=x"
        assert c.ask("  STORE k = indented  ") == "1"
        assert c.ask("GET k") == "indented"


def test_quit_inside_a_value_is_data(hub):
    assert bare(hub, "STORE k = QUIT") == "1"
    assert bare(hub, "STORE QUIT = QUIT") == "1"
    assert bare(hub, "GET QUIT") == "QUIT"
    assert bare(hub, "I QUIT") == "I QUIT"
    assert bare(hub, "QUITTER") == "QUITTER"
    assert is_served(hub)


# ---- endings ----

@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_the_answer_ends_as_the_question_did(hub, ending):
    with Lines(hub, ending) as c:
        assert c.ask("STORE k = v") == "1"
        assert c.ask("GET k") == "v"
        assert c.ask("hello") == "hello"
        assert c.ask("") == ""


def test_endings_are_mirrored_message_by_message(hub):
    assert exchange(hub, b"one\ntwo\r\nthree") == b"one\ntwo\r\nthree"
    assert exchange(hub, b"STORE k = v\r\nGET k\nGET k") == b"1\r\nv\nv"


def test_the_end_of_input_ends_a_message(hub):
    assert exchange(hub, b"STORE k = v") == b"1"
    assert exchange(hub, b"GET k") == b"v"
    assert exchange(hub, b"") == b""
    assert exchange(hub, b"*") == b"*"
    assert exchange(hub, b"*1\r") == b"*1\r"


def test_nc(hub):
    assert nc(hub, "STORE k = through nc\nGET k\nGET none\necho\n") == (
        "1\nthrough nc\nERROR\necho\n")
    assert nc(hub, "GET k") == "through nc"


def test_lines_in_one_packet_and_bytes_one_by_one(hub):
    assert exchange(hub, b"STORE k = v\n" * 500 + b"GET k\n") == b"1\n" * 500 + b"v\n"
    with connect(hub) as s:
        for byte in b"STORE k = slow\nGET k\n":
            s.sendall(bytes([byte]))
        assert s.makefile("rb").read(7) == b"1\nslow\n"


# ---- terse and full ----

def check_full(ask):
    assert ask("STORE foo = foo-val") == "Saved Successfully for key:foo"
    assert ask("STORE foo = other") == "Update Successfully for key:foo"
    assert ask("GET foo") == "other"
    assert ask("GET abc") == "Invalid Key:abc"
    assert ask("STORE novalue =").startswith("Not Saved for key:novalue: ")
    assert ask("STORE nothing").startswith("Not Saved for key:nothing: ")
    assert ask("an echo") == "an echo"


def check_terse(ask):
    assert ask("STORE foo = foo-val") == "1"
    assert ask("STORE foo = other") == "1"
    assert ask("GET foo") == "other"
    assert ask("GET abc") == "ERROR"
    assert ask("STORE novalue =") == "0"


def test_terse_is_the_default(hub):
    with Lines(hub) as c:
        check_terse(c.ask)


def test_full_by_option(start_hub):
    hub = start_hub("--replies", "full")
    check_full(lambda message: bare(hub, message))


def test_full_by_listener_next_to_a_terse_one(start_hub):
    hub = start_hub("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0,replies=full")
    terse, full = hub.ports
    check_full(lambda message: bare(full, message))
    check_terse(lambda message: bare(terse, message))


def test_a_connection_chooses_its_replies(hub):
    with Lines(hub) as c, Lines(hub) as other:
        assert c.ask("REPLIES full") == "full"
        check_full(c.ask)
        check_terse(other.ask)
        assert c.ask("REPLIES terse") == "terse"
        check_terse(c.ask)
        assert c.ask("REPLIES") == "REPLIES"
        assert c.ask("REPLIES loud") == "REPLIES loud"


# ---- the other messages ----

def test_only_the_exact_shape_is_a_command(hub):
    with Lines(hub) as c:
        for message in ["store k = v", "Get k", "get k", "quit", "Quit", "name=x", "NAME = x",
                        "NAME =x", "NAME=", "#help", "#HELP me", "STOREk = v", "GETk", "STORED",
                        "NAME=" + "x" * 65, "NAME= x", "QUIT!", "*", "*x", "* 1", "$3", "PING",
                        "SET k v", "{\"json\": 1}", "\x7f", "a\tb"]:
            assert c.ask(message) == message
        assert c.ask("GET k") == "ERROR"


def test_bytes_that_are_no_utf8_are_echoed(hub):
    assert exchange(hub, b"\xff\xfe\x00\x01\x80\n") == b"\xff\xfe\x00\x01\x80\n"


def test_help(hub):
    lines = exchange(hub, b"#HELP\n").decode().splitlines()
    for word in ["STORE", "GET", "NAME=", "REPLIES", "QUIT", "#HELP"]:
        assert len([line for line in lines if line.startswith(word)]) == 1
    assert exchange(hub, b"#HELP\r\n").decode() == "".join(line + "\r\n" for line in lines)
    assert exchange(hub, b"#HELP").decode() == "\n".join(lines)


def test_the_name(start_hub):
    hub = start_hub("first")
    ask = redis.Redis("127.0.0.1", hub.port, decode_responses=True).execute_command
    assert ask("NAME") == "first"
    assert bare(hub, "NAME=Room 12, ground floor") == "Room 12, ground floor"
    assert ask("NAME") == "Room 12, ground floor"
    assert redis.Redis("127.0.0.1", hub.port).info("server")["name"] == "Room 12, ground floor"
    hub.stop()
    hub.restart("--listen", "127.0.0.1:0")
    ask = redis.Redis("127.0.0.1", hub.port, decode_responses=True).execute_command
    assert ask("NAME") == "Room 12, ground floor"
    hub.stop()
    hub.restart("given at the start")
    ask = redis.Redis("127.0.0.1", hub.port, decode_responses=True).execute_command
    assert ask("NAME") == "given at the start"


# ---- what text cannot carry ----

def test_values_text_cannot_carry(hub):
    r = redis.Redis("127.0.0.1", hub.port)
    assert exchange(hub, b"STORE k = a\rb\nSTORE k = a\0b\nSTORE k =   \n") == b"0\n0\n0\n"
    assert r.get("k") is None
    for value in [b"", b"a\rb", b"a\nb", b"a\0b", b"\n"]:
        r.set("k", value)
        assert r.get("k") == value
        assert exchange(hub, b"GET k\nREPLIES full\nGET k\n") == b"ERROR\nfull\nERROR\n"
    r.set("k", b"  blanks at its ends ")
    assert exchange(hub, b"GET k\n") == b"  blanks at its ends \n"


def test_full_says_why_not(hub):
    with Lines(hub) as c:
        c.ask("REPLIES full")
        assert c.ask("STORE k =") == "Not Saved for key:k: the value is empty"
        assert "NUL" in c.ask("STORE k = \0")
        assert "more than one word" in c.ask("STORE k l = v")
        assert c.ask("STORE " + "k" * 65537 + " = v").endswith(": the key is longer than 64 KiB")


def test_long_keys_and_values(hub):
    key, value = "k" * 65536, "v" * (900 * KIB)
    with Lines(hub) as c:
        assert c.ask(f"STORE {key} = {value}") == "1"
        assert c.ask(f"GET {key}") == value


# ---- the line without end ----

def test_the_longest_line(hub):
    line = b"x" * (1024 * KIB)
    assert exchange(hub, line + b"\n") == line + b"\n"
    assert exchange(hub, line + b"\r\n") == line + b"\r\n"
    assert exchange(hub, line) == line


@pytest.mark.parametrize("end", [b"\n", b"y" * 100, b""], ids=["ended", "longer", "just over"])
def test_a_line_without_end(hub, end):
    with connect(hub) as s:
        s.sendall(b"before\n" + b"x" * (1024 * KIB + 1) + end)
        assert read_all(s) == b"before\nERROR: the line is too long\n"
    assert is_served(hub)


# ---- the silence rule ----

def test_silence_ends_a_message_up_to_4_kib(hub):
    with connect(hub) as s:
        s.sendall(b"x" * 4096)
        assert s.makefile("rb").read(4096) == b"x" * 4096


def nothing_comes(s, wake):
    """That no answer comes before that to wake, which another connection sends and whose answer
    is owed to silence alone; so the first connection has been silent at least as long."""
    for _ in range(3):
        assert bare(wake, "a later silence") == "a later silence"
    s.setblocking(False)
    with pytest.raises(BlockingIOError):
        s.recv(1)
    s.setblocking(True)


def test_silence_ends_no_message_over_4_kib(hub):
    with connect(hub) as s:
        s.sendall(b"x" * 4097)
        nothing_comes(s, hub)
        s.sendall(b"\n")
        assert s.makefile("rb").read(4098) == b"x" * 4097 + b"\n"


def test_silence_means_nothing_after_a_newline(hub):
    with connect(hub) as s:
        s.sendall(b"line\n")
        assert s.recv(100) == b"line\n"
        s.sendall(b"half a ")
        nothing_comes(s, hub)
        s.sendall(b"line\n")
        assert s.recv(100) == b"half a line\n"


def test_a_newline_after_bare_messages_ends_the_silences(hub):
    with connect(hub) as s:
        s.sendall(b"bare")
        assert s.recv(100) == b"bare"
        s.sendall(b"line\nhalf")
        assert s.recv(100) == b"line\n"
        nothing_comes(s, hub)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b"half"


def test_silence_can_be_turned_off(start_hub, hub):
    deaf = start_hub("--unframed-ms", 0)
    with connect(deaf) as s:
        s.sendall(b"bare")
        nothing_comes(s, hub)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b"bare"


def test_silence_can_be_longer(start_hub, hub):
    patient = start_hub("--unframed-ms", 60000)
    with connect(patient) as s:
        s.sendall(b"GET ")
        nothing_comes(s, hub)
        s.sendall(b"nothing\n")
        assert s.recv(100) == b"ERROR\n"


def test_half_a_resp_start_is_text_after_silence(hub):
    assert bare(hub, "*") == "*"
    assert bare(hub, "*3\r") == "*3\r"
    assert bare(hub, "*12345678901\r\n") == "*12345678901\r\n"
