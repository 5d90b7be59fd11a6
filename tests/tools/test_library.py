"""What of libkith is installed: other people's programs are built with that alone."""

import os
import re
import subprocess

import pytest

from programs import ROOT, build

STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]


def run(*words, **how):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True, **how).stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("installed")
    run("meson", "install", "-C", build(), "--no-rebuild", "--destdir", root)
    return root


@pytest.fixture(scope="module")
def pkg_config(installed):
    """Asks pkg-config as if the library were installed here."""
    (file,) = installed.rglob("kith.pc")
    env = {**os.environ, "PKG_CONFIG_PATH": str(file.parent), "PKG_CONFIG_SYSROOT_DIR": str(installed)}
    return lambda *words: run("pkg-config", *words, "kith", env=env).split()


@pytest.mark.parametrize("compiler", [["gcc", "-std=c89"], ["gcc", "-std=c11"], ["gcc", "-std=c17"],
                                      ["g++", "-std=c++98"], ["g++", "-std=c++17"]], ids=" ".join)
def test_the_header_needs_nothing_before_it(installed, tmp_path, compiler):
    (header,) = installed.rglob("include/kith/kith.h")
    source = tmp_path / ("alone.c" if compiler[0] == "gcc" else "alone.cpp")
    source.write_text("""
        #include <kith/kith.h>
        #include <kith/kith.h>
        enum kith_result store_key(struct kith *k, const char *key, const char *value);
        enum kith_result store_key(struct kith *k, const char *key, const char *value)
        {
            return kith_store(k, kith_text(key), kith_text(value));
        }
        enum kith_result want_all(struct kith *k);
        enum kith_result want_all(struct kith *k)
        {
            return kith_want(k, KITH_LETTERS | KITH_COMINGS);
        }
    """)
    run(*compiler, *STRICT, "-I", header.parents[1], "-c", source, "-o", tmp_path / "alone.o")


@pytest.mark.parametrize("compiler", [["gcc", "-std=c11"], ["g++", "-std=c++17", "-x", "c++"]], ids=" ".join)
def test_the_example_is_built_with_what_is_installed(installed, pkg_config, tmp_path, compiler):
    program = tmp_path / "guestbook"
    run(*compiler, *STRICT, *pkg_config("--cflags"), ROOT / "examples/guestbook.c", "-o", program,
        *pkg_config("--libs"))
    (library,) = installed.rglob("libkith.so")
    assert "libkith.so.0" in run("readelf", "-d", program)
    env = {**os.environ, "LD_LIBRARY_PATH": str(library.parent), "KITH_HUB": str(tmp_path / "no-hub")}
    done = subprocess.run([program, "hello"], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"guestbook: nothing to connect to at {tmp_path}/no-hub: there is no such socket\n"


@pytest.mark.parametrize("compiler", [["gcc", "-std=c99"], ["g++", "-std=c++17", "-x", "c++"]], ids=" ".join)
def test_the_bot_is_built_with_what_is_installed(installed, pkg_config, tmp_path, compiler):
    program = tmp_path / "bot"
    run(*compiler, *STRICT, *pkg_config("--cflags"), ROOT / "examples/bot.c", "-o", program,
        *pkg_config("--libs"))
    (library,) = installed.rglob("libkith.so")
    env = {**os.environ, "LD_LIBRARY_PATH": str(library.parent), "KITH_HUB": str(tmp_path / "no-hub")}
    done = subprocess.run([program], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"bot: nothing to connect to at {tmp_path}/no-hub: there is no such socket\n"


def test_pkg_config_says_which_version(pkg_config):
    assert pkg_config("--modversion") == [run(build() / "kith", "--version").split()[1]]


def test_nothing_but_the_functions_of_the_header_is_exported(installed):
    (header,) = installed.rglob("kith.h")
    declared = re.findall(r"KITH_API [^;]*?\b(kith_\w+)\(", header.read_text())
    (library,) = installed.rglob("libkith.so")
    exported = [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]
    assert len(declared) > 10
    assert exported == sorted(declared)


def test_the_build_has_it_beside_the_programs():
    assert (build() / "libkith.so").is_file() and (build() / "kithd").is_file()
