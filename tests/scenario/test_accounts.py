"""Accounts: who gets one, who gets in by what, and who no longer does."""

import ipaddress
import itertools
import os
import re
import signal
import socket
import ssl
import stat
import threading
import time

import pexpect
import pytest
import redis

import members
from hubs import PATIENCE, run_kith, until
from members import Device, HubError, Member, register
from talk import connect, read_exactly, resp

PASSWORD = "correct horse"


class Person:
    """Somebody with a home folder of his own, and what kith does there."""

    def __init__(self, hub, folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.hub = hub
        self.home = folder
        self.env = {"HOME": str(folder), "XDG_CONFIG_HOME": ""}

    def kith(self, *words, password=None):
        """Runs kith; a password it asks for is on standard input."""
        if password is not None:
            words += ("--password-fd", "0")
        return run_kith(self.hub.build, "--hub", self.hub.where, *words, env=self.env,
                        input=(password or "").encode() + b"\n")

    def ok(self, *words, password=None):
        p = self.kith(*words, password=password)
        assert p.returncode == 0, (words, p.stderr)
        return p.stdout.decode().rstrip("\n")

    def register(self, name, *words):
        self.ok("register", name, *words, password=PASSWORD)
        return self

    def key_file(self, profile="default"):
        return self.home / ".config/kith" / profile / "device.key"

    def fingerprint(self, *words):
        return self.ok("id", "--quiet", *words)

    def watcher(self, *words):
        """A connection of this device that stays; it has begun to watch."""
        child = pexpect.spawn(str(self.hub.build / "kith"),
                              ["--hub", f"kith://{self.hub.where}", "--json", *words, "watch"],
                              env={**os.environ, **self.env}, timeout=PATIENCE, echo=False)

        def hears():
            self.ok("store", "ping", "1")
            return child.expect([pexpect.TIMEOUT, r'"key":"ping"'], timeout=0.2) == 1
        until(hears, "the watcher's beginning")
        return child


@pytest.fixture
def person(tmp_path):
    def make(hub, name="somebody"):
        return Person(hub, tmp_path / "homes" / name)
    return make


def setup_token(hub):
    return hub.said_then(r"^Setup token for the first admin: (\S{43})$")[1]


def with_file(folder, text):
    path = folder / "token"
    path.write_text(text + "\n")
    return str(path)


def make_admin(person, hub, tmp_path, name="root"):
    p = person(hub, name)
    return p.register(name, "--setup", "--token-file", with_file(tmp_path, setup_token(hub)))


def over_tls(hub, **how):
    return redis.Redis("127.0.0.1", port=hub.port, ssl=True, ssl_ca_certs=str(hub.data / "hub.crt"), **how)


# ---- making one

def test_who_registers_is_known_by_the_device(hub, person):
    alice = person(hub, "alice")
    assert alice.ok("register", "Alice", password=PASSWORD) == "Registered Alice"
    assert "account      Alice at" in alice.ok("id")
    assert alice.ok("login") == "Logged in as Alice"
    assert "Logged in as Alice" == alice.ok("login", "aLiCe")
    assert person(hub, "bob").kith("login").returncode == 2  # no name, nobody to ask


def test_a_name_is_taken_once_whatever_its_case(hub, person):
    person(hub, "a").register("alice")
    p = person(hub, "b").kith("register", "ALICE", password=PASSWORD)
    assert (p.returncode, b"that name is taken" in p.stderr) == (1, True)


def test_a_device_is_one_accounts_alone(hub, person):
    alice = person(hub, "alice").register("alice")
    assert alice.kith("register", "second", password=PASSWORD).returncode == 1
    alice.register("second", "--as", "second")
    assert "second at" in alice.ok("id", "--as", "second")
    p = alice.kith("login", "second", password=PASSWORD)
    assert (p.returncode, b"that of 'alice' already" in p.stderr) == (1, True)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 33, "\x1b[31m", "žofie"])
def test_names_that_are_none(hub, name):
    with over_tls(hub) as r, pytest.raises(redis.ResponseError, match="1 to 32 of letters"):
        r.execute_command("REGISTER", name, PASSWORD)


@pytest.mark.parametrize("password", ["", "seven77", "x" * 1025])
def test_passwords_that_are_none(hub, password):
    with over_tls(hub) as r, pytest.raises(redis.ResponseError, match="8 to 1024 bytes"):
        r.execute_command("REGISTER", "alice", password)


