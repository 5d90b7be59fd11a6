"""./dev bench delays: what concurrency buys. Clients that ask, each on a connection of its own for
every message, a hub that takes a while for each."""

import socket
import threading
import time

import peers
from figures import median, table
from run import machine
from svg import Chart, picture

DELAY_MS, MESSAGES = 20, 5
GIVE_UP_S = 10  # what a client waits for at most
CLIENTS = [1, 2, 4, 8, 16, 32, 64]
FORMS = {
    "one at a time": ["--one-at-a-time"],
    "one at a time, room for 128": ["--one-at-a-time", "--backlog", "128"],
    "all at once": [],
}
FIVE, ROOMY, ALL = FORMS
FOLDER = peers.ROOT / "docs/experiments"


def ask(port, text):
    """Sends a message on a new connection, and returns how many milliseconds the reply took; where
    none came, what the client waited before it gave up."""
    begin = time.monotonic()
    try:
        exchange(port, text.encode() + b"\n")
    except TimeoutError:
        return GIVE_UP_S * 1000
    return (time.monotonic() - begin) * 1000


def exchange(port, message):
    with socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP_S) as s:
        s.sendall(message)
        reply = b""
        while not reply.endswith(b"\n"):
            if not (some := s.recv(4096)):
                raise RuntimeError(f"no reply to {message}")
            reply += some
    if reply != message:
        raise RuntimeError(f"the reply to {message} is {reply}")


def in_threads(count, work):
    """What work(i) returned for each of the threads, which begin together."""
    results, start = [None] * count, threading.Barrier(count)

    def one(i):
        start.wait()
        results[i] = work(i)

    threads = [threading.Thread(target=one, args=[i]) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if None in results:
        raise RuntimeError("a client failed")
    return results


def crowd(port, clients, count):
    """So many clients ask so often: answers a second, the waits, and how often one gave up."""
    begin = time.monotonic()
    waits = in_threads(clients, lambda i: [ask(port, f"client {i} message {n}")
                                           for n in range(count)])
    seconds = time.monotonic() - begin
    flat = sorted(wait for waits_of_one in waits for wait in waits_of_one)
    lost = sum(wait >= GIVE_UP_S * 1000 for wait in flat)
    return {"rate": (len(flat) - lost) / seconds, "median": median(flat), "longest": flat[-1],
            "lost": lost}


def arrival(port):
    """Milliseconds that a message waits which arrives when another has been served for half its
    time; the median of some."""
    def pair(i):
        time.sleep(i * DELAY_MS / 2000)
        return ask(port, f"message {i}")
    return median(in_threads(2, pair)[1] for _ in range(9))


def hub(run, stack, folder, form):
    return stack.enter_context(peers.Peer(form, folder / form.replace(" ", "-"), [
        peers.build() / "kithd", "--listen", "127.0.0.1:{port}", "--data", folder / form,
        "--delay", DELAY_MS, *FORMS[form]], cores="0,1"))


def messages(run):
    """How many each client sends."""
    return -(-MESSAGES // run.hurry)


def measure(run):
    """results[form][clients], arrivals[form]"""
    results, arrivals = {}, {}
    for form in FORMS:
        with run.scratch() as (folder, stack):
            port = hub(run, stack, folder, form).port
            arrivals[form] = arrival(port)
            results[form] = {}
            for clients in CLIENTS:
                run.say(f"{form}: {clients} clients")
                results[form][clients] = crowd(port, clients, messages(run))
    return results, arrivals


def ms(value):
    return f"{value:,.0f} ms"


def answers(results, arrivals):
    """O3's questions, answered from the figures."""
    most = CLIENTS[-1]
    five, roomy, every = (results[form][most] for form in [FIVE, ROOMY, ALL])
    alone = results[ALL][1]
    return f"""**What happens to a message that arrives while another is being served?** One was sent
{ms(DELAY_MS / 2)} after another, when that had half its time before it. Served one at a time it
waited {ms(arrivals[ROOMY])}: the rest of the other's turn, then its own. Served all at once it
waited {ms(arrivals[ALL])}: its own time alone.

**What does it do to the server's throughput?** One client gets {alone['rate']:,.0f} answers a second
in the concurrent form, {results[ROOMY][1]['rate']:,.0f} in the other. {most} clients together get
{every['rate']:,.0f} from the one, {every['rate'] / alone['rate']:.0f} times as many, and
{roomy['rate']:,.0f} from the other: one message every {1000 / roomy['rate']:.0f} ms, however many
ask.

**What does it do to the client's wait?** With {most} clients, half of the messages waited
{ms(roomy['median'])} or more where they are served one at a time with room for all to queue, and
{ms(every['median'])} where they are served at once; the longest waits were {ms(roomy['longest'])}
and {ms(every['longest'])}. A queue of {most} is {most} turns long, and everybody stands in it.

**And when the queue is short?** The programs kith comes from let five clients wait (`listen(5)`),
and `--one-at-a-time` does so too. Whoever comes when five wait is turned away silently by the
kernel and asks again a second later, then after two more, and so on. With {most} clients that made
the longest wait {ms(five['longest'])}, and {five['rate']:,.0f} answers a second: the server stands
idle while clients that were turned away wait for their next try. A client gave up after
{GIVE_UP_S} seconds; {five['lost']} messages were given up so.
"""


def figures(results):
    head = ["clients"] + [f"{form}: {what}" for form in FORMS
                          for what in ["a second", "median ms", "longest ms"]]
    rows = [[clients, *(f"{results[form][clients][what]:,.0f}" for form in FORMS
                        for what in ["rate", "median", "longest"])] for clients in CLIENTS]
    return table(head, rows)


def draw(results):
    def series(what):
        return [(form, [results[form][c][what] for c in CLIENTS]) for form in FORMS]
    return picture([Chart("Messages answered a second", "clients", CLIENTS, series("rate")),
                    Chart("A client's longest wait, ms", "clients", CLIENTS, series("longest"))])


def compose(results, arrivals, messages):
    facts = "".join(f"- {line}\n" for line in machine())
    return f"""# What concurrency buys

Written by `./dev bench delays`. A hub answers each message {DELAY_MS} ms later (`--delay {DELAY_MS}`).
1, 2, 4 … {CLIENTS[-1]} clients ask it, each {messages} times, one message after another, on a new
connection each time, as an echo client does. The hub serves one connection at a time
(`--one-at-a-time`), the same with room for 128 clients to wait, or all at once. A wait is from
dialing to the reply, or to giving up after {GIVE_UP_S} seconds.

![messages a second, and the longest wait, by the number of clients](delays.svg)

{answers(results, arrivals)}
## The figures

{figures(results)}
{facts}"""


def main(run, writes):
    results, arrivals = measure(run)
    document = compose(results, arrivals, messages(run))
    print(document)
    if writes:
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "delays.md").write_text(document)
        (FOLDER / "delays.svg").write_text(draw(results))
        run.say(f"written to {FOLDER}/delays.md and delays.svg")
