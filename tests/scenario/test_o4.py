"""Goal: the fourth of the programs kith comes from, as it was used: two people at terminals meet at a
central server and talk directly, in that program's own words (ORIGINS.md, O4)."""

import os
import re

import pexpect
import pytest
from hubs import PATIENCE, until
from members import PASSWORD
from screen import Screen

WHICH = "Are you new here, or returning? [new/returning] "
VERBS = ["GET_CLIENT_LIST", "GET_CLIENT_INFO", "SEND_FILE", "CLOSE_SESSION", "DISCONNECT_CLIENT", "#HELP"]
LAST_LINE_OF_HELP = "say a line that begins with a slash"


class Client:
    """kith, started with host and port, for somebody with a folder of his own."""

    def __init__(self, build, folder, hub):
        folder.mkdir(exist_ok=True)
        self.build, self.folder, self.hub = build, folder, hub
        self.env = {k: v for k, v in os.environ.items() if k != "KITH_HUB"}
        self.env.update(XDG_CONFIG_HOME=str(folder), NO_COLOR="1", TERM="xterm")

    def start(self):
        host, port = self.hub.where.rsplit(":", 1)
        self.child = pexpect.spawn(str(self.build / "kith"), [host, port], env=self.env,
                                   encoding="utf-8", timeout=PATIENCE, dimensions=(40, 120))
        return self

    def type(self, line, *answers):
        """What is typed, and what is shown behind it, in this order."""
        self.child.sendline(line)
        self.sees(*answers)

    def sees(self, *lines):
        for line in lines:
            self.child.expect_exact(line)

    def sees_line(self, line):
        """All of a line, which takes the place of the prompt."""
        self.child.expect("\x1b\\[J" + re.escape(line) + "\r")

    def sees_help(self):
        self.sees(*VERBS, LAST_LINE_OF_HELP)

    def registers(self, name):
        self.sees(WHICH)
        self.type("new", "What shall you be called? ")
        self.type(name, "A password, 8 or more: ")
        self.type(PASSWORD, "The same again: ")
        self.type(PASSWORD)
        self.sees_help()
        self.sees(f"{name}> ")

    def ends(self):
        self.child.expect(pexpect.EOF)
        self.child.close()
        assert self.child.exitstatus == 0


@pytest.fixture
def make_client(build, tmp_path, hub):
    clients = []

    def make(folder):
        clients.append(Client(build, tmp_path / folder, hub))
        return clients[-1].start()

    yield make
    for client in clients:
        client.child.close(force=True)


@pytest.fixture
def alice(make_client):
    client = make_client("alice's")
    client.registers("alice")
    return client


@pytest.fixture
def bob(make_client, alice):
    client = make_client("bob's")
    client.registers("bob")
    alice.sees("bob is here")
    return client


def meet(alice, bob):
    alice.type("GET_CLIENT_INFO bob", "Asking bob to talk")
    bob.sees("alice wants to talk: /accept or /decline")
    bob.type("/accept", "You talk with alice now", "Talking with alice: direct ")
    alice.sees("You talk with bob now", "Talking with bob: direct ")


def test_a_new_user_registers_a_returning_one_is_authenticated(make_client, alice):
    alice.type("DISCONNECT_CLIENT")
    alice.ends()
    elsewhere = make_client("another machine's")
    elsewhere.sees(WHICH)
    elsewhere.type("returning", "Your name: ")
    elsewhere.type("alice", "Your password: ")
    elsewhere.type("not " + PASSWORD, "The hub says: ", "Your name: ")
    elsewhere.type("alice", "Your password: ")
    elsewhere.type(PASSWORD)
    elsewhere.sees_help()
    elsewhere.sees("alice> ")
    alice.start()  # her own machine is known by its key
    alice.sees("Welcome, alice. ")
    alice.sees_help()
    assert WHICH not in alice.child.before and "password" not in alice.child.before


def test_who_is_active(alice, bob):
    for question in ["GET_CLIENT_LIST", "GET_CLIENT_LIST<>"]:
        alice.type(question)
        alice.sees_line("CLIENT_LIST<alice, bob>")
    bob.type("/who", "alice", "bob")
    bob.type("DISCONNECT_CLIENT")
    bob.ends()
    alice.sees("bob has left")
    alice.type("GET_CLIENT_LIST")
    alice.sees_line("CLIENT_LIST<alice>")


def test_the_instructions_at_any_time(alice, bob):
    for ask in ["#HELP", "/help"]:
        alice.type(ask)
        alice.sees_help()
    meet(alice, bob)
    alice.type("#HELP")
    alice.sees_help()
    alice.type("still bob's")
    bob.sees("alice: still bob's")
    assert "HELP" not in bob.child.before