def test_typed_twice_and_not_shown(hub, person):
    alice = person(hub, "alice")

    def start(*words):
        return pexpect.spawn(str(hub.build / "kith"), ["--hub", hub.where, *words],
                             env={**os.environ, **alice.env}, timeout=PATIENCE, encoding="utf-8")
    child = start("register")
    for prompt, answer in [("Name: ", "alice"), ("New password: ", "secret-ab\x7fc"),
                           ("Once more: ", "secret-ac")]:
        child.expect_exact(prompt)
        child.sendline(answer)
        if "assword" in prompt:
            assert "secret" not in child.before
    child.expect_exact("Registered alice")
    assert "secret" not in child.before
    child.expect(pexpect.EOF)
    child = start("--as", "other", "login", "alice")
    child.expect_exact("Password: ")
    child.sendline("secret-ac")
    child.expect_exact("Logged in as alice")
    child = start("--as", "third", "register", "carol")
    child.expect_exact("New password: ")
    child.sendline("secret-one")
    child.expect_exact("Once more: ")
    child.sendline("secret-two")
    child.expect_exact("two different passwords")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 2


def test_ctrl_c_at_a_password_leaves_the_terminal_as_it_was(hub, person):
    alice = person(hub, "alice")
    child = pexpect.spawn("/bin/sh", ["-c", f"'{hub.build}/kith' --hub {hub.where} register alice; "
                                            "stty -a; echo done"],
                          env={**os.environ, **alice.env}, timeout=PATIENCE, encoding="utf-8")
    child.expect_exact("New password: ")
    child.send("\x03")
    child.expect([r"\becho\b", "done", pexpect.EOF])
    assert " -echo " not in child.before + (child.after if isinstance(child.after, str) else "")
    child.close(force=True)
    assert person(hub, "b").register("alice")


def test_no_secret_is_in_a_log(start_hub, person, tmp_path):
    hub = start_hub("--log-requests")
    alice = person(hub, "alice")
    log = tmp_path / "kith.log"
    alice.ok("register", "alice", "--log", str(log), password=PASSWORD)
    token = alice.ok("token", "--new", "deploy", "--log", str(log))
    with over_tls(hub) as r:
        r.execute_command("AUTH", token)
        r.execute_command("AUTH", "alice", PASSWORD)
    p = alice.kith("password", password=f"{PASSWORD}\nbattery staple")
    assert p.returncode == 0
    setup = setup_token(hub)
    written = hub.log() + log.read_text()
    for secret in [PASSWORD, token, setup, "battery"]:
        assert secret not in written


def test_secrets_are_kept_hashed(hub, person):
    alice = person(hub, "alice").register("alice")
    secrets = [PASSWORD, alice.ok("token", "--new", "x"), alice.ok("invite", "--new"),
               setup_token(hub)]
    seed = alice.key_file().read_bytes()
    hub.stop()
    kept = b"".join(f.read_bytes() for f in hub.data.rglob("*") if f.is_file())
    assert b"account:alice" in kept
    for secret in secrets:
        assert secret.encode() not in kept
    assert seed not in kept


# ---- the device's key

def test_a_key_that_others_can_read_is_refused(hub, person):
    alice = person(hub, "alice").register("alice")
    key = alice.key_file()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.stat().st_size == 32
    key.chmod(0o640)
    p = alice.kith("login")
    assert p.returncode == 1 and b"must be yours alone" in p.stderr
    key.chmod(0o600)
    alice.ok("login")
    key.write_bytes(b"short")
    p = alice.kith("id")
    assert p.returncode == 1 and b"holds no key" in p.stderr


@pytest.mark.parametrize("name", ["..", ".", ".hidden", "a/b", ""])
def test_profiles_stay_in_their_folder(hub, person, name):
    assert person(hub).kith("--as", name, "id").returncode == 2


# ---- logging in

def test_a_second_device_is_added_by_password_and_signed_by_the_first(hub, person):
    alice, laptop = person(hub, "alice").register("alice"), person(hub, "laptop")
    assert laptop.ok("login", "ALICE", password=PASSWORD) == "Logged in as ALICE"
    assert laptop.ok("login") == "Logged in as alice"
    new = laptop.fingerprint()
    assert re.search(new + r"  \S+  unsigned", alice.ok("devices"))
    assert alice.ok("devices", "--sign", new) == f"Signed {new}"
    assert re.search(new + r"  \S+  signed by " + alice.fingerprint()[:8], laptop.ok("devices"))
    assert re.search(alice.fingerprint() + r"  \S+  first ", laptop.ok("devices"))
    assert f'"signer":"{alice.fingerprint()}"' in laptop.ok("devices", "--json")


