"""Who may do what: other users of this machine, other machines."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from hubs import PATIENCE, until
from talk import Lines, as_bytes, bare, connect, exchange, is_served, read_all, resp

STRANGER, OWNER = 65534, 65533


@pytest.fixture
def public():
    """A folder every user can look into."""
    with tempfile.TemporaryDirectory(prefix="kith-") as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


def as_user(uid, to, data):
    """What nc, run by that user, gets for an answer."""
    where = ["-U", str(to)] if isinstance(to, pathlib.Path) else ["127.0.0.1", str(to.port)]
    done = subprocess.run(["nc", "-N", *where], input=as_bytes(data), capture_output=True,
                          timeout=PATIENCE, user=uid, group=uid, extra_groups=[], cwd="/")
    assert done.stderr == b"", done.stderr
    return done.stdout


def check_refused(hub, ask):
    for message in [b"QUIT\n", b"NAME=mine\n"]:
        assert ask(message).startswith(b"ERROR: only the hub's own user or root"), message
    for argv in [["SHUTDOWN"], ["NAME", "mine"]]:
        assert ask(resp(*argv)).startswith(b"-NOPERM "), argv
    assert ask(b"STORE k = everybody's\nGET k\nREPLIES full\nQUIT").startswith(
        b"1\neverybody's\nfull\nERROR: ")
    assert is_served(hub)
    assert b"name:mine" not in exchange(hub, resp("INFO"))


def test_another_users_quit_on_loopback(hub):
    check_refused(hub, lambda data: as_user(STRANGER, hub, data))


def test_another_users_quit_on_a_unix_socket(start_hub, public):
    path = public / "hub.sock"
    hub = start_hub("--listen", path, "--listen", "127.0.0.1:0")
    check_refused(hub, lambda data: as_user(STRANGER, path, data))


def test_open_admin_lets_other_users_stop_it(start_hub):
    hub = start_hub("--open-admin")
    assert as_user(STRANGER, hub, b"NAME=ours\nQUIT\n") == b"ours\nServer Quitting..!\n"
    assert hub.wait() == 0


LEAVERS = {
    "closes": "s.close()",
    "resets": "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0));"
              "s.close()",
    "ends its input and closes": "s.shutdown(socket.SHUT_WR); s.close()",
    "ends both ways": "s.shutdown(socket.SHUT_RDWR); s.close()",
    "ends": "os._exit(0)",
}


@pytest.mark.parametrize("leave", LEAVERS.values(), ids=LEAVERS.keys())
def test_a_stranger_who_asks_and_leaves_is_not_taken_for_root(hub, leave):
    script = f"""
import os, socket, struct
for i in range(20):
    for message in [b"QUIT\\n", b"QUIT", b"NAME=mine\\n", b"*1\\r\\n$8\\r\\nSHUTDOWN\\r\\n",
                    b"x\\n" * 2000 + b"QUIT\\n"]:
        if os.fork() == 0:
            s = socket.create_connection(("127.0.0.1", {hub.port}))
            s.sendall(message)
            {leave}
            os._exit(0)
        os.wait()
