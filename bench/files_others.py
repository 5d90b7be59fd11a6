"""What else brings a file from one process to another: ssh, scp, tar over ssh, socat,
magic-wormhole, and a bare pipe. Each returns what files_pair.transfer does. ssh, socat and the pipe
write over a file that is there."""

import contextlib
import getpass
import json
import os
import pathlib
import shlex
import signal
import subprocess
import time

import peers
import processes

PRIVILEGES = pathlib.Path("/run/sshd")  # sshd run by root asks for this folder

SSHD_CONF = """Port {port}
ListenAddress {address}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
Subsystem sftp /usr/lib/openssh/sftp-server
"""


@contextlib.contextmanager
def begun(words, **how):
    """A process, which is killed where it has not ended, and waited for; with it, what it began."""
    process = subprocess.Popen(list(map(str, words)), start_new_session=True, **how)
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def finish(process):
    """Waits for its end; the processor seconds of it and of those it waited for."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{process.args[0]} failed: {process.returncode}")
    return used.ru_utime + used.ru_stime


def timed(words, **how):
    """Runs it: seconds, and processor seconds."""
    begin = time.monotonic()
    with begun(words, **how) as process:
        cpu = finish(process)
    return time.monotonic() - begin, cpu


class Sshd(peers.Elsewhere):
    """Debian's sshd, with a configuration, a port and keys of its own."""

    def __init__(self, folder, address="127.0.0.1", prefix=()):
        self.made = False
        folder.mkdir(parents=True)
        for name in ["host", "user"]:
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name],
                           check=True)
        if os.getuid() == 0 and not PRIVILEGES.exists():
            PRIVILEGES.mkdir(mode=0o755)
            self.made = True
        super().__init__("sshd", folder, ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd_config"],
                         address, prefix)

    def configure(self):
        (self.folder / "sshd_config").write_text(SSHD_CONF.format(
            port=self.port, address=self.address, folder=self.folder))

    def options(self):
        return ["-q", "-F", "none", "-i", self.folder / "user", "-o", "IdentitiesOnly=yes", "-o",
                f"UserKnownHostsFile={self.folder}/known", "-o", "StrictHostKeyChecking=accept-new"]

    def user(self):
        return f"{getpass.getuser()}@{self.address}"

    def ssh(self, *words):
        return ["ssh", *self.options(), "-p", self.port, self.user(), *words]

    def scp(self, source, target):
        return ["scp", *self.options(), "-P", self.port, source, f"{self.user()}:{target}"]

    def __exit__(self, *how):
        super().__exit__(*how)
        if self.made:
            PRIVILEGES.rmdir()


def over_ssh(sshd, words, source=None, prefix=()):
    """Seconds are what is beyond a login that does nothing."""
    login, _ = timed([*prefix, *sshd.ssh("true")])
    processes.wait_until_alone(sshd.process.pid)
    before = processes.cpu_s(sshd.process.pid)
    with open(source or os.devnull, "rb") as f:
        whole, cpu = timed([*prefix, *words], stdin=f)
    processes.wait_until_alone(sshd.process.pid)
    return {"seconds": whole - login, "whole": whole, "sends": cpu,
            "receives": processes.cpu_s(sshd.process.pid) - before}


def ssh(sshd, source, target):
    return over_ssh(sshd, sshd.ssh(f"cat 1<> {shlex.quote(str(target))}"), source)


def scp(sshd, source, target, prefix=()):
    return over_ssh(sshd, sshd.scp(source, target), prefix=prefix)


def tar_over_ssh(sshd, source, into):
    """A folder, into another."""
    unpack = shlex.join(map(str, sshd.ssh(f"tar -C {shlex.quote(str(into))} -x")))
    pack = shlex.join(["tar", "-C", str(source.parent), "-c", source.name])
    return over_ssh(sshd, ["sh", "-c", f"{pack} | {unpack}"])


def socat(source, target):
    """Plain TCP, nothing summed."""
    port, piece = peers.free_port(), str(256 * 1024)
    with begun(["socat", "-u", "-b", piece, f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr",
                f"OPEN:{target},wronly,creat"]) as receive:
        begin = time.monotonic()
        _, sends = timed(["socat", "-u", "-b", piece, f"OPEN:{source},rdonly",
                          f"TCP:127.0.0.1:{port},retry=500,interval=0.01"])
        receives = finish(receive)
        seconds = time.monotonic() - begin
    return {"seconds": seconds, "whole": seconds, "sends": sends, "receives": receives}


def pipe(source, target):
    done = subprocess.run([peers.build() / "bench/files-pipe", source, target], capture_output=True,
                          text=True, timeout=peers.PATIENCE)
    if done.returncode != 0:
        raise RuntimeError(f"files-pipe: {done.stderr}")
    seen = json.loads(done.stdout)
    return {"seconds": seen["seconds"], "whole": seen["seconds"], "sends": seen["sends_s"],
            "receives": seen["receives_s"]}


def copy(source, target):
    """Seconds of a plain copy."""
    done = subprocess.run([peers.build() / "bench/files-copy", source, target], capture_output=True,
                          text=True, timeout=peers.PATIENCE, check=True)
    return json.loads(done.stdout)["seconds"]


class Wormhole:
    """magic-wormhole with a mailbox and a transit relay of its own on loopback; the two ends then
    connect to each other."""

    def __init__(self, folder, stack):
        self.folder, self.count = folder, 0
        self.mailbox = stack.enter_context(peers.TalkedTo(
            "wormhole-mailbox", folder / "mailbox",
            ["twist3", "wormhole-mailbox", "--port=tcp:{port}:interface=127.0.0.1"], peers.ALL_CORES))
        self.relay = stack.enter_context(peers.TalkedTo(
            "transitrelay", folder / "relay",
            ["twist3", "transitrelay", "--port=tcp:{port}:interface=127.0.0.1"], peers.ALL_CORES))

    def words(self, *words):
        return ["wormhole", "--relay-url", f"ws://127.0.0.1:{self.mailbox.port}/v1",
                "--transit-helper", f"tcp:127.0.0.1:{self.relay.port}", *map(str, words)]

    def transfer(self, source, target):
        """Seconds are the whole of both commands, which are begun at once."""
        self.count += 1
        code = f"{self.count}-measured-by-all"
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                 "stderr": subprocess.DEVNULL}
        begin = time.monotonic()
        with begun(self.words("send", "--hide-progress", "--code", code, source), **quiet) as send:
            _, receives = timed(self.words("receive", "--hide-progress", "--accept-file", "-o", target,
                                           code), **quiet)
            sends = finish(send)
        seconds = time.monotonic() - begin
        return {"seconds": seconds, "whole": seconds, "sends": sends, "receives": receives}
