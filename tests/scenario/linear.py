"""Could a history of concurrent clients have happened one operation at a time?

An object is a few keys that are changed together, mostly one. Its history is a list of operations,
each with the times of its call and of its answer. The history is linearizable where every operation
can be given one moment between the two, so that one after the other, in the order of these moments,
they give the answers that were given. Where each object's history is linearizable, all are.

An operation whose answer was lost took effect at one moment between its call and the end of the hub
that it was sent to, or never. Nothing is ever taken back: a value that was read was there, whatever
crashed since.

The search is Wing and Gong's, with Lowe's memory of where it has been: whatever can come first is
tried first, then the rest. What has been placed is a set of bits, counted from the first operation
that has not, so it stays as short as operations overlap."""

LOST = "lost"  # in place of the answers
FOREVER = float("inf")
READS = ("GET", "PTTL")
HAS_FAILED = {"SETNX": None, "IFEQ": None, "DELIFEQ": 0, "DEL": 0, "GETDEL": None, "PEXPIRE": 0,
              "PERSIST": 0}


class Op:
    """Commands that take effect at once, on the keys of one object, and what they answered.

    A command is (verb, key's number, arguments ...). `after` is an operation of the same object that
    is placed, if at all, before this one."""

    __slots__ = ("call", "ret", "commands", "answers", "after", "who")

    def __init__(self, call, ret, commands, answers, after=None, who=""):
        self.call, self.ret, self.who, self.after = call, ret, who, after
        self.commands, self.answers = tuple(commands), answers

    def is_lost(self):
        return self.answers == LOST

    def only_reads(self):
        return all(verb in READS for verb, *_ in self.commands)

    def changes_nothing(self):
        """That is sure from its answers, whenever it was."""
        return not self.is_lost() and len(self.answers) == len(self.commands) and all(
            verb in READS or (verb in HAS_FAILED and answer == HAS_FAILED[verb])
            for (verb, *_), answer in zip(self.commands, self.answers))

    def __repr__(self):
        until = "never answered" if self.ret == FOREVER else f"{self.ret / 1e6:.3f}"
        return f"{self.call / 1e6:14.3f} to {until:>14} {self.who:>5} {self.commands} -> {self.answers}"


# ---- what an object does: the state is an entry for each key, None or (value, token); the token
# stands for the moment at which the entry ends, None for never

def run(state, commands):
    """The state after the commands, and their answers; no answers where they cannot have run."""
    entries, answers = list(state), []
    for verb, key, *arguments in commands:
        entry = entries[key]
        if verb == "EXPECT":  # what a WATCH has made sure of
            if (entry and entry[0]) != arguments[0]:
                return state, None
            continue
        if verb == "EXPIRE":
            if entry and entry[1] == arguments[0]:
                entries[key] = None
            continue
        entries[key], answer = VERBS[verb](entry, *arguments)
        answers.append(answer)
    return tuple(entries), tuple(answers)


def increment(entry):
    n = int(entry[0] if entry else 0) + 1
    return (str(n), entry[1] if entry else None), n


VERBS = {
    "GET": lambda e: (e, e and e[0]),
    "SET": lambda e, value: ((value, None), "OK"),
    "SETPX": lambda e, value, token, ms: ((value, token), "OK"),
    "SETNX": lambda e, value: (e, None) if e else ((value, None), "OK"),
    "IFEQ": lambda e, old, new: ((new, None), "OK") if e and e[0] == old else (e, None),
    "GETSET": lambda e, value: ((value, None), e and e[0]),
    "DEL": lambda e: (None, 1 if e else 0),
    "GETDEL": lambda e: (None, e and e[0]),
    "DELIFEQ": lambda e, old: (None, 1) if e and e[0] == old else (e, 0),
    "INCR": increment,
    "FLUSH": lambda e: (None, "OK"),
    "PEXPIRE": lambda e, token, ms: ((e[0], token), 1) if e else (e, 0),
    "PERSIST": lambda e: ((e[0], None), 1) if e and e[1] else (e, 0),
    "PTTL": lambda e: (e, -2 if not e else 1 if e[1] else -1),
}


