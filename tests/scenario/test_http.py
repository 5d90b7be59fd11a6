"""A web page must never be able to post commands into the table; other guests at the door."""

import socket

import pytest

from talk import Lines, connect, exchange, is_served, read_all, resp

REQUESTS = {
    "GET": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nSTORE posted = yes\r\n",
    "POST": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
             b"Content-Length: 44\r\n\r\nSTORE posted = yes\nNAME=posted\nQUIT\n"),
    "a key of the path": b"GET /STORE HTTP/1.0\n\nSTORE posted = yes\n",
    "CONNECT": b"CONNECT 127.0.0.1:12345 HTTP/1.1\r\n\r\nSTORE posted = yes\n",
    "OPTIONS": b"OPTIONS * HTTP/1.1\r\n\r\nSTORE posted = yes\n",
    "a made-up method": b"QUIT / HTTP/1.1\r\n\r\nSTORE posted = yes\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nSTORE posted = yes\n",
    "an answer": b"HTTP/1.1 200 OK\r\n\r\nSTORE posted = yes\n",
    "a header": b"Host: 127.0.0.1:12345\r\nSTORE posted = yes\n",
    "a header in lower case": b"host: 127.0.0.1:12345\r\nSTORE posted = yes\n",
}


def check_untouched(hub):
    assert is_served(hub)
    assert exchange(hub, b"GET posted\n") == b"ERROR\n"
    assert b"name:posted" not in exchange(hub, resp("INFO"))


@pytest.mark.parametrize("request_bytes", REQUESTS.values(), ids=REQUESTS.keys())
def test_http_is_closed_without_an_answer(hub, request_bytes):
    with connect(hub) as s:
        s.sendall(request_bytes)
        assert read_all(s) == b""
    check_untouched(hub)
    hub.wait_log("speaks HTTP")


@pytest.mark.parametrize("size", [1, 7], ids=str)
def test_http_in_pieces(hub, size):
    with connect(hub) as s:
        request = REQUESTS["POST"]
        try:
            for i in range(0, len(request), size):
                s.sendall(request[i:i + size])
        except (BrokenPipeError, ConnectionResetError):
            pass  # closed before all of it was sent
        assert read_all(s) == b""
    check_untouched(hub)


def test_http_in_the_middle_of_a_text_session(hub):
    assert exchange(hub, b"hello\n" + REQUESTS["POST"]) == b"hello\n"
    check_untouched(hub)
    with Lines(hub) as c:
        assert c.ask("STORE first = 1") == "1"
        c.send("POST / HTTP/1.1")
        assert read_all(c.socket) == b""
    assert exchange(hub, b"GET first\n") == b"1\n"


def test_http_after_a_resp_start(hub):
    assert exchange(hub, resp("PING") + b"POST / HTTP/1.1\r\nSET posted yes\r\n") == b"+PONG\r\n"
    check_untouched(hub)


def test_a_bare_http_request(hub):
    with connect(hub) as s:
        s.sendall(b"GET / HTTP/1.1")
        assert read_all(s) == b""
    check_untouched(hub)


def test_words_that_only_resemble_http(hub):
    with Lines(hub) as c:
        assert c.ask("STORE page = HTTP/1.1 is a protocol") == "1"
        assert c.ask("GET page") == "HTTP/1.1 is a protocol"
        assert c.ask("we speak HTTP/1.1") == "we speak HTTP/1.1"
        assert c.ask("Hostess") == "Hostess"


def test_a_tls_hello_is_closed(hub):
    with connect(hub) as s:
        s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\nSTORE posted = yes\n")
        assert read_all(s) == b""
    hub.wait_log("TLS")
    check_untouched(hub)


@pytest.mark.parametrize("first", [b for b in range(0x20) if b != 0x16], ids=hex)
def test_a_control_byte_is_closed(hub, first):
    with connect(hub) as s:
        s.sendall(bytes([first]) + b"\nSTORE posted = yes\n")
        assert read_all(s) == b""
    check_untouched(hub)


@pytest.mark.parametrize("first", ["*", "*x", "*-1", "*1 2", "*12345678901", "**"])
def test_a_star_that_is_not_resp_is_text(hub, first):
    assert exchange(hub, first + "\r\nGET none\r\n").decode() == first + "\r\nERROR\r\n"


def test_nothing_is_said_first(hub):
    with connect(hub) as s:
        assert is_served(hub)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b""
