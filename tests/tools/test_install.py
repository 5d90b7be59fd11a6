"""What `ninja install` puts where, and that it works from there."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess

import pytest

import programs

FILES = """
bin/kith
bin/kithd
etc/default/kithd
include/kith/kith.h
LIBDIR/libkith.so
LIBDIR/libkith.so.0
LIBDIR/libkith.so.VERSION
LIBDIR/pkgconfig/kith.pc
lib/systemd/system/kithd.service
lib/sysusers.d/kith.conf
share/bash-completion/completions/kith
share/bash-completion/completions/kithd
share/man/man1/kith.1
share/man/man8/kithd.8
share/zsh/site-functions/_kith
share/zsh/site-functions/_kithd
""".split()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Where everything lies as if it were /usr/local."""
    destination = tmp_path_factory.mktemp("root")
    result = subprocess.run(["meson", "install", "--no-rebuild", "-C", programs.build()],
                            env={**os.environ, "DESTDIR": str(destination)}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert result.returncode == 0, result.stdout
    return destination / "usr/local"


@pytest.fixture
def unit(installed, tmp_path):
    """The unit, for where the programs lie now."""
    text = (installed / "lib/systemd/system/kithd.service").read_text()
    path = tmp_path / "kithd.service"
    path.write_text(text.replace("/usr/local", str(installed)))
    return path


def test_what_is_installed(installed):
    options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", programs.build()],
                                        check=True, capture_output=True, text=True).stdout)
    libraries = next(option["value"] for option in options if option["name"] == "libdir")
    version = programs.run("kith", "--version").split()[1]
    files = [name.replace("LIBDIR", libraries).replace("VERSION", version)
             for name in FILES]
    found = {str(path.relative_to(installed)) for path in installed.rglob("*") if not path.is_dir()}
    assert found == set(files)
    assert [name for name in files if not (installed / name).exists()] == []


def test_the_programs_find_each_other(installed, tmp_path):
    result = subprocess.run([installed / "bin/kith", "demo"], cwd=tmp_path, capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stderr
    assert "all of them right" in result.stdout


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


def test_systemd_takes_the_unit(unit):
    result = analyze("verify", "--man=no", unit)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_unit_is_confined(unit):
    """1.4 of 10, ten being what no unit forbids at all: the network is what it is for."""
    result = analyze("security", "--offline=yes", "--no-pager", "--threshold=14", unit)
    assert result.returncode == 0, result.stdout
    assert re.search(r"Overall exposure level for kithd.service: 1\.4 OK", result.stdout)


def test_the_user_is_made(installed, tmp_path):
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}",
                    installed / "lib/sysusers.d/kith.conf"], check=True)
    assert re.search("^kith:.*:/var/lib/kith:", (tmp_path / "etc/passwd").read_text(), re.MULTILINE)


def command(unit, environment):
    """The command that the unit starts, with what systemd would put in."""
    line = re.search(r"^ExecStart=(.*)", unit.read_text(), re.MULTILINE)[1]
    line = re.sub(r"\$\{?(\w+)\}?", lambda name: environment[name[1]], line)
    return shlex.split(line)


def test_what_the_unit_starts_says_how_it_stands(installed, unit, tmp_path):
    """With the options of the file as it is, but for the port, which need not be free."""
    options = dict(line.split("=", 1) for line in
                   (installed / "etc/default/kithd").read_text().splitlines() if line[0] != "#")
    assert options == {"KITHD_OPTIONS": '""'}
    environment = {"STATE_DIRECTORY": str(tmp_path / "kith"), "KITHD_OPTIONS": "lab 127.0.0.1 0"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(30)
        kithd = subprocess.Popen(command(unit, environment), stdout=subprocess.DEVNULL,
                                 env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        try:
            assert supervisor.recv(100) == b"READY=1"
            kithd.send_signal(signal.SIGTERM)
            assert supervisor.recv(100) == b"STOPPING=1"
            assert kithd.wait(30) == 0
        finally:
            kithd.kill()
            kithd.wait()
    assert (tmp_path / "kith").is_dir()