def test_only_the_right_signature_of_a_device_is_taken(hub, person):
    alice, laptop = person(hub, "alice").register("alice"), person(hub, "laptop")
    laptop.ok("login", "alice", password=PASSWORD)
    with redis.Redis("127.0.0.1", port=hub.port) as r:
        r.execute_command("AUTH", "alice", PASSWORD)
        assert len(r.execute_command("DEVICES")) == 2
        with pytest.raises(redis.ResponseError, match="only a device"):
            r.execute_command("DEVICES", "SIGN", laptop.fingerprint(), b"x" * 64)
        with pytest.raises(redis.ResponseError, match="64 bytes"):
            r.execute_command("DEVICES", "SIGN", laptop.fingerprint(), b"x" * 63)
    stranger = person(hub, "stranger").register("stranger")
    assert stranger.kith("devices", "--sign", laptop.fingerprint()).returncode == 1
    assert stranger.kith("devices", "--revoke", laptop.fingerprint()).returncode == 1


def test_no_device_signs_itself(hub, person, tmp_path):
    alice, laptop = person(hub, "alice").register("alice"), person(hub, "laptop")
    laptop.ok("login", "alice", password=PASSWORD)
    new = laptop.fingerprint()
    refused = laptop.kith("devices", "--sign", new)
    assert refused.returncode == 2, refused
    assert b"that is this device; do it on an older one" in refused.stderr
    assert b"unsigned" in laptop.kith("login").stderr
    alice.ok("devices", "--sign", new)
    assert laptop.kith("devices", "--sign", new).returncode == 2
    assert re.search(new + r"  \S+  signed by " + alice.fingerprint()[:8], laptop.ok("devices"))


def sign(member, name, signer, other):
    """Asks the hub to keep signer's word about other, of that account."""
    message = b"kith device 1\0" + name.encode() + b"\0" + signer.public + other.public
    return member.ask("DEVICES", "SIGN", other.fingerprint, signer.sign(message))


def words_about(member):
    """Whose word the hub has about each device of the account, in its order."""
    return [None if signer is None else signer.decode() for *_, signer, _ in member.ask("DEVICES")]


def test_whose_word_the_hub_keeps(hub, tmp_path):
    """No device's about itself; nor one in the place of another's that leads to the first, where it does not."""
    first, second, third = (Device(tmp_path / "devices", name) for name in ("first", "second", "third"))
    with register(hub, first, "alice") as one, Member(hub, second) as two, Member(hub, third) as three:
        for new in two, three:
            assert new.ask("LOGIN", "alice", members.PASSWORD) == "OK"
        with pytest.raises(HubError, match="a device does not sign itself"):
            sign(two, "alice", second, second)
        assert words_about(one) == [None, None, None]
        assert sign(three, "alice", third, second) == "OK"
        assert sign(one, "alice", first, second) == "OK"
        with pytest.raises(HubError, match="this one's word would count less"):
            sign(three, "alice", third, second)
        assert sign(two, "alice", second, third) == "OK"
        with pytest.raises(HubError, match="this one's word would count less"):
            sign(three, "alice", third, second)  # a circle
        assert words_about(one) == [None, first.fingerprint, second.fingerprint]
        assert sign(one, "alice", first, third) == "OK"
        assert sign(three, "alice", third, second) == "OK"
        assert words_about(one) == [None, third.fingerprint, first.fingerprint]


def test_a_wrong_password_and_an_unknown_name_get_one_answer(hub, person):
    person(hub, "alice").register("alice")
    answers, times = [], {"alice": [], "nobody": []}
    for name in ["alice", "nobody"] * 3:
        with over_tls(hub) as r:
            r.ping()
            began = time.monotonic()
            with pytest.raises(redis.RedisError) as e:
                r.execute_command("LOGIN", name, "wrong password")
            times[name].append(time.monotonic() - began)
            answers.append(str(e.value))
    assert len(set(answers)) == 1
    # A hash was made for both: without one the answer comes in a millisecond.
    assert min(times["nobody"]) > min(times["alice"]) / 3


