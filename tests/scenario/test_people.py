"""People on a real hub with two workers: who is here, meeting, letters, the relay."""

import hashlib
import os
import socket

import pytest

from hubs import until
from members import (Device, HubError, Member, Pump, grown_kib, introduce, login, new_id, register,
                     relay, resident_kib)

MIB = 1 << 20


@pytest.fixture
def devices(tmp_path):
    return {name: Device(tmp_path / "devices", name) for name in ("alice", "bob", "carol")}


@pytest.fixture
def hub(start_hub):
    return start_hub("--workers", "2")


@pytest.fixture
def pair(hub, devices):
    alice = register(hub, devices["alice"], "alice")
    bob = register(hub, devices["bob"], "Bob")
    yield alice, bob
    alice.close()
    bob.close()


def test_comings_and_goings(hub, devices, pair):
    alice, bob = pair
    alice.await_told("online", "Bob")
    assert alice.ask("GET_CLIENT_LIST") == "CLIENT_LIST<alice, Bob>"
    with register(hub, devices["carol"], "carol"):
        alice.await_told("online", "carol")
        bob.await_told("online", "carol")
        with login(hub, devices["carol"]) as again:
            names = [[name, devices] for name, _, devices in again.ask("WHO")]
            assert names == [[b"alice", 1], [b"Bob", 1], [b"carol", 1]]
    alice.await_told("offline", "carol")
    bob.await_told("offline", "carol")
    assert bob.ask("GET_CLIENT_LIST") == "CLIENT_LIST<alice, Bob>"


def test_a_silent_connection_is_not_present(hub, devices, pair):
    alice, _ = pair
    with Member(hub, devices["alice"]) as silent:
        assert silent.ask("WHOAMI") == b"alice"
        assert silent.ask("WHO")[0][2] == 1
        with pytest.raises(HubError, match="NOLOGIN"):
            silent.ask("MEET", "bob")
    assert alice.ask("GET_CLIENT_LIST") == "CLIENT_LIST<alice, Bob>"


def test_an_introduction(devices, pair):
    alice, bob = pair
    meeting = alice.ask("MEET", "bob", "192.168.1.7:5000", "[::1]:5001").decode()
    told = bob.await_told("invited")
    assert told[1:4] == [meeting, "alice", devices["alice"].fingerprint]
    assert bob.ask("ACCEPT", meeting, "10.0.0.2:6000") == "OK"
    to_alice, to_bob = alice.await_told("introduced"), bob.await_told("introduced")
    assert to_alice[1:4] == [meeting, "Bob", devices["bob"].fingerprint]
    assert to_bob[1:4] == [meeting, "alice", devices["alice"].fingerprint]
    smaller = devices["alice"].public < devices["bob"].public
    assert [to_alice[5], to_bob[5]] == (["dials", "answers"] if smaller else ["answers", "dials"])
    assert to_alice[6:] == ["127.0.0.1", "10.0.0.2:6000"]
    assert to_bob[6:] == ["127.0.0.1", "192.168.1.7:5000", "[::1]:5001"]


def test_nobody_is_introduced_without_accepting(hub, devices, pair):
    alice, bob = pair
    meeting = alice.ask("MEET", "bob").decode()
    with register(hub, devices["carol"], "carol") as carol:
        for intruder in (alice, carol):
            with pytest.raises(HubError, match="nothing waits"):
                intruder.ask("ACCEPT", meeting)
        assert bob.ask("DECLINE", meeting, "BUSY") == "OK"
    assert alice.await_told("declined") == ["declined", meeting, "Bob", "busy"]


def test_who_is_not_believed_is_told(hub, devices, pair):
    alice, bob = pair
    with register(hub, devices["carol"], "carol") as carol, Member(hub) as nobody:
        waiting = alice.ask("MEET", "bob").decode()
        for early in (alice, bob):
            with pytest.raises(HubError, match="nothing waits"):
                early.ask("DECLINE", waiting, "UNBELIEVED")
        bob.await_told("invited")
        assert bob.ask("ACCEPT", waiting) == "OK"
        for intruder, error in (carol, "nothing waits"), (nobody, "NOLOGIN"):
            with pytest.raises(HubError, match=error):
                intruder.ask("DECLINE", waiting, "UNBELIEVED")
        for speaker, other in (alice, bob), (bob, alice):
            assert speaker.ask("DECLINE", waiting, "unbelieved") == "OK"
            assert other.await_told("unbelieved") == ["unbelieved", waiting]
            with pytest.raises(HubError, match="GONE nothing waits"):  # once is enough
                speaker.ask("DECLINE", waiting, "UNBELIEVED")


def test_one_invitation_at_a_time(pair):
    alice, bob = pair
    meeting = alice.ask("MEET", "bob").decode()
    with pytest.raises(HubError, match="BUSY waiting for an answer already from 'bob'"):
        alice.ask("MEET", "bob")
    assert bob.ask("DECLINE", meeting) == "OK"
    assert len(alice.ask("MEET", "bob")) == 22


