"""Completion in real shells: what the help has is offered, and the keys of the hub."""

import os
import re
import subprocess
import sys

import pexpect
import pytest

import programs
from programs import ROOT

sys.path.insert(0, str(ROOT / "tests/scenario"))
import hubs  # noqa: E402

COMPLETION = ROOT / "packaging/completion"
KEYS = ["color", "colour", "other", "ns:one", "ns:two", "two words"]

BASH_RC = """
PS1='ready> '
bind 'set enable-bracketed-paste off' 'set completion-display-width 0' \
     'set completion-query-items 0' 'set page-completions off' 'set bell-style none'
source %s/kith.bash
"""

# Writes what would be offered instead of showing it.
ZSH_RC = """
PS1='ready> '
fpath=(%s $fpath)
autoload -Uz compinit
compinit -u -D
unsetopt zle_bracketed_paste
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then
    builtin compadd "$@"
    return
  fi
  typeset -a hits
  builtin compadd -A hits "$@"
  (( $#hits )) && print -rl -- $hits >>$HITS
  builtin compadd "$@"
}
zle -C list-choices list-choices _main_complete
bindkey '^X?' list-choices
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    hub = hubs.Hub(tmp_path_factory.mktemp("hub"))
    for key in KEYS:
        assert hub.kith("store", key, "value").returncode == 0
    yield hub
    hub.kill()


def spawn(command, arguments, hub, folder, **environment):
    env = {k: v for k, v in os.environ.items() if k not in ("KITH_HUB", "PROMPT_COMMAND", "XDG_DATA_HOME")}
    env.update(PATH=f"{programs.build()}:{env['PATH']}", KITH_HUB=hub.where, TERM="dumb",
               HOME=str(folder), **environment)
    return pexpect.spawn(command, arguments, env=env, encoding="utf-8", timeout=hubs.PATIENCE,
                         cwd=folder, dimensions=(500, 200))


class Bash:
    def __init__(self, hub, folder):
        (folder / "rc").write_text(BASH_RC % COMPLETION)
        self.shell = spawn("bash", ["--noprofile", "--rcfile", str(folder / "rc"), "-i"], hub,
                           folder, INPUTRC="/dev/null")
        self.shell.expect_exact("ready> ")
        self.count = 0

    def offered(self, line):
        """What possible-completions lists for this line."""
        self.count += 1
        self.shell.send(line + "\x1b?" + f"\x01\x0becho end-{self.count}''\r")
        self.shell.expect(rf"end-{self.count}\r")
        shown = self.shell.before.split("\r\n")[1:]
        self.shell.expect_exact("ready> ")
        return {re.sub(r"\x1b\[[^m]*m", "", s) for s in shown if "ready> " not in s and s.strip()}

    def completed(self, line):
        """What the line becomes with a tab."""
        self.count += 1
        self.shell.send(f"{line}\t\x01echo \x05 end-{self.count}''\r")
        self.shell.expect(rf"\n(.*) end-{self.count}\r")
        found = self.shell.match[1]
        self.shell.expect_exact("ready> ")
        return found


class Zsh:
    def __init__(self, hub, folder):
        (folder / ".zshrc").write_text(ZSH_RC % COMPLETION)
        self.hits = folder / "hits"
        self.shell = spawn("zsh", ["-d", "-i"], hub, folder, ZDOTDIR=str(folder),
                           HITS=str(self.hits))
        self.shell.expect_exact("ready> ")
        self.count = 0

    def offered(self, line):
        self.count += 1
        self.hits.write_text("")
        self.shell.send(f"{line}\x18?\x15echo end-{self.count}''\r")
        self.shell.expect(rf"end-{self.count}\r")
        return {hit.rstrip("=") for hit in self.hits.read_text().splitlines()}


@pytest.fixture(scope="module", params=[Bash, Zsh])
def shell(request, hub, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shell")
    (folder / ".local/share/kith/hub-12400").mkdir(parents=True)
    shell = request.param(hub, folder)
    yield shell
    shell.shell.close(force=True)


def test_commands(shell):
    assert shell.offered("kith ") == programs.commands()
    assert shell.offered("kith help ") == programs.commands()
    assert shell.offered("kith --json d") == {"del", "demo", "devices", "doctor"}


def test_options_of_kith(shell):
    general = programs.OPTION.findall(programs.run("kith", "help"))
    assert shell.offered("kith --") == set(general)
    for command in programs.commands():
        wanted = set(general) | programs.command_options(command)
        assert shell.offered(f"kith {command} --") == wanted, command


def test_options_of_kithd(shell):
    assert shell.offered("kithd --") == programs.options("kithd")


@pytest.mark.parametrize("option, values", [("durability", {"commit", "second"}),
                                            ("replies", {"terse", "full"})])
def test_values(shell, option, values):
    assert shell.offered(f"kithd --{option} ") == values
    assert shell.offered(f"kithd --{option}=") == values


@pytest.mark.parametrize("command", ["get", "del", "store", "watch", "ls", "del other", "--key"])
def test_keys_come_from_the_hub(shell, command):
    assert shell.offered(f"kith {command} col") == {"color", "colour"}


def test_sections_of_info(shell, hub):
    told = re.findall(rb"^# (\w+)", hub.kith("info").stdout, re.MULTILINE)
    assert shell.offered("kith info ") == {section.decode().lower() for section in told} | {
        "all", "default", "everything"}


def test_what_is_sent_and_where_it_goes(shell):
    assert {path.rstrip("/") for path in shell.offered("kith send bob .lo")} == {".local"}
    assert {path.rstrip("/") for path in shell.offered("kith receive --into .lo")} == {".local"}
    assert shell.offered("kith transfers ") == {"resume", "cancel"}


def test_the_hub_of_the_line_is_asked(shell, hub):
    assert shell.offered("kith --hub 127.0.0.1:1 get col") == set()
    assert shell.offered("kith --hub=127.0.0.1:1 get col") == set()
    assert shell.offered(f"kith --hub {hub.where} get col") == {"color", "colour"}


def test_hubs_that_may_be_there(shell, hub):
    known = {"127.0.0.1:12345", "127.0.0.1:12400", hub.where}
    assert known <= shell.offered("kith --hub ")
    assert {where.rsplit(":")[-1] for where in shell.offered("kith --hub 127.0.0.1:124")} == {"12400"}
    assert shell.offered("kith ls --hub=127") == known


def test_keys_with_what_bash_parts_words_at(hub, tmp_path):
    bash = Bash(hub, tmp_path)
    assert bash.completed("kith get ns:t") == "kith get ns:two"
    assert bash.completed("kith --key=ns:o") == "kith --key=ns:one"
    assert bash.completed("kith get tw") == "kith get two words"
    assert bash.completed("kith get two\\ w") == "kith get two words"
    bash.shell.close(force=True)


def test_nothing_that_was_typed_is_run(hub, tmp_path):
    bash = Bash(hub, tmp_path)
    for line in ["kith get $(touch run)", "kith get `touch run`", 'kith get "$(touch run)']:
        bash.offered(line)
    assert not (tmp_path / "run").exists()
    bash.shell.close(force=True)


def test_the_script_for_bash_parses_alone():
    subprocess.run(["bash", "-n", COMPLETION / "kith.bash"], check=True)