def guesses_until_refused(hub, names):
    """How many were answered. Each wait is longer than the one before: even where the test is
    slow, one attempt comes too early."""
    for n, name in enumerate(itertools.islice(names, 40)):
        with over_tls(hub) as r, pytest.raises(redis.RedisError) as e:
            r.execute_command("LOGIN", name, "wrong password")
        if "too many attempts" in str(e.value):
            return n
    return None


def test_guessing_is_slowed_down(hub, person):
    alice = person(hub, "alice").register("alice")
    assert 5 <= guesses_until_refused(hub, itertools.repeat("nobody")) <= 10
    assert 5 <= guesses_until_refused(hub, itertools.repeat("alice")) <= 10
    for n in range(10):  # each guess makes the wait longer, so that a slow test gets there, too
        p = person(hub, f"laptop{n}").kith("login", "alice", password=PASSWORD)
        if p.returncode != 0:
            break
        guesses_until_refused(hub, itertools.repeat("alice"))
    assert p.returncode == 1 and b"too many attempts" in p.stderr
    alice.ok("login")  # a known device need not wait


def test_an_address_is_slowed_down_too(hub):
    names = (f"nobody-{i}" for i in itertools.count())
    assert 20 <= guesses_until_refused(hub, names) <= 25


def test_many_logins_at_once_wait_or_are_sent_away(start_hub, person):
    hub = start_hub("--workers", "2")
    person(hub, "alice").register("alice")
    answers = []

    def log_in():
        with over_tls(hub, socket_timeout=PATIENCE) as r:
            try:
                answers.append(r.execute_command("AUTH", "alice", PASSWORD))
            except redis.RedisError as e:
                answers.append("TRYAGAIN" in str(e) or "too many" in str(e))

    threads = [threading.Thread(target=log_in) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(answers) == 12 and all(answers)
    with over_tls(hub) as r:  # nothing is left behind
        until(lambda: r.execute_command("AUTH", "alice", PASSWORD), "a place")


def test_who_goes_while_his_password_is_hashed_leaves_his_place(hub, person):
    person(hub, "alice").register("alice")
    for i in range(8):
        with connect(hub) as s:
            s.sendall(resp("AUTH", f"somebody-{i}", PASSWORD))
    with redis.Redis("127.0.0.1", port=hub.port) as r:
        assert r.execute_command("AUTH", "alice", PASSWORD)


def test_a_new_password(hub, person):
    alice = person(hub, "alice").register("alice")
    assert alice.kith("password", password="wrong horse\nbattery staple").returncode == 4
    assert alice.ok("password", password=f"{PASSWORD}\nbattery staple") == "Password changed"
    laptop = person(hub, "laptop")
    assert laptop.kith("login", "alice", password=PASSWORD).returncode == 4
    laptop.ok("login", "alice", password="battery staple")


# ---- programs

def test_redis_clients_log_in_with_tokens(hub, person):
    alice = person(hub, "alice").register("alice")
    token = alice.ok("token", "--new", "deploy")
    for protocol in [2, 3]:
        for how in [{"password": token}, {"username": "alice", "password": token}]:
            with over_tls(hub, **how) as r:
                assert r.execute_command("WHOAMI") == b"alice"
    with over_tls(hub) as r:
        assert r.execute_command("HELLO", 2, "AUTH", "alice", token, "SETNAME", "job")
        assert r.execute_command("WHOAMI") == b"alice"
        with pytest.raises(redis.ResponseError, match="may not do this"):
            r.execute_command("TOKEN", "NEW", "another")
        with pytest.raises(redis.RedisError):
            r.execute_command("AUTH", "bob", token)
    with connect(hub) as s:
        s.sendall(resp("HELLO", "3", "AUTH", "alice", PASSWORD))
        assert read_exactly(s, 2) == b"%7"
    assert alice.ok("token") == "deploy"
    assert alice.kith("token", "--new", "deploy").returncode == 1


def test_a_revoked_token_ends_its_connections_on_all_workers(start_hub, person):
    hub = start_hub("--workers", "2")
    alice = person(hub, "alice").register("alice")
    token = alice.ok("token", "--new", "deploy")
    kept = alice.ok("token", "--new", "kept")
    ended, staying = [], []
    for secret, where in [(token, ended), (kept, staying)] * 6:
        s = connect(hub)
        s.sendall(resp("AUTH", secret))
        assert read_exactly(s, 5) == b"+OK\r\n"
        where.append(s)
    alice.ok("token", "--revoke", "deploy")
    for s in ended:
        assert s.recv(1) == b""
        s.close()
    for s in staying:
        s.sendall(resp("WHOAMI"))
        assert read_exactly(s, 11) == b"$5\r\nalice\r\n"
        s.close()
    with redis.Redis("127.0.0.1", port=hub.port) as r, pytest.raises(redis.RedisError):
        r.execute_command("AUTH", token)


def test_a_token_ends_by_itself(hub, person):
    alice = person(hub, "alice").register("alice")
    token = alice.ok("token", "--new", "brief", "--expire", "1s")
    lasting = alice.ok("token", "--new", "lasting", "--expire", "1d")

    def is_refused(secret):
        with redis.Redis("127.0.0.1", port=hub.port) as r:
            try:
                return not r.execute_command("AUTH", secret)
            except redis.RedisError:
                return True
    until(lambda: is_refused(token), "the token's end")
    assert not is_refused(lasting)
    assert alice.ok("token").endswith("lasting")


# ---- devices that are taken back

def test_a_revoked_device_is_out_at_once(start_hub, person):
    hub = start_hub("--workers", "2")
    alice, laptop = person(hub, "alice").register("alice"), person(hub, "laptop")
    laptop.ok("login", "alice", password=PASSWORD)
    own, other = alice.watcher(), laptop.watcher()
    alice.ok("devices", "--revoke", laptop.fingerprint())
    other.expect(pexpect.EOF)
    assert laptop.kith("devices").returncode == 4
    alice.ok("store", "after", "1")
    own.expect(r'"key":"after"')
    own.close(force=True)
    laptop.ok("login", "alice", password=PASSWORD)  # whoever has the password may come back


# ---- invites, the setup token, admins

def test_by_invite(start_hub, person, tmp_path):
    hub = start_hub("--registration", "invite")
    p = person(hub, "eve").kith("register", "eve", password=PASSWORD)
    assert p.returncode == 4 and b"with an invite; the same with --invite asks" in p.stderr
    root = make_admin(person, hub, tmp_path)
    invite = with_file(tmp_path, root.ok("invite", "--new", "--expire", "1d"))
    person(hub, "bob").register("bob", "--token-file", invite)
    p = person(hub, "eve").kith("register", "eve", "--token-file", invite, password=PASSWORD)
    assert p.returncode == 4 and b"not valid" in p.stderr
    brief = with_file(tmp_path, person(hub, "bob").ok("invite", "--new", "--expire", "1s"))
    time_over = time.monotonic() + 1.1
    until(lambda: time.monotonic() > time_over)
    p = person(hub, "eve").kith("register", "eve", "--token-file", brief, password=PASSWORD)
    assert p.returncode == 4


def test_closed(start_hub, person, tmp_path):
    hub = start_hub("--registration", "closed")
    p = person(hub, "eve").kith("register", "eve", password=PASSWORD)
    way = b"started with --registration invite it takes one for each invite: kith invite --new"
    assert p.returncode == 4 and b"no new accounts; " + way in p.stderr
    root = make_admin(person, hub, tmp_path)
    p = root.kith("invite", "--new")
    assert p.returncode == 4 and b"no new accounts; " + way in p.stderr
    where = f"127.0.0.1:{hub.port}"
    hub.stop()
    hub.restart("--registration", "invite", "--listen", where)
    token = with_file(tmp_path, root.ok("invite", "--new"))
    bob = person(hub, "bob").register("bob", "--token-file", token)
    unused = with_file(tmp_path, root.ok("invite", "--new"))
    hub.stop()
    hub.restart("--registration", "closed", "--listen", where)
    p = person(hub, "eve").kith("register", "eve", "--token-file", unused, password=PASSWORD)
    assert p.returncode == 4
    assert bob.ok("devices")


def test_the_setup_token_works_once_and_is_said_while_there_is_no_admin(hub, person, tmp_path):
    first = setup_token(hub)
    assert first not in hub.log()
    hub.kill()
    hub.restart()
    token = setup_token(hub)
    assert token != first
    old = with_file(tmp_path, first)
    p = person(hub, "eve").kith("register", "eve", "--setup", "--token-file", old,
                                password=PASSWORD)
    assert p.returncode == 4
    make_admin(person, hub, tmp_path)
    p = person(hub, "eve").kith("register", "eve", "--setup", "--token-file",
                                with_file(tmp_path, token), password=PASSWORD)
    assert p.returncode == 4
    hub.kill()
    hub.restart()
    hub.said_then("^Join with ")
    hub.stop()
    assert "Setup token" not in hub.rest


def test_the_join_string_joins(hub, person):
    where = hub.said_then(r"^Join with (kith://127\.0\.0\.1:\d+#\S{43})$")[1]
    p = run_kith(hub.build, "join", where, env=person(hub).env)
    assert p.returncode == 0 and where.encode() in p.stdout


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "[::]"])
def test_a_hub_on_all_addresses_says_one_that_others_can_use(start_hub, everywhere):
    if not own_address():
        pytest.skip("this machine has no address but loopback")
    hub = start_hub(listen=f"{everywhere}:0")
    host, port = hub.said_then(r"^Join with kith://(.+):(\d+)#\S{43}$").groups()
    there = ipaddress.ip_address(host.strip("[]"))
    assert not there.is_loopback and not there.is_link_local
    with socket.create_connection((str(there), int(port))) as s:
        s.sendall(b"Hello\n")
        assert s.recv(100) == b"Hello\n"


