"""The servers that are measured: started on a free port with a folder of their own, pinned to
their processors, and what the kernel says they cost."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PATIENCE = 120  # seconds until a server that does not answer is given up on
SERVER_CORE, LOAD_CORE = "0", "1"
ALL_CORES = f"0-{os.cpu_count() - 1}"
CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED of the kernel's per-process clocks: exact, in nanoseconds


def build():
    """Where the programs are."""
    return pathlib.Path(os.environ.get("KITH_BUILD", ROOT / "build")).resolve()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, what):
    """Waits until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come about")
        time.sleep(0.002)


def command(*words):
    """A command in the Redis protocol."""
    raw = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in raw)


class Peer:
    """A running server, ended by `with`. prefix: words that put it on a machine of its own."""

    def __init__(self, name, folder, arguments, cores=SERVER_CORE, prefix=()):
        self.name, self.folder, self.arguments, self.cores = name, folder, arguments, cores
        self.prefix = list(prefix)
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self):
        """Starts it; started_s is how long it took to the first answer."""
        self.port = free_port()
        self.configure()
        words = [str(a).replace("{port}", str(self.port)) for a in self.arguments]
        begin = time.monotonic()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([*self.prefix, "taskset", "-c", self.cores, *words],
                                            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        try:
            self.wait_until_it_answers()
        except BaseException:
            self.kill()
            raise
        self.started_s = time.monotonic() - begin

    def configure(self):
        """Writes what it reads as it starts, where it reads anything; its port is known."""

    def wait_until_it_answers(self):
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not start:\n{self.log()}")
            time.sleep(0.002)

    def answers(self):
        try:
            return self.ask("PING").startswith(b"+")
        except OSError:
            return False

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def ask(self, *words):
        """The first bytes of the answer to a command."""
        with self.connect() as s:
            s.sendall(command(*words))
            return s.recv(65536)

    def cpu_ns(self):
        """What all its threads, those that ended included, have run so far."""
        return int(time.clock_gettime(~self.process.pid << 3 | CLOCK_OF_PROCESS) * 1e9)

    def rest(self):
        """Waits until it has nothing to do: less than a hundredth of its processor."""
        deadline, before = time.monotonic() + PATIENCE, None
        while before is None or self.cpu_ns() - before > 5_000_000:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not come to rest")
            before = self.cpu_ns()
            time.sleep(0.5)

    def memory(self):
        """Bytes of memory that it alone has written to."""
        rollup = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Private_Dirty: +(\d+) kB", rollup, re.MULTILINE)[1]) * 1024

    def anonymous(self):
        """Nearly the same from counters, so that asking does not disturb."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024

    def stop(self):
        """Ends it in good order."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def kill(self):
        """Ends it as a crash does."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class TalkedTo(Peer):
    """One that is not asked with PING: it answers when it accepts connections."""

    def answers(self):
        try:
            self.connect().close()
        except OSError:
            return False
        return True


class Elsewhere(Peer):
    """One at an address that perhaps only its own machine has."""

    def __init__(self, name, folder, arguments, address, prefix=()):
        self.address = address
        super().__init__(name, folder, arguments, ALL_CORES, prefix)

    def answers(self):
        return subprocess.run([*self.prefix, "nc", "-z", self.address, str(self.port)],
                              capture_output=True, timeout=PATIENCE).returncode == 0


def certificate(folder, name):
    """A new Ed25519 key and its certificate, NAME.key and NAME.pem."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "30", "-subj",
                    f"/CN={name}", "-keyout", folder / f"{name}.key", "-out",
                    folder / f"{name}.pem"], check=True, capture_output=True)


def s_server(folder):
    """openssl s_server, which asks for a certificate and knows the one called client."""
    for name in ["server", "client"]:
        certificate(folder, name)
    return TalkedTo("openssl s_server", folder,
                    ["openssl", "s_server", "-accept", "127.0.0.1:{port}", "-cert", "server.pem",
                     "-key", "server.key", "-tls1_3", "-num_tickets", 0, "-Verify", 1, "-CAfile",
                     "client.pem", "-verify_quiet", "-quiet", "-www"])


NGIRCD_CONF = """[Global]
Name = irc.example.net
Info = measured
Listen = 127.0.0.1
Ports = {plain_port}
MotdPhrase = .
AdminInfo1 = nobody
AdminInfo2 = nobody
AdminEMail = nobody@example.net
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = {folder}/server.pem
KeyFile = {folder}/server.key
Ports = {port}
"""


class Ngircd(TalkedTo):
    def configure(self):
        certificate(self.folder, "server")
        (self.folder / "ngircd.conf").write_text(NGIRCD_CONF.format(
            port=self.port, plain_port=free_port(), folder=self.folder))


def ngircd(folder):
    """Debian's, with what it limits and looks up turned off."""
    return Ngircd("ngircd", folder, ["/usr/sbin/ngircd", "-n", "-f", folder / "ngircd.conf"])


def hub_of(count):
    """Starts a hub with that many members who have a device each, those of bench/device.h."""
    def start(folder):
        folder.mkdir(parents=True)
        subprocess.run([build() / "bench/members", folder / "data", str(count)], check=True)
        return kithd(folder)
    return start


def kithd(folder, durability="commit", workers=1, cores=SERVER_CORE, options=()):
    return Peer(f"kithd --durability {durability}", folder,
                [build() / "kithd", "--listen", "127.0.0.1:{port}", "--data", folder / "data",
                 "--durability", durability, "--workers", workers, *options], cores)


def redis_server(folder):
    """Debian's redis-tools has the server too; what it does goes by the name it is called."""
    path = folder / "redis-server"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink():
        path.symlink_to("/usr/bin/redis-check-rdb")
    return str(path)


def redis(folder, appendfsync=None):
    """No persistence, or a log synced so often; never a rewrite of it by surprise."""
    options = ["--appendonly", "no"] if appendfsync is None else \
        ["--appendonly", "yes", "--appendfsync", appendfsync, "--auto-aof-rewrite-percentage", "0"]
    name = "Redis, no persistence" if appendfsync is None else f"Redis, appendfsync {appendfsync}"
    return Peer(name, folder, [redis_server(folder), "--port", "{port}", "--bind", "127.0.0.1", "--dir",
                               folder, "--save", "", "--maxclients", "12000", *options])


def bare_answer(folder):
    return Peer("bare libuv, +OK", folder, [build() / "bench/bare-answer", "{port}"])


def bare_commit(folder, workers=1, cores=SERVER_CORE):
    return Peer("bare libuv, group commit", folder,
                [build() / "bench/bare-commit", "{port}", folder / "written", workers], cores)
