"""Echo served one connection at a time and all at once, with a delay to see the difference."""

import signal
import threading
import time

import pytest

from hubs import until
from talk import Lines, bare, connect, exchange, is_served, read_all
from test_text import nothing_comes


def test_name_address_and_port_by_position(start_hub):
    hub = start_hub("Echo room", "127.0.0.1", "0")
    assert hub.said == [f"Server listening on 127.0.0.1:{hub.port}"]
    assert bare(hub, "Hello, server!") == "Hello, server!"
    assert b"name:Echo room\r\n" in exchange(hub, b"*1\r\n$4\r\nINFO\r\n")


def test_a_port_by_position_joins_listeners_by_option(start_hub):
    hub = start_hub("Echo", "127.0.0.1", "0", "--listen", "[::1]:0")
    ports = {a.rsplit(":", 1)[0]: int(a.rsplit(":", 1)[1]) for a in hub.addresses}
    assert set(ports) == {"127.0.0.1", "[::1]"}
    assert bare(("127.0.0.1", ports["127.0.0.1"]), "four") == "four"
    assert bare(("::1", ports["[::1]"]), "six") == "six"


def test_the_second_client_waits_for_the_first_to_close(start_hub, hub):
    one = start_hub("--one-at-a-time")
    with Lines(one) as first, connect(one) as second:
        assert first.ask("I am served") == "I am served"
        second.sendall(b"I wait\n")
        nothing_comes(second, hub)
        assert first.ask("I am still served") == "I am still served"
        first.close()
        assert second.makefile("rb").readline() == b"I wait\n"


def test_clients_are_served_in_the_order_they_came(start_hub):
    one = start_hub("--one-at-a-time", "--delay", 20)
    order = []
    clients = [Lines(one) for _ in range(5)]

    def talk(number):
        clients[number].ask(f"client {number}")
        order.append(number)
        clients[number].close()

    threads = [threading.Thread(target=talk, args=[i]) for i in range(5)]
    for thread in reversed(threads):  # asking first does not help who came later
        thread.start()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_one_at_a_time_over_several_listeners(start_hub, hub):
    one = start_hub("--one-at-a-time", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0")
    with Lines(one.ports[0]) as first, connect(one.ports[1]) as second:
        assert first.ask("x") == "x"
        second.sendall(b"y\n")
        nothing_comes(second, hub)
        first.close()
        assert second.makefile("rb").readline() == b"y\n"


def test_one_at_a_time_survives_rude_clients(start_hub):
    one = start_hub("--one-at-a-time")
    for _ in range(50):
        s = connect(one)
        s.sendall(b"hello\n")
        s.close()
    assert is_served(one)


def time_of(hub, clients):
    """How long it takes until all clients, who come at once, have an answer each."""
    begin = time.monotonic()
    threads = [threading.Thread(target=bare, args=[hub, "hello"]) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - begin


def test_the_delay_adds_up_one_at_a_time_and_not_all_at_once(start_hub):
    serial = time_of(start_hub("--one-at-a-time", "--delay", 200, "--backlog", 20), 8)
    together = time_of(start_hub("--delay", 200), 8)
    assert serial >= 8 * 0.2
    assert together >= 0.2
    assert together < serial / 2


def test_messages_of_one_connection_are_served_one_after_the_other(start_hub):
    hub = start_hub("--delay", 50)
    with Lines(hub) as c:
        begin = time.monotonic()
        for i in range(6):
            c.send(f"message {i}")
        for i in range(6):
            assert c.read() == f"message {i}"
            assert time.monotonic() - begin >= 0.05 * (i + 1)


def test_a_delayed_store_is_kept_and_delayed_answers_keep_their_order(start_hub):
    hub = start_hub("--delay", 10)
    assert exchange(hub, b"STORE k = v\nGET k\necho\nGET none\n") == b"1\nv\necho\nERROR\n"


# ---- stopping ----

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl+C", "SIGTERM"])
def test_a_signal_stops_it(start_hub, number):
    hub = start_hub()
    with Lines(hub) as c:
        assert c.ask("STORE k = v") == "1"
        hub.signal(number)
        assert read_all(c.socket) == b""
    assert hub.wait() == 0
    assert "stopped" in hub.log()


@pytest.mark.parametrize("quit", ["QUIT", "QUIT\n", "QUIT\r\n", " QUIT now\n"], ids=repr)
def test_quit_stops_it(hub, quit):
    ending = quit[len(quit.rstrip("\r\n")):]
    with connect(hub) as s:
        s.sendall(quit.encode())
        assert read_all(s).decode() == "Server Quitting..!" + ending
    assert hub.wait() == 0


def test_what_comes_after_quit_is_not_run(hub):
    with connect(hub) as s:
        s.sendall(b"STORE k = 1\nQUIT\nSTORE k = 2\n")
        assert read_all(s) == b"1\nServer Quitting..!\n"
    assert hub.wait() == 0
    hub.restart()
    assert exchange(hub, b"GET k\n") == b"1\n"


def test_held_replies_leave_before_it_stops(start_hub):
    hub = start_hub("--delay", 150, "--log-requests")
    with connect(hub) as first, connect(hub) as second:
        first.sendall(b"STORE k = v\nGET k\nlast\n")
        until(lambda: hub.log().count("msg=request") >= 3, "three requests")
        second.sendall(b"QUIT\n")
        assert read_all(second) == b"Server Quitting..!\n"
        assert read_all(first) == b"1\nv\nlast\n"
    assert hub.wait() == 0


def test_a_second_signal_stops_it_at_once(start_hub):
    hub = start_hub("--delay", 3600000, "--log-requests")
    with connect(hub) as s:
        s.sendall(b"held for an hour\n")
        hub.wait_log("msg=request")
        hub.signal(signal.SIGTERM)
        hub.wait_log("stopping")
        hub.signal(signal.SIGINT)
        assert hub.wait() == 0
        assert read_all(s) == b""


def test_nobody_is_let_in_while_it_stops(start_hub):
    hub = start_hub("--delay", 300, "--log-requests")
    with connect(hub) as s:
        s.sendall(b"held\n")
        hub.wait_log("msg=request")
        hub.signal(signal.SIGTERM)
        hub.wait_log("stopping")

        def refused():
            try:
                return exchange(hub, b"late\n") == b""
            except ConnectionError:
                return True
        until(refused, "a refusal")
        assert read_all(s) == b"held\n"
    assert hub.wait() == 0