def ends_of(op, slack_ms):
    """The ends of what the operation gives a time to live. Clocks are read a little early and answers
    come a little late: that is the slack. However wide it is, each entry ends but once."""
    for verb, key, *arguments in op.commands:
        if verb in ("SETPX", "PEXPIRE"):
            token, ms = arguments[-2:]
            call = max(op.call, op.call + (ms - slack_ms) * 1_000_000)
            ret = op.ret + (ms + slack_ms) * 1_000_000
            yield Op(call, ret, [("EXPIRE", key, token)], (), op, "clock")


# ---- the search

class Search:
    def __init__(self, ops):
        # Whatever an answer that never came would have said, it says nothing.
        self.ops = sorted((op for op in ops if not (op.is_lost() and op.only_reads())),
                          key=lambda op: op.call)
        number = {id(op): i for i, op in enumerate(self.ops)}
        self.after = [number.get(id(self.before(op)), -1) for op in self.ops]
        self.calm = [op.changes_nothing() for op in self.ops]

    @staticmethod
    def before(op):
        """The one it comes after, passing over those that are left out."""
        before = op.after
        while before is not None and before.is_lost() and before.only_reads():
            before = before.after
        return before

    def is_placed(self, i, first, placed):
        return i < first or placed >> (i - first) & 1

    def candidates(self, first, placed):
        """Those of which none that is left was over before they were called, and the one that is over
        first."""
        found, over, last, i, rest = [], FOREVER, None, first, placed
        while i < len(self.ops) and self.ops[i].call <= over:
            if not rest & 1:
                if last is None or self.ops[i].ret < over:
                    over, last = self.ops[i].ret, i
                if self.after[i] < 0 or self.is_placed(self.after[i], first, placed):
                    found.append(i)
            rest >>= 1
            i += 1
        return [i for i in found if self.ops[i].call <= over], last

    def nexts(self, at):
        """Where the search may go from here, the likeliest last."""
        first, placed, state = at
        found, last = self.candidates(first, placed)
        moves = []
        for i in found:
            op = self.ops[i]
            after, answers = run(state, op.commands)
            if answers is None or (not op.is_lost() and answers != op.answers):
                continue
            # What changes nothing may as well be now, and so may the end of what is gone already.
            if self.calm[i] or (op.who == "clock" and after == state):
                return [self.place(at, i, state)]
            moves.append((op.is_lost(), op.ret, self.place(at, i, after)))
        if self.ops[last].is_lost():
            moves.append((True, FOREVER, self.place(at, last, state)))  # it never took effect
        return [move[2] for move in sorted(moves, key=lambda m: m[:2], reverse=True)]

    @staticmethod
    def place(at, i, state):
        first, placed, _ = at
        placed |= 1 << (i - first)
        ones = (~placed & (placed + 1)).bit_length() - 1
        return first + ones, placed >> ones, state

    def find(self, state):
        """None where there is an order, else what stands in its way."""
        been, paths, farthest = set(), [[(0, 0, state)]], (0, 0, state)
        while paths:
            if not paths[-1]:
                paths.pop()
                continue
            at = paths[-1].pop()
            if at[0] == len(self.ops):
                return None
            if at not in been:
                been.add(at)
                farthest = max(farthest, at, key=lambda a: (a[0], a[1].bit_count()))
                paths.append(self.nexts(at))
        return self.explain(farthest)

    def explain(self, at):
        first, placed, state = at
        begin, end = max(0, first - 20), first + 20
        told = [f"{'placed' if self.is_placed(i, first, placed) else '      '} {op}"
                for i, op in list(enumerate(self.ops))[begin:end]]
        return "\n".join([f"{first} of {len(self.ops)} operations can be placed; then the state is "
                          f"{state}, and none of the next is possible:", *told])


def why_not(ops, keys=1):
    """None where the object's history is linearizable, beginning with nothing; else the reason."""
    return Search(ops).find((None,) * keys)
