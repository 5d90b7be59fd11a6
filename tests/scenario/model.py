"""A hub, plain and obvious: what each command answers, what it changes, and what is told of it.

Keys and values are bytes. A time is known as well as a client can know it: the hub's clock showed
something between the moment before a question and the moment after its answer. So an entry ends
somewhere between two moments, which are one where the time was given as such, or has been asked for."""

import fractions
import re

KEY_BYTES, VALUE_BYTES = 64 * 1024, 64 << 20
TOO_LARGE = "ERR a key is 1 byte to 64 KiB, a value at most 64 MiB, and one command at most 65 MiB"
NOT_AN_INTEGER = "ERR value is not an integer or out of range"
SYNTAX = "ERR syntax error"
INT64_MIN, INT64_MAX = -2**63, 2**63 - 1


class Refusal(Exception):
    """What a command answers that is not done."""


class Unable(Exception):
    """What makes a command impossible, and the whole transaction it is in."""


class Between:
    """A number of which only so much is known."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def __repr__(self):
        return f"{self.low} to {self.high}"


class Unordered(list):
    """An answer whose order does not count."""


class Entry:
    """A value that ends between the two moments `until`, or never."""

    def __init__(self, value, until, version):
        self.value, self.until, self.version = value, until, version


class Session:
    """A connection."""

    def __init__(self):
        self.name = None
        self.full = False  # how it answers in text
        self.end_transaction()

    def end_transaction(self):
        self.queue, self.is_spoiled, self.watched = None, False, []
        self.came = False  # a key it watches that was missing has been seen by it


def agrees(expected, answer):
    if isinstance(expected, Between):
        return isinstance(answer, int) and expected.low <= answer <= expected.high
    if isinstance(expected, Unordered):
        return isinstance(answer, list) and sorted(map(text, expected)) == sorted(answer)
    if isinstance(expected, list):
        return (isinstance(answer, list) and len(expected) == len(answer) and
                all(map(agrees, expected, answer)))
    return text(expected) == answer


def text(answer):
    """Answers come as text."""
    return answer.decode(errors="surrogateescape") if isinstance(answer, bytes) else answer


def integer(word):
    """As Redis reads one: no blanks, no plus, no zeros before it."""
    if not re.fullmatch(rb"0|-?[1-9][0-9]*", word) or not INT64_MIN <= int(word) <= INT64_MAX:
        raise Refusal(NOT_AN_INTEGER)
    return int(word)


def fraction(word):
    if re.fullmatch(rb"[-+]?inf", word):
        raise Refusal("ERR increment would produce NaN or Infinity")
    if not re.fullmatch(rb"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?", word):
        raise Refusal("ERR value is not a valid float")
    return fractions.Fraction(word.decode())


def pattern(glob):
    """A regular expression for a pattern of * ? and [sets]."""
    return re.compile(b"".join({b"*": b".*", b"?": b"."}.get(part, part if part[:1] == b"[" else
                                                            re.escape(part))
                               for part in re.findall(rb"\[[^]]*\]|.", glob, re.S)), re.S)


class Model:
    def __init__(self):
        self.table = {}
        self.name = None
        self.version = 0
        self.changes = []  # what followers are told: (kind, key, value)
        self.expired = []  # keys whose end they are told of, or not, if another change comes first
        self.unswept = set()  # keys that have ended and may still be counted

    # ---- time

    def expire(self, before, after):
        """It is now between these."""
        self.before, self.after = before, after
        for key, entry in list(self.table.items()):
            if entry.until and not self.is_after(entry.until):
                del self.table[key]
                self.expired.append(key)
                self.unswept.add(key)

    def is_after(self, moment):
        """Is the moment still to come? It must be far enough away to tell."""
        low, high = moment
        if low - self.before == high - self.after:
            return low > self.before  # so long from now, whenever that is
        assert high <= self.before or low > self.after, ("too close to tell", moment, self.after)
        return low > self.after

    def ends_soon(self, ms):
        """When everything that ends within the time has ended; 0: nothing does."""
        return max((e.until[1] for e in self.table.values() if e.until and e.until[1] < self.after + ms),
                   default=0)

    def unsure(self):
        """Keys of which it is not known when they end."""
        return [key for key, e in self.table.items() if e.until and e.until[0] != e.until[1]]

    # ---- changing

    def put(self, key, value, until=None):
        if len(value) > VALUE_BYTES:
            raise Unable
        self.version += 1
        self.table[key] = Entry(value, until, self.version)
        self.written.add(key)

    def remove(self, key):
        self.written.add(key)
        return self.table.pop(key, None)

    def put_or_end(self, key, value, until):
        """What ends at a moment that has passed is gone."""
        if until and not self.is_after(until):
            self.remove(key)
        else:
            self.put(key, value, until)

    def value(self, key):
        return self.table[key].value if key in self.table else None

    def until(self, key):
        return self.table[key].until if key in self.table else None

    # ---- asking

    def ask(self, session, words, before, after):
        """What a command answers that was sent and answered between these times."""
        self.expire(before, after)
        name = words[0].decode(errors="replace").upper()
        try:
            if name not in COMMANDS:
                raise Refusal(f"ERR unknown command '{words[0].decode()}'")
            arity = COMMANDS[name][0]
            if len(words) < -arity if arity < 0 else len(words) != arity:
                raise Refusal(wrong_number(words))
        except Refusal as refusal:
            session.is_spoiled |= session.queue is not None
            return f"-{refusal}"
        try:
            if session.queue is None or name in AT_ONCE:
                return self.run(session, name, words)
            if not COMMANDS[name][1] and name not in IN_TRANSACTIONS:
                session.is_spoiled = True
                raise Refusal(f"ERR not possible within a transaction: '{words[0].decode()}'")
            session.queue.append((name, words))
            return "QUEUED"
        except Refusal as refusal:
            return f"-{refusal}"

    def run(self, session, name, words):
        if name == "EXEC":
            return self.exec(session)
        keys = keys_of(name, words)
        if name != "WATCH" and all(1 <= len(key) <= KEY_BYTES for key in keys):
            session.came |= any(key in self.table and (key, 0) in session.watched for key in keys)
        return self.as_one(keys, lambda: self.call(session, name, words))

    def as_one(self, keys, what):
        """Runs it, then tells what has become of the keys."""
        if not all(1 <= len(key) <= KEY_BYTES for key in keys):
            raise Refusal(TOO_LARGE)
        self.unswept -= set(keys)
        were = {key: self.table[key] for key in keys if key in self.table}
        self.written = set()
        try:
            return what()
        except Unable:
            for key in self.written:
                self.table.pop(key, None)
            self.table.update(were)
            self.written = set()
            raise Refusal(TOO_LARGE) from None
        finally:
            for key in dict.fromkeys(keys):
                if key in self.written and key in self.table:
                    self.changes.append(("set", key, self.value(key)))
                elif key in self.written and key in were:
                    self.changes.append(("del", key, None))

    def call(self, session, name, words):
        return COMMANDS[name][2](self, session, *words[1:])

    def exec(self, session):
        if session.queue is None:
            raise Refusal("ERR EXEC without MULTI")
        queue, watched, is_spoiled = session.queue, session.watched, session.is_spoiled
        came = session.came
        session.end_transaction()
        if is_spoiled:
            raise Refusal("EXECABORT Transaction discarded because of previous errors.")
        keys = [key for name, words in queue for key in keys_of(name, words)] + [key for key, _ in watched]
        return self.as_one(keys, lambda: self.run_all(session, queue, watched, came))

    def run_all(self, session, queue, watched, came):
        if came or any(self.version_of(key) != version for key, version in watched):
            return None
        answers = []
        for name, words in queue:
            try:
                answers.append(self.call(session, name, words))
            except Refusal as refusal:
                answers.append(f"-{refusal}")
        return answers

    def version_of(self, key):
        return self.table[key].version if key in self.table else 0

    # ---- text

    def ask_text(self, session, line, before, after):
        """What a line of text is answered."""
        self.expire(before, after)
        word, _, rest = line.partition(b" ")
        if word == b"STORE":
            return self.store_text(session, rest)
        if word == b"GET":
            return self.get_text(session, rest.strip())
        if line in (b"REPLIES full", b"REPLIES terse"):
            session.full = line.endswith(b"full")
            return line[8:]
        if line.startswith(b"NAME=") and re.fullmatch(rb"[!-~]([ -~]{,62}[!-~])?", line[5:]):
            self.name = line[5:]
            return self.name
        return line

    def store_text(self, session, rest):
        key, equals, value = (part.strip() for part in rest.partition(b"="))
        problem = ("there is no '=' between key and value" if not equals else
                   "there is no key" if not key else
                   "the key is more than one word" if b" " in key else
                   "the value is empty" if not value else None)
        if problem:
            return b"Not Saved for key:%s: %s" % (key, problem.encode()) if session.full else b"0"
        said = self.as_one([key], lambda: self.call(session, "STORE", [b"STORE", key, value]))
        if not session.full:
            return b"1"
        return (b"Saved" if said == "Saved" else b"Update") + b" Successfully for key:" + key

    def get_text(self, session, key):
        if b" " in key or not key:
            value = None
        else:
            self.unswept.discard(key)
            value = self.value(key)
        if value is None:
            return b"Invalid Key:" + key if session.full else b"ERROR"
        return b"ERROR" if not value or set(value) & set(b"\r\n\0") else value


def wrong_number(words):
    return f"ERR wrong number of arguments for '{words[0].decode().lower()}' command"


# ---- the commands: arity as Redis has it, which words are keys, and what they do

COMMANDS = {}
AT_ONCE = {"MULTI", "EXEC", "DISCARD", "WATCH"}
IN_TRANSACTIONS = {"PING", "ECHO", "SELECT", "UNWATCH"}
FIRST, FIRST_TWO, ALL, PAIRS = slice(1, 2), slice(1, 3), slice(1, None), slice(1, None, 2)


def command(name, arity, keys=None):
    def add(function):
        COMMANDS[name] = arity, keys, function
        return function
    return add


def keys_of(name, words):
    keys = COMMANDS[name][1]
    return words[keys] if keys else []


# -- values

command("GET", 2, FIRST)(lambda m, s, key: m.value(key))
command("STRLEN", 2, FIRST)(lambda m, s, key: len(m.value(key) or b""))
command("TYPE", 2, FIRST)(lambda m, s, key: "string" if key in m.table else "none")
command("MGET", -2, ALL)(lambda m, s, *keys: [m.value(key) for key in keys])
for name in ("EXISTS", "TOUCH"):
    command(name, -2, ALL)(lambda m, s, *keys: sum(key in m.table for key in keys))
for name in ("DEL", "UNLINK"):
    command(name, -2, ALL)(lambda m, s, *keys: sum(m.remove(key) is not None for key in keys))


def set_options(m, name, words, keep):
    """The condition, whether the old value is asked for, and when it ends: none, moments, or
    the word that says it."""
    words, condition, get, end = list(words), None, False, None
    while words:
        word = words.pop(0).upper()
        if word in (b"NX", b"XX") and not condition:
            condition = word, None
        elif word == b"IFEQ" and not condition and words:
            condition = word, words.pop(0)
        elif word == b"GET":
            get = True
        elif not end:
            end = end_option(word, words, keep)
        else:
            raise Refusal(SYNTAX)
    return condition, get, moment_of(m, name, end)


def end_option(word, words, bare):
    if word == bare:
        return word, None
    if word in (b"EX", b"PX", b"EXAT", b"PXAT") and words:
        return word, words.pop(0)
    raise Refusal(SYNTAX)


def moment_of(m, name, end):
    if not end or end[1] is None:
        return end and end[0]
    unit, number = 1 if end[0][:1] == b"P" else 1000, integer(end[1])
    if number <= 0:
        raise Refusal(f"ERR invalid expire time in '{name}' command")
    return moment(m, name, number, unit, end[0].endswith(b"AT"))


def moment(m, name, number, unit, is_absolute):
    low = number * unit + (0 if is_absolute else m.before)
    high = number * unit + (0 if is_absolute else m.after)
    if not INT64_MIN <= number * unit <= INT64_MAX or not INT64_MIN <= high <= INT64_MAX:
        raise Refusal(f"ERR invalid expire time in '{name}' command")
    return low, high


def holds(m, condition, key):
    what, value = condition or (None, None)
    return {None: True, b"NX": key not in m.table, b"XX": key in m.table,
            b"IFEQ": key in m.table and m.value(key) == value}[what]


def set_if(m, condition, key, value, end):
    if not holds(m, condition, key):
        return False
    m.put_or_end(key, value, m.until(key) if end == b"KEEPTTL" else end)
    return True


@command("SET", -3, FIRST)
def _(m, s, key, value, *options):
    condition, get, end = set_options(m, "set", options, b"KEEPTTL")
    old = m.value(key)
    done = set_if(m, condition, key, value, end)
    return old if get else "OK" if done else None


@command("STORE", -3, FIRST)
def _(m, s, key, value, *options):
    condition, get, end = set_options(m, "store", options, b"KEEPTTL")
    if get:
        raise Refusal(SYNTAX)
    was = key in m.table
    return ("Updated" if was else "Saved") if set_if(m, condition, key, value, end) else None


command("SETNX", 3, FIRST)(lambda m, s, key, value: int(set_if(m, (b"NX", None), key, value, None)))


@command("GETSET", 3, FIRST)
def _(m, s, key, value):
    old = m.value(key)
    m.put(key, value)
    return old


def set_ending(name, unit):
    def run(m, s, key, number, value):
        if integer(number) <= 0:
            raise Refusal(f"ERR invalid expire time in '{name}' command")
        m.put(key, value, moment(m, name, int(number), unit, False))
        return "OK"
    command(name.upper(), 4, FIRST)(run)


set_ending("setex", 1000)
set_ending("psetex", 1)


@command("GETDEL", 2, FIRST)
def _(m, s, key):
    old = m.value(key)
    m.remove(key)
    return old


@command("DELIFEQ", 3, FIRST)
def _(m, s, key, value):
    equal = m.value(key) == value
    if equal:
        m.remove(key)
    return int(equal)


@command("GETEX", -2, FIRST)
def _(m, s, key, *options):
    words, end = [*options], None
    while words:
        word = words.pop(0).upper()
        if end:
            raise Refusal(SYNTAX)
        end = end_option(word, words, b"PERSIST")
    end, old = moment_of(m, "getex", end), m.value(key)
    if old is not None and end:
        m.put_or_end(key, old, None if end == b"PERSIST" else end)
    return old


@command("MSET", -3, PAIRS)
def _(m, s, *words):
    if len(words) % 2:
        raise Refusal(wrong_number([b"mset"]))
    for key, value in zip(words[::2], words[1::2]):
        m.put(key, value)
    return "OK"


@command("MSETNX", -3, PAIRS)
def _(m, s, *words):
    if len(words) % 2:
        raise Refusal(wrong_number([b"msetnx"]))
    if any(key in m.table for key in words[::2]):
        return 0
    for key, value in zip(words[::2], words[1::2]):
        m.put(key, value)
    return 1


def move(m, old, new):
    if old not in m.table:
        raise Refusal("ERR no such key")
    if old != new:
        m.put(new, m.value(old), m.until(old))
        m.remove(old)
    return "OK"


command("RENAME", 3, FIRST_TWO)(lambda m, s, old, new: move(m, old, new))


@command("RENAMENX", 3, FIRST_TWO)
def _(m, s, old, new):
    if old in m.table and new in m.table:
        return 0
    move(m, old, new)
    return 1


@command("COPY", -3, FIRST_TWO)
def _(m, s, old, new, *options):
    if options and [o.upper() for o in options] != [b"REPLACE"]:
        raise Refusal(SYNTAX)
    if old == new:
        raise Refusal("ERR source and destination objects are the same")
    if old not in m.table or (new in m.table and not options):
        return 0
    m.put(new, m.value(old), m.until(old))
    return 1


# -- numbers, and parts

def add(m, key, amount):
    total = integer(m.value(key)) if key in m.table else 0
    if not INT64_MIN <= total + amount <= INT64_MAX:
        raise Refusal("ERR increment or decrement would overflow")
    m.put(key, b"%d" % (total + amount), m.until(key))
    return total + amount


command("INCR", 2, FIRST)(lambda m, s, key: add(m, key, 1))
command("DECR", 2, FIRST)(lambda m, s, key: add(m, key, -1))
command("INCRBY", 3, FIRST)(lambda m, s, key, amount: add(m, key, integer(amount)))


@command("DECRBY", 3, FIRST)
def _(m, s, key, amount):
    if integer(amount) == INT64_MIN:
        raise Refusal("ERR decrement would overflow")
    return add(m, key, -int(amount))


@command("INCRBYFLOAT", 3, FIRST)
def _(m, s, key, amount):
    total = (fraction(m.value(key)) if key in m.table else 0) + fraction(amount)
    digits = f"{float(total):.17f}".rstrip("0").rstrip(".").encode()
    m.put(key, b"0" if digits == b"-0" else digits, m.until(key))
    return m.value(key)


@command("APPEND", 3, FIRST)
def _(m, s, key, suffix):
    m.put(key, (m.value(key) or b"") + suffix, m.until(key))
    return len(m.value(key))


@command("SETRANGE", 4, FIRST)
def _(m, s, key, offset, part):
    old, offset = m.value(key) or b"", integer(offset)
    if offset < 0:
        raise Refusal("ERR offset is out of range")
    if part:
        if offset + len(part) > VALUE_BYTES:
            raise Unable
        m.put(key, old[:offset].ljust(offset, b"\0") + part + old[offset + len(part):], m.until(key))
        return len(m.value(key))
    return len(old)


@command("GETRANGE", 4, FIRST)
def _(m, s, key, start, end):
    value, start, end = m.value(key) or b"", integer(start), integer(end)
    if start < 0 and end < 0 and start > end:
        return b""
    start, end = (max(i + len(value), 0) if i < 0 else i for i in (start, end))
    return value[start:end + 1]


# -- ends

def expire(name, unit, is_absolute):
    def run(m, s, key, number, *words):
        allowed = {b"NX", b"XX", b"GT", b"LT"}
        for word in words:
            if word.upper() not in allowed:
                raise Refusal(f"ERR Unsupported option '{word.decode()}'")
        conditions = {word.upper() for word in words}
        if b"NX" in conditions and len(conditions) > 1:
            raise Refusal("ERR NX and XX, GT or LT options at the same time are not compatible")
        if {b"GT", b"LT"} <= conditions:
            raise Refusal("ERR GT and LT options at the same time are not compatible")
        at = moment(m, name, integer(number), unit, is_absolute)
        if key not in m.table or not all(ends_if(c, m.until(key), at) for c in conditions):
            return 0
        m.put_or_end(key, m.value(key), at)
        return 1
    command(name.upper(), -3, FIRST)(run)


def ends_if(condition, old, new):
    if condition in (b"NX", b"XX"):
        return bool(old) == (condition == b"XX")
    if not old:
        return condition == b"LT"
    assert old == new or old[1] < new[0] or new[1] < old[0], ("too close to tell", old, new)
    return new > old if condition == b"GT" else new < old


expire("expire", 1000, False)
expire("pexpire", 1, False)
expire("expireat", 1000, True)
expire("pexpireat", 1, True)


def ask_end(name, unit, is_absolute):
    def run(m, s, key):
        if not m.until(key):
            return -1 if key in m.table else -2
        low, high = m.until(key)
        if not is_absolute:
            low, high = low - m.after, high - m.before
        return Between((low + unit // 2) // unit, (high + unit // 2) // unit)
    command(name, 2, FIRST)(run)


ask_end("TTL", 1000, False)
ask_end("PTTL", 1, False)
ask_end("EXPIRETIME", 1000, True)
ask_end("PEXPIRETIME", 1, True)


@command("PERSIST", 2, FIRST)
def _(m, s, key):
    if not m.until(key):
        return 0
    m.put(key, m.value(key))
    return 1


# -- the whole table

command("DBSIZE", 1)(lambda m, s: Between(len(m.table), len(m.table) + len(m.unswept - set(m.table))))
command("KEYS", 2)(lambda m, s, glob: Unordered(k for k in m.table if pattern(glob).fullmatch(k)))


@command("SCAN", -2)
def _(m, s, cursor, *options):
    """All that it brings from the beginning to the end."""
    if not re.fullmatch(rb"0|[1-9][0-9]*", cursor):
        raise Refusal("ERR invalid cursor")
    glob, wanted = b"*", b"string"
    for word, value in zip(options[::2], [*options[1::2], None]):
        if value is None or word.upper() not in (b"MATCH", b"COUNT", b"TYPE"):
            raise Refusal(SYNTAX)
        if word.upper() == b"COUNT" and integer(value) <= 0:
            raise Refusal(SYNTAX if value == b"0" else NOT_AN_INTEGER)
        glob = value if word.upper() == b"MATCH" else glob
        wanted = value if word.upper() == b"TYPE" else wanted
    return Unordered(k for k in m.table if wanted == b"string" and pattern(glob).fullmatch(k))


def flush(m, s, *how):
    if len(how) > 1 or (how and how[0].upper() not in (b"SYNC", b"ASYNC")):
        raise Refusal(SYNTAX)
    m.table.clear()
    m.unswept.clear()
    m.changes.append(("flush", None, None))
    return "OK"


command("FLUSHDB", -1)(flush)
command("FLUSHALL", -1)(flush)


# -- transactions

@command("MULTI", 1)
def _(m, s):
    if s.queue is not None:
        raise Refusal("ERR MULTI calls can not be nested")
    s.queue = []
    return "OK"


command("EXEC", 1)(None)


@command("DISCARD", 1)
def _(m, s):
    if s.queue is None:
        raise Refusal("ERR DISCARD without MULTI")
    s.end_transaction()
    return "OK"


@command("WATCH", -2)
def _(m, s, *keys):
    if s.queue is not None:
        raise Refusal("ERR WATCH inside MULTI is not allowed")
    for key in keys:
        if not 1 <= len(key) <= KEY_BYTES:
            raise Refusal(TOO_LARGE)
        m.unswept.discard(key)
        s.watched.append((key, m.version_of(key)))
    return "OK"


@command("UNWATCH", 1)
def _(m, s):
    s.watched, s.came = [], False
    return "OK"


# -- the rest

@command("PING", -1)
def _(m, s, *message):
    if len(message) > 1:
        raise Refusal(wrong_number([b"ping"]))
    return message[0] if message else "PONG"


command("ECHO", 2)(lambda m, s, message: message)


@command("SELECT", 2)
def _(m, s, index):
    if integer(index) != 0:
        raise Refusal("ERR DB index is out of range")
    return "OK"


@command("NAME", -1)
def _(m, s, *name):
    if len(name) > 1:
        raise Refusal(wrong_number([b"name"]))
    if name and not re.fullmatch(rb"[!-~]([ -~]{,62}[!-~])?", name[0]):
        raise Refusal("ERR a name is 1 to 64 bytes of UTF-8 without control characters, not blank "
                      "at its ends")
    m.name = name[0] if name else m.name
    return m.name


@command("CLIENT", -2)
def _(m, s, what, *words):
    if what.upper() == b"GETNAME" and not words:
        return s.name
    if what.upper() == b"SETNAME" and len(words) == 1:
        s.name = words[0]
        return "OK"
    raise Refusal(f"ERR unknown subcommand or wrong number of arguments for '{what.decode()}'")


command("PUBLISH", 3)(lambda m, s, channel, message: 0)  # nobody has subscribed
