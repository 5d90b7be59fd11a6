"""People in scenarios: each with a profile of his own, perhaps on a machine of his own."""

import io
import json
import os
import subprocess

import pexpect
from hubs import PATIENCE
from members import PASSWORD

LAST_LINE_OF_HELP = "say a line that begins with a slash"


class Person:
    """Somebody with a profile of his own, perhaps on a machine of his own: words before each command
    put it there."""

    def __init__(self, build, folder, name, where, prefix=()):
        self.kith, self.folder, self.name, self.where = build / "kith", folder / name, name, where
        self.prefix = list(prefix)
        self.folder.mkdir()
        (self.folder / "password").write_text(PASSWORD + "\n")
        self.env = {k: v for k, v in os.environ.items() if k != "KITH_HUB"}
        self.env.update(XDG_CONFIG_HOME=str(self.folder), NO_COLOR="1", TERM="xterm")
        self.opened = []
        made = self.run("register", name, "--password-file", self.folder / "password")
        assert made.returncode == 0, made.stderr

    def words(self, *words):
        return [*self.prefix, str(self.kith), *map(str, words)]

    def run(self, *words, **how):
        return subprocess.run(self.words("--hub", self.where, *words), capture_output=True,
                              env=self.env, timeout=PATIENCE, **how)

    def say(self, *words, **how):
        return self.run("say", *words, **how)

    def start(self, *words, err=subprocess.DEVNULL, stdin=subprocess.DEVNULL):
        """In the background; what it prints is in a file."""
        out = open(self.folder / f"out-{len(self.opened)}", "w+b", buffering=0)
        process = subprocess.Popen(self.words("--hub", self.where, *words), stdin=stdin, stdout=out,
                                   stderr=err, env=self.env)
        process.said = lambda: os.pread(out.fileno(), 1 << 24, 0).decode()
        self.opened.append(process)
        return process

    def listen(self, *options):
        """Until it listens."""
        process = self.start("listen", *options, err=subprocess.PIPE)
        assert b"listening at" in process.stderr.readline()
        return process

    def visit(self, *options):
        words = self.words(*options, *self.where.rsplit(":", 1))
        child = pexpect.spawn(words[0], words[1:], env=self.env, encoding="utf-8",
                              timeout=PATIENCE, dimensions=(40, 120))
        child.logfile_read = io.StringIO()
        child.expect_exact(LAST_LINE_OF_HELP)
        self.opened.append(child)
        return child

    def close(self):
        for one in self.opened:
            if isinstance(one, pexpect.spawn):
                one.close(force=True)
            else:
                one.kill()
                one.wait()


def fingerprint(person, *options):
    return json.loads(person.run(*options, "--json", "id").stdout)["fingerprint"]


def add_device(person, profile):
    """Another device of his, unsigned; its fingerprint."""
    done = person.run("--as", profile, "login", person.name, "--password-file",
                      person.folder / "password")
    assert done.returncode == 0, done.stderr
    return fingerprint(person, "--as", profile)


def invite(one, name, other, own_name):
    """An invitation that is accepted; whatever comes of it."""
    one.sendline(f"GET_CLIENT_INFO {name}")
    other.expect_exact(f"{own_name} wants to talk: /accept or /decline")
    other.sendline("/accept")


def meet(one, name, other, own_name, mark=""):
    """From an invitation to a talk. mark: (verified), with a blank before it."""
    invite(one, name, other, own_name)
    for visit, whom in [(one, name), (other, own_name)]:
        visit.expect_exact(f"You talk with {whom}{mark} now; /close ends it.")
        visit.expect(f"Talking with {whom}: (\\S+)")
    return one.match.group(1)


def leave(*visits):
    for visit in visits:
        visit.sendline("/quit")
        visit.expect(pexpect.EOF)
        visit.close()
        assert visit.exitstatus == 0
