"""Sockets on other machines: network namespaces, which only root makes."""

import ctypes
import threading


def within(name, what):
    """What a thread returns that does this on that machine; sockets made there stay there."""
    libc, result = ctypes.CDLL(None, use_errno=True), []

    def run():
        with open(f"/run/netns/{name}") as machine:
            assert libc.setns(machine.fileno(), 0x40000000) == 0, ctypes.get_errno()
        result.append(what())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]