def test_letters_survive_the_hub(hub, devices, pair):
    alice, bob = pair
    bob.close()
    alice.await_told("offline", "Bob")
    first, second = new_id(), new_id()
    sealed = bytes(range(256)) * 200
    where = ("LETTER", "BOB", devices["bob"].fingerprint)
    assert alice.ask(*where, first, sealed) == "OK"
    assert alice.ask(*where, second, b"x") == "OK"
    assert alice.ask(*where, first, b"once more") == "OK"
    with pytest.raises(HubError, match="no such device"):
        alice.ask("LETTER", "alice", devices["bob"].fingerprint, new_id(), b"x")
    with pytest.raises(HubError, match="no such device"):
        alice.ask("LETTER", "bob", devices["carol"].fingerprint, new_id(), b"x")
    hub.kill()
    hub.restart()
    with login(hub, devices["bob"]) as bob:
        letters = bob.ask("LETTERS")
        assert [l[0].decode() for l in letters] == [first, second]
        assert letters[0][1:4] == [b"alice", devices["alice"].fingerprint.encode(), sealed]
        assert bob.ask("LETTERS", "TAKEN", first, new_id()) == 1
        hub.kill()
    hub.restart()
    with login(hub, devices["bob"]) as bob, login(hub, devices["alice"]) as alice:
        assert [l[0].decode() for l in bob.ask("LETTERS")] == [second]
        assert alice.ask(*where, first, b"taken already") == "OK"
        assert [l[0].decode() for l in bob.ask("LETTERS")] == [second]
        assert alice.ask("LETTERS") == []
        assert alice.ask(*where, new_id(), b"now") == "OK"
        assert bob.await_told("letter") == ["letter"]
        assert len(bob.ask("LETTERS")) == 2


def test_a_box_is_full_for_one_sender(devices, pair):
    alice, bob = pair
    where = ("LETTER", "bob", devices["bob"].fingerprint)
    for _ in range(64):
        assert alice.ask(*where, new_id(), b"x") == "OK"
    with pytest.raises(HubError, match="QUOTA"):
        alice.ask(*where, new_id(), b"x")
    with pytest.raises(HubError, match="64 KiB"):
        bob.ask(*where, new_id(), bytes(65537))
    assert bob.ask(*where, new_id(), bytes(65536)) == "OK"


def test_a_relay_carries_much_both_ways(hub, devices, pair):
    meeting = introduce(pair[0], "bob", pair[1])
    one, other = relay(hub, devices["alice"], meeting, devices["bob"])
    data = [os.urandom(MIB) * 64, os.urandom(MIB) * 64]
    before = resident_kib(hub)
    pumps = [Pump(one, data[0]), Pump(other, data[1])]
    for pump in pumps:  # nobody listens: the hub stops reading
        until(pump.is_stuck, "a stop")
    most = grown_kib(hub, before)
    for end, want in ((other, data[0]), (one, data[1])):
        got = hashlib.sha256()
        for left in range(64, 0, -1):
            got.update(end.file.read(MIB))
            most = max(most, grown_kib(hub, before))
        assert got.digest() == hashlib.sha256(want).digest()
    for pump in pumps:
        pump.join()
    assert most < 8 * 1024, f"{most} KiB more for 128 MiB relayed"
    one.socket.shutdown(socket.SHUT_WR)
    assert other.file.read() == b""
    for end in (one, other):
        end.close()


def test_a_relay_is_come_back_to(hub, devices, pair):
    meeting = introduce(pair[0], "bob", pair[1])
    one, other = relay(hub, devices["alice"], meeting, devices["bob"])
    one.socket.sendall(b"hello")
    assert other.file.read(5) == b"hello"
    again = Member(hub, devices["alice"])  # before the hub knows that the other has gone
    again.send("RELAY", meeting)
    assert other.file.read() == b""
    back = Member(hub, devices["bob"])
    back.send("RELAY", meeting)
    assert (again.answer(), back.answer()) == ("RELAY", "RELAY")
    back.socket.sendall(b"there")
    assert again.file.read(5) == b"there"
    for end in (one, other, again, back):
        end.close()


def test_a_relay_may_be_refused(start_hub, devices):
    hub = start_hub("--relay", "off")
    with register(hub, devices["alice"], "alice") as alice, \
            register(hub, devices["bob"], "bob") as bob:
        meeting = introduce(alice, "bob", bob)
        with Member(hub, devices["alice"]) as end, pytest.raises(HubError, match="does not relay"):
            end.ask("RELAY", meeting)


def test_a_relay_is_for_those_who_were_introduced(hub, devices, pair):
    meeting = introduce(pair[0], "bob", pair[1])
    with register(hub, devices["carol"], "carol"), Member(hub, devices["carol"]) as end, \
            pytest.raises(HubError, match="not introduced"):
        end.ask("RELAY", meeting)


def test_leaving_politely(pair):
    alice, bob = pair
    assert alice.ask("DISCONNECT_CLIENT") == "OK"
    assert alice.file.read() == b""
    bob.await_told("offline", "alice")
    until(lambda: bob.ask("GET_CLIENT_LIST") == "CLIENT_LIST<Bob>")