def test_the_certificate_of_a_hub_on_all_addresses_names_them(start_hub):
    if not own_address():
        pytest.skip("this machine has no address but loopback")
    hub = start_hub(listen="0.0.0.0:0")
    trusting = ssl.create_default_context(cafile=str(hub.data / "hub.crt"))
    with socket.create_connection((own_address(), hub.port)) as s, \
            trusting.wrap_socket(s, server_hostname=own_address()) as t:
        t.sendall(resp("PING"))
        assert t.recv(100) == b"+PONG\r\n"


def test_an_admin_resets_removes_and_makes_admins(hub, person, tmp_path):
    root = make_admin(person, hub, tmp_path)
    bob = person(hub, "bob").register("bob")
    token = bob.ok("token", "--new", "job")
    bobs = bob.watcher()
    root.ok("account", "--reset", "bob", password="fresh password")
    bobs.expect(pexpect.EOF)
    assert bob.kith("devices").returncode == 4
    with redis.Redis("127.0.0.1", port=hub.port) as r, pytest.raises(redis.RedisError):
        r.execute_command("AUTH", token)
    assert bob.kith("login", "bob", password=PASSWORD).returncode == 4
    bob.ok("login", "bob", password="fresh password")
    root.ok("account", "--admin", "bob", "on")
    assert re.search(r"^bob .*admin$", root.ok("account"), re.MULTILINE)
    bobs = bob.watcher()
    root.ok("account", "--remove", "bob")
    bobs.expect(pexpect.EOF)
    assert "bob" not in root.ok("account")
    assert bob.kith("login", "bob", password="fresh password").returncode in (1, 4)
    for last in [("--remove", "root"), ("--admin", "root", "off")]:
        p = root.kith("account", *last)
        assert p.returncode == 1 and b"last admin" in p.stderr
    person(hub, "bob2").register("bob")  # another one of that name
    assert bob.kith("devices").returncode == 4


