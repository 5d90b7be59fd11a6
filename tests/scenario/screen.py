"""A program on a real terminal, tmux's, and what is on its screen."""

import os
import shlex
import subprocess

from hubs import until


class Screen:
    """A program in a terminal of its own."""

    def __init__(self, folder, arguments, columns=100, rows=30, env=None):
        self.socket = folder / "tmux"
        words = [f"{k}={v}" for k, v in (env or {}).items()]
        command = shlex.join(["env", *words, *map(str, arguments)])
        # What has ended stays on the screen, and says how.
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                  f"{command}; code=$?; echo; echo ended $code; exec cat")

    def tmux(self, *words):
        environment = {k: v for k, v in os.environ.items() if k not in ("TMUX", "KITH_HUB")}
        environment["LC_ALL"] = "C.UTF-8"
        return subprocess.run(["tmux", "-u", "-S", str(self.socket), *words], check=True,
                              capture_output=True, env=environment, timeout=30).stdout.decode()

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def paste(self, text):
        self.tmux("set-buffer", text)
        self.tmux("paste-buffer", "-p", "-r")

    def resize(self, columns, rows):
        """tmux tells the program a while after it has drawn everything anew."""
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        tty = self.tmux("display-message", "-p", "#{pane_tty}").strip()
        size = ["stty", "-F", tty, "size"]
        until(lambda: subprocess.check_output(size).split() == [b"%d" % rows, b"%d" % columns],
              "the size")

    def lines(self):
        """The rows that have something, a row that was wrapped apart from its rest."""
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").splitlines() if line.strip()]

    def cursor(self):
        """Column and row."""
        return tuple(map(int, self.tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()))

    def wait(self, *last):
        """Waits until these are the last lines."""
        try:
            until(lambda: self.lines()[-len(last):] == list(last), f"{last}")
        except AssertionError as late:
            raise AssertionError(f"{late}; the screen:\n" + "\n".join(self.lines())) from None

    def close(self):
        self.tmux("kill-server")