"""
    hub.signal(signal.SIGSTOP)  # so that it surely looks when they have left
    try:
        subprocess.run(["/usr/bin/python3", "-c", script], user=STRANGER, group=STRANGER,
                       extra_groups=[], cwd="/", check=True, timeout=PATIENCE)
    finally:
        hub.signal(signal.SIGCONT)
    with Lines(hub) as c:
        until(lambda: b"connected_clients:2\r\n" in exchange(hub, resp("INFO")),
              "the end of all strangers")
        assert c.ask("alive") == "alive"
    assert b"name:mine" not in exchange(hub, resp("INFO"))
    assert "asked to stop" not in hub.log() and "renamed" not in hub.log()


def test_root_who_asks_and_stays_is_obeyed(hub):
    with connect(hub) as s:
        s.sendall(b"x\n" * 2000 + b"QUIT\n")
        assert read_all(s).endswith(b"x\nServer Quitting..!\n")
    assert hub.wait() == 0


@pytest.fixture
def owned(start_hub, build, public):
    """A hub that another user than root runs."""
    program = shutil.copy(build / "kithd", public / "kithd")
    os.mkdir(public / "data", 0o700)
    os.chown(public / "data", OWNER, OWNER)
    return start_hub(program=program, data=public / "data", cwd="/", user=OWNER, group=OWNER,
                     extra_groups=[])


@pytest.mark.parametrize("uid", [OWNER, 0], ids=["its own user", "root"])
def test_the_hubs_own_user_and_root_may(owned, uid):
    check_refused(owned, lambda data: as_user(STRANGER, owned, data))
    assert as_user(uid, owned, b"NAME=ours\nQUIT\n") == b"ours\nServer Quitting..!\n"
    assert owned.wait() == 0


# ---- addresses of this machine ----

def test_ipv6_loopback(start_hub):
    hub = start_hub("--listen", "[::1]:0")
    assert hub.addresses == [f"[::1]:{hub.port}"]
    assert bare(("::1", hub.port), "STORE k = v") == "1"
    assert bare(("::1", hub.port), "NAME=six") == "six"
    refusal = subprocess.run(["nc", "-N", "::1", str(hub.port)], input=b"QUIT\n",
                             capture_output=True, user=STRANGER, group=STRANGER,
                             extra_groups=[], cwd="/", timeout=PATIENCE)
    assert refusal.stdout.startswith(b"ERROR: only the hub's own user or root")
    assert bare(("::1", hub.port), "QUIT") == "Server Quitting..!"
    assert hub.wait() == 0


def test_ipv4_mapped_into_ipv6(start_hub):
    hub = start_hub("--listen", "[::]:0")
    check_refused(hub, lambda data: as_user(STRANGER, hub, data))
    assert bare(hub, "STORE k = v") == "1"
    assert bare(hub, "QUIT") == "Server Quitting..!"
    assert hub.wait() == 0


def test_127_0_0_2_is_this_machine(start_hub):
    hub = start_hub("--listen", "127.0.0.2:0")
    assert bare(("127.0.0.2", hub.port), "STORE k = v") == "1"
    assert bare(("127.0.0.2", hub.port), "QUIT") == "Server Quitting..!"
    assert hub.wait() == 0


# ---- another machine ----

HERE, THERE = "10.77.0.1", "10.77.0.2"


def ip(words):
    subprocess.run(["ip", *words.split()], check=True, capture_output=True, timeout=PATIENCE)


@pytest.fixture
def machines():
    """Two machines with a cable between them: network namespaces, by their names."""
    here, there = f"kith-{os.getpid()}-a", f"kith-{os.getpid()}-b"
    ip(f"netns add {here}")
    try:
        ip(f"netns add {there}")
        try:
            ip(f"-n {here} link add cable type veth peer name cable netns {there}")
            for name, address in [(here, HERE), (there, THERE)]:
                ip(f"-n {name} addr add {address}/24 dev cable")
                ip(f"-n {name} link set cable up")
                ip(f"-n {name} link set lo up")
            yield here, there
        finally:
            ip(f"netns del {there}")
    finally:
        ip(f"netns del {here}")


@pytest.fixture
def far_hub(start_hub, machines):
    """Starts a hub on the one machine; the second result asks it from the other one."""
    def start(*options):
        hub = start_hub(*options, listen=f"{HERE}:0", prefix=["ip", "netns", "exec", machines[0]])

        def ask(data, machine=machines[1]):
            done = subprocess.run(["ip", "netns", "exec", machine, "nc", "-N", HERE,
                                   str(hub.port)], input=as_bytes(data), capture_output=True,
                                  timeout=PATIENCE)
            assert done.stderr == b"", done.stderr
            return done.stdout
        return hub, ask
    return start


def test_another_machine_may_only_echo(far_hub):
    hub, ask = far_hub()
    assert ask(b"hello\nSTORE k = v\nGET k\nbye\n") == b"hello\n0\nERROR\nbye\n"
    hub.wait_log("--open")
    full = ask(b"REPLIES full\nSTORE k = v\nGET k\n").decode().splitlines()
    assert full[0] == "full" and "--open" in full[2]
    assert full[1].startswith("Not Saved for key:k: ") and "--open" in full[1]
    assert b"ERROR: " in ask(b"QUIT\n") and b"ERROR: " in ask(b"NAME=x\n")
    assert ask(resp("PING") + resp("ECHO", "a")) == b"+PONG\r\n$1\r\na\r\n"
    for argv in [["SET", "k", "v"], ["GET", "k"], ["INFO"], ["CONFIG", "GET", "*"], ["DBSIZE"],
                 ["SHUTDOWN"], ["NAME", "x"]]:
        assert ask(resp(*argv)).startswith(b"-NOPERM "), argv
    assert hub.is_running()
    assert ask(b"hello\n") == b"hello\n"


def test_another_machine_gets_4_kib_echoed(far_hub):
    hub, ask = far_hub()
    assert ask(b"x" * 4096 + b"\n") == b"x" * 4096 + b"\n"
    assert ask(b"x" * 4097 + b"\n") == b"ERROR: the line is too long\n"
    assert ask(b"x" * 100000) == b"ERROR: the line is too long\n"
    assert ask(resp("ECHO", "x" * 4000)).startswith(b"$4000\r\n")
    assert ask(resp("ECHO", "x" * 1000000)).startswith(b"-ERR Protocol error: ")
    assert ask(b"hello\n") == b"hello\n"


def test_silence_of_another_machine_ends_nothing(far_hub, machines):
    hub, ask = far_hub()
    script = f"""
import socket
s = socket.create_connection(("{HERE}", {hub.port}), timeout={PATIENCE})
s.sendall(b"half a ")
wake = socket.create_connection(("{HERE}", {hub.port}), timeout={PATIENCE})
for i in range(50):
    wake.sendall(b"x\\n")
    assert wake.recv(10) == b"x\\n"
s.settimeout(0.2)
try:
    print("answered", s.recv(100))
except TimeoutError:
    s.settimeout({PATIENCE})
    s.sendall(b"line\\n")
    print(s.recv(100))
"""
    done = subprocess.run(["ip", "netns", "exec", machines[1], "/usr/bin/python3", "-c", script],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "b'half a line\\n'\n", done


def test_open_gives_the_table_and_no_more(far_hub):
    hub, ask = far_hub("--open")
    assert ask(b"STORE k = v\nGET k\n") == b"1\nv\n"
    assert ask(resp("SET", "k", "w") + resp("GET", "k")) == b"+OK\r\n$1\r\nw\r\n"
    assert ask(b"x" * 100000 + b"\n") == b"x" * 100000 + b"\n"
    assert ask(b"QUIT\n").startswith(b"ERROR: ") and ask(b"NAME=x\n").startswith(b"ERROR: ")
    assert ask(resp("SHUTDOWN")).startswith(b"-NOPERM ")
    assert ask(b"GET k\n") == b"w\n"


def test_open_admin_gives_everything(far_hub):
    hub, ask = far_hub("--open-admin")
    assert ask(b"STORE k = v\nNAME=a classroom\nQUIT\n") == (
        b"1\na classroom\nServer Quitting..!\n")
    assert hub.wait() == 0


def test_its_own_address_is_not_loopback(far_hub, machines):
    hub, ask = far_hub()
    assert ask(b"STORE k = v\nhello\n", machines[0]) == b"0\nhello\n"