def test_everything_survives_a_crash(start_hub, person, tmp_path):
    hub = start_hub("--workers", "2", listen="127.0.0.1:0")
    root = make_admin(person, hub, tmp_path)
    alice, laptop = person(hub, "alice").register("alice"), person(hub, "laptop")
    laptop.ok("login", "alice", password=PASSWORD)
    alice.ok("devices", "--sign", laptop.fingerprint())
    token = alice.ok("token", "--new", "job")
    invite = with_file(tmp_path, alice.ok("invite", "--new"))
    before = alice.ok("devices", "--json")
    port = hub.port
    for _ in range(2):
        hub.kill()
        hub.options = ["--workers", "2", "--listen", f"127.0.0.1:{port}"]
        hub.restart()
    assert alice.ok("devices", "--json") == before
    assert laptop.ok("login") == "Logged in as alice"
    assert "admin" in root.ok("account")
    with redis.Redis("127.0.0.1", port=hub.port) as r:
        assert r.execute_command("AUTH", token)
    person(hub, "bob").register("bob", "--token-file", invite)


# ---- who may do what

def test_nobody_is_told_who_has_accounts(hub):
    with redis.Redis("127.0.0.1", port=hub.port) as r:
        assert r.execute_command("WHOAMI") is None
        for words in [["DEVICES"], ["DEVICES", "OF", "nobody"], ["TOKEN", "LIST"], ["PASSWORD", "a" * 8, "b" * 8], ["LOGIN"]]:
            with pytest.raises(redis.ResponseError, match="NOLOGIN"):
                r.execute_command(*words)