@pytest.mark.parametrize("question", ["GET_CLIENT_INFO bob", "GET_CLIENT_INFO<bob>", "/talk bob"])
def test_a_session_from_client_to_client(alice, bob, question):
    alice.type(question, "Asking bob to talk")
    bob.sees("alice wants to talk: /accept or /decline")
    bob.type("/accept", "You talk with alice now", "Talking with alice: direct ")
    alice.sees("You talk with bob now", "Talking with bob: direct ")
    alice.type("hello bob")
    bob.sees("alice: hello bob")
    bob.type("GET none of the hub's business")
    alice.sees("bob: GET none of the hub's business")
    alice.type("DISCONNECT_CLIENT", "You talk with bob: CLOSE_SESSION first.")
    alice.type("CLOSE_SESSION", "What you type now is for the hub.", "alice> ")
    bob.sees("alice has ended the talk.", "bob> ")
    alice.type("STORE a = b", "Saved Successfully for key:a")
    alice.type("GET a")
    alice.sees_line("b")
    alice.type("CLOSE_SESSION", "No session")
    alice.type("/close", "No session")
    alice.type("DISCONNECT_CLIENT")
    alice.ends()


def test_who_does_not_want_to(alice, bob):
    alice.type("GET_CLIENT_INFO bob", "Asking bob to talk")
    bob.sees("alice wants to talk: /accept or /decline")
    bob.type("/decline")
    alice.sees("bob does not want to talk.")
    alice.type("CLOSE_SESSION", "No session")
    alice.type("GET_CLIENT_INFO carol", "there is no 'carol' here at present")
    alice.type("GET_CLIENT_INFO", "Whom? GET_CLIENT_INFO NAME")


def test_the_server_keeps_listening_while_two_talk(alice, bob, make_client):
    meet(alice, bob)
    carol = make_client("carol's")
    carol.registers("carol")
    alice.sees("carol is here")
    carol.type("GET_CLIENT_LIST", "CLIENT_LIST<alice, bob, carol>")
    carol.type("GET_CLIENT_INFO alice", "Asking alice to talk")
    alice.sees("carol wants to talk: /accept or /decline")
    alice.type("/accept carol", "carol is there to talk: /talk carol")
    alice.type("only for bob")
    bob.sees("alice: only for bob")
    alice.type("/talk carol", "What you type is for carol now.")
    alice.type("only for carol")
    carol.sees("alice: only for carol")
    assert "only for bob" not in carol.child.before


def test_quit_asks_before_it_stops_everybodys_server(alice, bob, hub):
    meet(alice, bob)
    alice.type("QUIT", "Stop the hub for everyone? [y/N] ")
    alice.type("", "It goes on.")
    alice.type("hello again")
    bob.sees("alice: hello again")
    alice.type("QUIT", "Stop the hub for everyone? [y/N] ")
    alice.type("y")
    assert hub.wait() == 0
    bob.sees("Lost the hub")


# ---- the screen ----


@pytest.fixture
def screen(alice, bob, tmp_path):
    """alice's, in place of her terminal."""
    alice.type("DISCONNECT_CLIENT")
    alice.ends()
    bob.sees("alice has left")
    folder = tmp_path / "screen"
    folder.mkdir()
    host, port = alice.hub.where.rsplit(":", 1)
    screen = Screen(folder, [alice.build / "kith", host, port], columns=60, rows=24,
                    env={"XDG_CONFIG_HOME": str(alice.folder), "NO_COLOR": "1"})
    screen.wait("//text                say a line that begins with a slash", "alice>")
    bob.sees("alice is here")
    yield screen
    screen.close()


def enter(screen, line):
    screen.type(line)
    screen.press("Enter")


def test_a_talk_on_a_real_terminal(screen, bob):
    enter(screen, "GET_CLIENT_INFO bob")
    bob.sees("alice wants to talk: /accept or /decline")
    bob.type("/accept", "You talk with alice now", "Talking with alice: direct ")
    until(lambda: screen.lines()[-1] == "alice to bob>", "the session")
    screen.type("grüße, 世界, halb")
    for number in range(20):
        bob.type(f"line {number} — während du tippst")
    screen.wait("bob: line 18 — während du tippst", "bob: line 19 — während du tippst",
                "alice to bob> grüße, 世界, halb")
    screen.resize(24, 12)
    bob.type("schmal")
    screen.wait("bob: schmal", "alice to bob> grüße, 世", "界, halb")
    screen.type(" getippt")
    screen.resize(80, 24)
    bob.type("breit")
    screen.wait("bob: schmal", "bob: breit", "alice to bob> grüße, 世界, halb getippt")
    screen.press("Enter")
    bob.sees("alice: grüße, 世界, halb getippt")
    screen.paste("eins\nzwei\n")
    screen.wait("alice to bob> eins␊zwei␊")
    bob.type("nicht abgeschickt")
    screen.wait("bob: nicht abgeschickt", "alice to bob> eins␊zwei␊")
    screen.press("Enter")
    bob.sees("alice: eins", "alice: zwei")
    screen.press("C-c")
    screen.wait("The talk with bob is over. What you type now is for the hub.", "alice>")
    bob.sees("alice has ended the talk.")
