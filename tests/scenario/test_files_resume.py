"""Goal: a transfer that was begun ends with what was sent, whatever is killed meanwhile: nobody asks for
it, and what was kept is not sent again."""

import fcntl
import hashlib
import os
import random
import signal
import subprocess

import pytest
from files import (MIB, arrived, at_work, carriers, kill_carriers, named, noise, receiving, records, staged,
                   tree, until_event)
from hubs import PATIENCE, until

LONG_S = 10 * PATIENCE
ROUNDS = 100
MANY_ROUNDS = 25


@pytest.fixture
def shm(tmp_path):
    """A folder in memory, where the disk is not what takes the time."""
    folder = type(tmp_path)("/dev/shm") / f"kith-{os.getpid()}-{tmp_path.name}"
    folder.mkdir()
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def sum_of(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def end(process):
    """As a crash does."""
    process.kill()
    process.wait(PATIENCE)


def running(sender, receiver, box):
    """Until data flows."""
    until(lambda: carriers(sender) and carriers(receiver) and arrived(box) > MIB, "that it is carried")


def begun(alice, bob, much):
    """On its way: what is sent, where it arrives, and both sides."""
    path, box = much
    receiver = receiving(bob, box, "--from", "alice", "--json")
    sender = at_work(alice, "--json", "send", "bob", path)
    running(sender, receiver, box)
    return path, box, sender, receiver


def finishes(process):
    """Its exit code, however often it was interrupted."""
    return process.wait(LONG_S), process.complained()


@pytest.fixture
def much(shm):
    """200 MiB to send, and where they arrive."""
    path = shm / "things/much"
    path.parent.mkdir()
    path.write_bytes(noise(200 * MIB))
    return path, shm / "box"


# ---- killed once ----


def test_a_sending_carrier_that_is_killed(alice, bob, much):
    path, box, sender, _ = begun(alice, bob, much)
    assert kill_carriers(sender) == 1
    assert until_event(sender, "waiting")["why"] == "the process that carries it was ended"
    assert finishes(sender)[0] == 0 and sum_of(box / "much") == sum_of(path) and staged(box) == []
    assert len(named(sender.events(), "started")) == 2


def test_a_receiving_carrier_that_is_killed(alice, bob, much):
    path, box, sender, receiver = begun(alice, bob, much)
    assert kill_carriers(receiver) == 1
    assert until_event(receiver, "waiting")["why"] == "the process that carries it was ended"
    assert finishes(sender)[0] == 0 and sum_of(box / "much") == sum_of(path) and staged(box) == []


def test_a_sender_that_is_killed_and_resumes(alice, bob, much):
    """Nothing is told on the command line but that it is to go on."""
    path, box, sender, _ = begun(alice, bob, much)
    end(sender)
    assert [(r["name"], r["state"]) for r in records(alice)] == [("much", "waits to be sent on")]
    done = alice.run("transfers", "resume")
    assert (done.returncode, done.stdout) == (0, b""), done
    assert sum_of(box / "much") == sum_of(path) and staged(box) == [] and records(alice) == []


def listing(alice, path):
    """A sender that looks through what there is, and comes to no end: begun once more where it was done
    before it could be stopped."""
    while True:
        sender = at_work(alice, "send", "bob", path)
        until(lambda: carriers(sender) and list(alice.folder.rglob("sending-*.list")), "that it lists")
        for pid in carriers(sender):
            os.kill(pid, signal.SIGSTOP)
        if not records(alice):
            return sender
        end(sender)
        alice.run("transfers", "cancel", records(alice)[0]["id"])


def test_a_list_that_is_not_finished_goes(alice, shm):
    """Nobody was asked yet: nothing was begun."""
    path = shm / "things"
    path.mkdir()
    for n in range(20000):
        (path / f"{n}").touch()
    sender = listing(alice, path)
    sender.send_signal(signal.SIGINT)
    assert sender.wait(PATIENCE) == -signal.SIGINT
    assert list(alice.folder.rglob("sending-*")) == []


def test_now_keeps_what_was_begun(alice, bob, much):
    """Who is not here is not waited for, and gets the rest another time."""
    path, box, sender, receiver = begun(alice, bob, much)
    end(sender)
    end(receiver)
    was = records(alice)
    done = alice.run("--json", "send", "bob", path, "--now")
    assert done.returncode == 1 and records(alice) == was, done
    receiving(bob, box, "--from", "alice", "--json")
    assert alice.run("transfers", "resume").returncode == 0
    assert sum_of(box / "much") == sum_of(path) and records(alice) == []


def hold(person):
    """The lock on what she has begun to send."""
    path, = person.folder.rglob("sending-*.lock")
    held = open(path)
    fcntl.flock(held, fcntl.LOCK_EX)
    return held


def test_what_another_process_holds_for_a_moment(alice, bob, much):
    """It was killed, and one that it has started is not gone yet."""
    path, box, sender, _ = begun(alice, bob, much)
    end(sender)
    with hold(alice):
        again = at_work(alice, "--json", "transfers", "resume")
        with pytest.raises(subprocess.TimeoutExpired):
            again.wait(0.5)
    assert finishes(again)[0] == 0 and sum_of(box / "much") == sum_of(path)


def test_what_another_process_holds(alice, bob, much):
    _, _, sender, _ = begun(alice, bob, much)
    end(sender)
    with hold(alice):
        again = alice.run("transfers", "resume")
    assert again.returncode == 0 and again.stderr == b"kith: another kith of this profile sends 1 of them\n"
    assert len(records(alice)) == 1


def test_a_sender_that_is_killed_and_the_same_command_again(alice, bob, much):
    path, box, sender, _ = begun(alice, bob, much)
    end(sender)
    first = records(alice)[0]["id"]
    again = at_work(alice, "--json", "send", "bob", path)
    assert finishes(again)[0] == 0
    assert [e["id"] for e in named(again.events(), "done")] == [first]
    assert sum_of(box / "much") == sum_of(path) and records(alice) == []


def test_a_receiver_that_is_killed(alice, bob, much):
    path, box, sender, receiver = begun(alice, bob, much)
    end(receiver)
    receiving(bob, box, "--from", "alice", "--json")
    assert sender.wait(PATIENCE) == 0
    assert sum_of(box / "much") == sum_of(path) and staged(box) == [] and records(bob) == []


def test_a_receiver_that_says_nothing_of_from_takes_what_was_begun(alice, bob, much):
    """What was accepted stays so."""
    path, box, sender, receiver = begun(alice, bob, much)
    end(sender)
    end(receiver)
    assert [(r["name"], r["from"], r["state"]) for r in records(bob)] == [
        ("much", "alice", "waits for him to send on")]
    receiving(bob, box / "elsewhere", "--from", "alice", "--json")
    assert alice.run("transfers", "resume").returncode == 0
    assert sum_of(box / "much") == sum_of(path) and not (box / "elsewhere/much").exists()


def test_a_hub_that_is_killed(hub, alice, bob, much):
    """What runs does not need it; what is cut waits until it is there."""
    path, box, sender, _ = begun(alice, bob, much)
    hub.kill()
    kill_carriers(sender)
    hub.restart("--listen", hub.where)
    assert finishes(sender)[0] == 0 and sum_of(box / "much") == sum_of(path) and staged(box) == []


def test_what_is_killed_with_everything_that_belongs_to_it(hub, alice, bob, much):
    """As if both machines and the hub's had lost their power."""
    path, box, sender, receiver = begun(alice, bob, much)
    for one in [sender, receiver]:
        end(one)
    hub.kill()
    hub.restart("--listen", hub.where)
    receiving(bob, box, "--from", "alice", "--json")
    assert alice.run("transfers", "resume").returncode == 0
    assert sum_of(box / "much") == sum_of(path) and staged(box) == []


# ---- killed again and again ----


class Killing:
    """alice sends bob one file, and goes on with it; this kills, and starts again what it has killed."""

    def __init__(self, hub, alice, bob, path, box):
        self.hub, self.alice, self.bob, self.path, self.box = hub, alice, bob, path, box
        self.cuts = 0
        self.receive()
        self.sender = at_work(alice, "--json", "send", "bob", path)

    def receive(self):
        self.receiver = receiving(self.bob, self.box, "--from", "alice", "--json")

    def resume(self):
        self.sender = at_work(self.alice, "--json", "transfers", "resume")

    def is_over(self):
        return self.sender.poll() is not None

    def until_it_has_come(self, bytes):
        """So far, or to its end."""
        until(lambda: self.is_over() or (carriers(self.sender) and carriers(self.receiver) and
                                         arrived(self.box) >= bytes),
              f"that it goes on after {self.cuts} cuts, {self.sender.said()}")

    def count(self, killed):
        self.cuts += bool(killed)

    def sending_carrier(self):
        self.count(kill_carriers(self.sender))

    def receiving_carrier(self):
        self.count(kill_carriers(self.receiver))

    def both_carriers(self):
        self.count(kill_carriers(self.sender) + kill_carriers(self.receiver))

    def sending(self):
        self.count(carriers(self.sender))
        end(self.sender)
        self.resume()

    def both(self):
        self.count(carriers(self.receiver))
        end(self.receiver)
        end(self.sender)
        self.receive()
        self.resume()

    def everything(self):
        self.count(carriers(self.sender))
        for one in [self.receiver, self.sender]:
            end(one)
        self.hub.kill()
        self.hub.restart("--listen", self.hub.where)
        self.receive()
        self.resume()


def test_killed_again_and_again(hub, alice, bob, much):
    """At moments from the first byte to the last one, whatever is hit."""
    path, box = much
    it, dice = Killing(hub, alice, bob, path, box), random.Random(1)
    kills = [it.sending, it.both, it.everything, it.sending_carrier, it.receiving_carrier, it.both_carriers]
    for n in range(ROUNDS):
        it.until_it_has_come(dice.uniform(n, n + 1) / ROUNDS * 200 * MIB)
        if it.is_over():
            break
        dice.choices(kills, weights=[8, 2, 1, 1, 1, 1])[0]()
    if it.sender.wait(PATIENCE) != 0:
        it.resume()
        assert it.sender.wait(PATIENCE) == 0, it.sender.said()
    assert sum_of(box / "much") == sum_of(path) and staged(box) == []
    assert it.cuts >= ROUNDS * 5 / 6, it.cuts


def put_many(folder):
    """4000 small files, and some that are large, in folders within each other."""
    dice = random.Random(2)
    for n in range(40):
        here = folder.joinpath(*(f"{k}" for k in range(n % 5)), f"folder {n}")
        here.mkdir(parents=True)
        for k in range(100):
            (here / f"{k}.txt").write_bytes(noise(dice.choice([0, 1, 1000, 5000, 20000]), b"%d %d" % (n, k)))
        (here / "large").write_bytes(noise(MIB, b"%d" % n))


def test_many_files_killed_again_and_again(hub, alice, bob, shm):
    """While they are made in their places, taken back, checked, placed and published."""
    path, box = shm / "things/many", shm / "box"
    put_many(path)
    size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    it, dice = Killing(hub, alice, bob, path, box), random.Random(3)
    kills = [it.sending, it.both, it.sending_carrier, it.receiving_carrier, it.both_carriers]
    for n in range(MANY_ROUNDS):
        it.until_it_has_come(min(dice.uniform(n, n + 1) / (MANY_ROUNDS - 5), 1) * size)
        if it.is_over():
            break
        dice.choice(kills)()
    if it.sender.wait(LONG_S) != 0:
        it.resume()
        assert it.sender.wait(LONG_S) == 0, it.sender.said()
    assert tree(box / "many") == tree(path) and staged(box) == []
    assert it.cuts >= 3, it.cuts


# ---- nothing twice ----


def test_what_was_kept_is_not_sent_again(alice, bob, much):
    """Of one that was cut after half of it the other half is sent."""
    path, box = much
    receiver = receiving(bob, box, "--from", "alice", "--json")
    sender = at_work(alice, "--json", "send", "bob", path)
    until(lambda: arrived(box) > 100 * MIB, "half of it")
    end(sender)
    until_event(receiver, "waiting")
    kept = records(bob)[0]["kept"]
    assert kept >= 64 * MIB
    again = at_work(alice, "--json", "transfers", "resume")
    assert finishes(again)[0] == 0
    moved = named(again.events(), "done")[0]["moved"]
    assert moved <= 200 * MIB - kept and sum_of(box / "much") == sum_of(path)


# ---- what is sent changes meanwhile ----


def interrupted(alice, bob, path, box):
    """Sent by half, then cut; the receiver."""
    receiver = receiving(bob, box, "--from", "alice", "--json")
    sender = at_work(alice, "--json", "send", "bob", path)
    until(lambda: arrived(box) > 50 * MIB, "some of it")
    end(sender)
    until_event(receiver, "waiting")
    return receiver


def test_a_file_that_changed_meanwhile(alice, bob, much):
    """It arrives as it is now, and nothing of what it was."""
    path, box = much
    interrupted(alice, bob, path, box)
    path.write_bytes(noise(200 * MIB, b"other"))
    again = at_work(alice, "--json", "transfers", "resume")
    assert finishes(again)[0] == 0, again.said()
    assert sum_of(box / "much") == sum_of(path)


def test_a_file_that_shrank_meanwhile(alice, bob, much):
    path, box = much
    interrupted(alice, bob, path, box)
    path.write_bytes(noise(MIB, b"other"))
    again = at_work(alice, "--json", "transfers", "resume")
    assert finishes(again)[0] == 0, again.said()
    assert sum_of(box / "much") == sum_of(path)


def test_a_file_that_is_gone_meanwhile(alice, bob, much):
    """With what else there was to send: that arrives."""
    path, box = much
    (path.parent / "small").write_bytes(b"small")
    receiver = interrupted(alice, bob, path.parent, box)
    path.unlink()
    again = at_work(alice, "--json", "transfers", "resume")
    assert finishes(again)[0] == 6, again.said()
    for side in [again, receiver]:
        dropped = until_event(side, "dropped")
        assert (dropped["path"], dropped["why"]) == ("things/much", "what is sent is there no more")
    assert sorted(tree(box)) == [b"things", b"things/small"]


def test_all_of_it_is_gone_meanwhile(alice, bob, much):
    path, box = much
    interrupted(alice, bob, path, box)
    path.unlink()
    again = at_work(alice, "--json", "transfers", "resume")
    assert finishes(again)[0] == 6, again.said()
    assert not (box / "much").exists()


# ---- lists and ends ----


def cancel(person):
    done = person.run("transfers", "cancel", records(person)[0]["id"][:6])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_cancelled_while_it_runs(alice, bob, much, who):
    """By another command, on either side: both are told, and nothing is left."""
    _, box, sender, receiver = begun(alice, bob, much)
    for side in [sender, receiver]:
        for pid in carriers(side):
            os.kill(pid, signal.SIGSTOP)
    cancel(alice if who == "alice" else bob)
    assert sender.wait(PATIENCE) == 1
    for side in [sender, receiver]:
        assert until_event(side, "failed")["reason"] == "cancelled"
    until(lambda: staged(box) == [], "that nothing is staged")
    assert records(alice) == [] and records(bob) == [] and not (box / "much").exists()


def test_cancelled_by_who_sends_while_nothing_runs(alice, bob, much):
    """The other side is told when they meet again."""
    path, box = much
    interrupted(alice, bob, path, box)
    cancel(alice)
    assert records(alice) == [] and path.exists()
    done = alice.run("transfers", "resume")
    assert (done.returncode, done.stdout) == (0, b"")


def test_cancelled_by_who_receives_while_nothing_runs(alice, bob, much):
    """Nothing of it is left there, and who goes on sending is told."""
    path, box = much
    end(interrupted(alice, bob, path, box))
    cancel(bob)
    assert staged(box) == [] and records(bob) == []
    receiving(bob, box, "--from", "alice")
    done = alice.run("transfers", "resume")
    assert done.returncode != 0 and b"nothing is known of it there" in done.stderr, done
    assert records(alice) == [] and not (box / "much").exists()


def test_the_list_of_what_is_unfinished(alice, bob, much):
    path, box = much
    receiver = interrupted(alice, bob, path, box)
    ident = records(alice)[0]["id"]
    assert alice.run("transfers").stdout.decode().startswith(f"{ident[:8]}  to bob  much, 200 MiB; ")
    assert bob.run("transfers").stdout.decode().startswith(f"{ident[:8]}  from alice  much, 200 MiB; ")
    assert [(r["id"], r["from"], r["into"], r["state"]) for r in records(bob)] == [
        (ident, "alice", str(box), "under way")]
    end(receiver)
    assert [r["state"] for r in records(bob)] == ["waits for him to send on"]


def test_one_that_is_not_there(alice):
    for word in ["cancel", "resume"]:
        done = alice.run("transfers", word, "AAAAAA")
        assert done.returncode == 1 and b"there is no such transfer" in done.stderr
    assert alice.run("transfers", "cancel").returncode == 2
    assert alice.run("transfers", "forget").returncode == 2