def own_address():
    """An address of this machine that is not loopback; None where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
            return s.getsockname()[0]
        except OSError:
            return None


@pytest.fixture
def far(start_hub):
    """A hub on an address that counts as another machine."""
    address = own_address()
    if not address:
        pytest.skip("this machine has no address but loopback")
    return start_hub(listen=f"{address}:0")


def test_who_may_not_is_told_what_to_type(far, person):
    p = run_kith(far.build, "--hub", far.where, "ls", env=person(far).env)
    assert p.returncode == 4
    assert p.stderr.decode().endswith(f"; to log in write --hub kith://{far.where}\n")
    p = run_kith(far.build, "--hub", f"kith://{far.where}", "ls", env=person(far).env)
    assert p.returncode == 4 and f"; kith --hub {far.where} register makes" in p.stderr.decode()
    p = run_kith(far.build, "--hub", far.where, "--as", "bot", "devices", env=person(far).env)
    assert p.returncode == 4
    assert f": kith --as bot --hub {far.where} register makes" in p.stderr.decode()


def test_guests_leave_half_of_the_descriptors_to_others(start_hub, person):
    address = own_address()
    if not address:
        pytest.skip("this machine has no address but loopback")
    hub = start_hub("--listen", f"{address}:0", "--listen", "127.0.0.1:0", "--workers", "2",
                    prefix=("sh", "-c", 'ulimit -n 128; exec "$0" "$@"'))
    host, port = hub.addresses[0].rsplit(":", 1)
    guests = [socket.create_connection((host, port)) for _ in range(128)]

    def stay():
        return sum(not is_closed(s) for s in guests)

    until(lambda: stay() <= 32, "guests who are sent away")
    assert stay() >= 8
    near = hub.addresses[1].rsplit(":", 1)
    with redis.Redis(host=near[0], port=int(near[1])) as r:
        assert r.set("k", "v")
    for s in guests:
        s.close()


def is_closed(s):
    """Has the other end closed it? It says nothing by itself."""
    s.setblocking(False)
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_from_another_machine_a_login_opens_the_table(far, person):
    p = person(far, "eve").kith("get", "k")
    assert p.returncode == 4
    alice = person(far, "alice")
    where = f"kith://{far.where}"
    p = run_kith(far.build, "--hub", where, "store", "k", "v", env=alice.env)
    assert p.returncode == 4
    alice.register("alice")
    p = run_kith(far.build, "--hub", where, "store", "k", "v", env=alice.env)
    assert p.returncode == 0, p.stderr
    p = run_kith(far.build, "--hub", where, "name", "new", env=alice.env)
    assert p.returncode == 4 and b"admin's account" in p.stderr


def test_an_admin_is_one_from_everywhere(far, person, tmp_path):
    root = make_admin(person, far, tmp_path)
    p = run_kith(far.build, "--hub", f"kith://{far.where}", "name", "new", env=root.env)
    assert p.returncode == 0, p.stderr
    token = root.ok("token", "--new", "job")
    host = far.where.rsplit(":", 1)[0]
    with redis.Redis(host=host, port=far.port, ssl=True, ssl_cert_reqs="none",
                     password=token) as r:
        assert r.set("k", "v")
        with pytest.raises(redis.ResponseError, match="NOPERM|admin"):
            r.execute_command("NAME", "newer")  # a program is no admin


def test_no_secret_is_taken_in_the_open(far):
    host = far.where.rsplit(":", 1)[0]
    for words in [("REGISTER", "alice", PASSWORD), ("LOGIN", "alice", PASSWORD),
                  ("AUTH", "alice", PASSWORD), ("AUTH", "x" * 43)]:
        with redis.Redis(host=host, port=far.port) as r:
            with pytest.raises(redis.RedisError, match="need TLS"):
                r.execute_command(*words)
