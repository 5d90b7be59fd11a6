#!/usr/bin/python3
"""./dev bench: measures, prints, and writes down what it measured."""

import argparse
import os
import signal
import sys

import delays
import files
import kv
import people
from peers import LOAD_CORE
from run import Run


# Many short ones: what drifts between them cancels in ratios.
ROUNDS = {"kv": 15, "people": 5, "files": 3, "delays": 5}


def arguments():
    p = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    p.add_argument("what", choices=list(ROUNDS),
                   help="kv: the table beside its peers; people: members, beside theirs; "
                        "files: between two people, beside ssh; delays: one at a time and all at once")
    p.add_argument("parts", nargs="*", metavar="PART",
                   help=f"of kv, only these: {', '.join(kv.NAMES)}; "
                        f"of people: {', '.join(people.NAMES)}; of files: {', '.join(files.NAMES)}")
    p.add_argument("--quick", action="store_true", help="see that it works; writes nothing down")
    p.add_argument("--rounds", type=int, default=None, metavar="N", help="of each comparison")
    a = p.parse_args()
    known = {"kv": kv.NAMES, "people": people.NAMES, "files": files.NAMES}.get(a.what, [])
    unknown = [part for part in a.parts if part not in known]
    if unknown:
        p.error(f"no such part of {a.what}: {unknown[0]}")
    return a


def main():
    a = arguments()
    run = Run(rounds=a.rounds or (2 if a.quick else ROUNDS[a.what]), quick=a.quick)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is in the way of that is cleared
    if a.what == "delays":
        delays.main(run, writes=not a.quick)
        return
    if a.what == "files":
        files.main(run, a.parts, writes=not a.quick)
        return
    if os.cpu_count() < 2:
        sys.exit("the server and its load need a processor each; this machine has one")
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    {"kv": kv, "people": people}[a.what].main(run, a.parts, writes=not a.quick)


main()
