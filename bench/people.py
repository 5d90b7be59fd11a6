"""./dev bench people [PART...]: members of a hub, what they cost and how they meet and talk, beside
openssl's own server and ngircd, and every bar it has to clear."""

import people_load as load
import peers
from document import publish
from figures import Bar, median, median_of, median_ratio, table
from run import first_line, machine

DOCUMENT = peers.ROOT / "docs/bench-people.md"
AT_ONCE = 64
MEMBERS, IRC_MEMBERS = 10_000, 5_000

HEAD = """# What people cost

Written by `./dev bench people`: all of it measured in one run, side by side. The server runs on one
processor, with one worker; the load on another, over loopback. Everything is TLS 1.3 with Ed25519
certificates. CPU is what the kernel accounts to all threads of the server. Absolute figures drift
from machine to machine and hour to hour; ratios, taken round by round with the servers taking turns,
hold: what stands here is their median.

- *A login* at kithd is a new connection, a full handshake in which both ends show a certificate, the
  device's key found among the accounts', LOGIN, and its answer: present from then on, which all others
  who are present are told. At ngircd it is a handshake without a client's certificate, NICK and USER, and
  the welcome; nobody is told.
- *A handshake of openssl* is what `openssl s_time -new` counts at `openssl s_server`, with a client's
  certificate. It says nothing over the connection, and does not wait for an answer.
- *An introduction* is from MEET to the first text heard over the direct session of the two: the
  invitation, its acceptance, what both are told, two connections (both dial) with mutual TLS, the proof,
  the nomination. Both are in one process.
- *Talk* is of texts of 32 bytes. Over a session each is numbered, kept until acknowledged, and marked as
  shown; both ends are processes of their own, on a processor each. ngircd passes a PRIVMSG on from one
  connection to another; the server is on one processor, both clients on the other.
- ngircd limits nothing here (penalties, connections an address), and looks nothing up.

"""


def present(hub):
    """How many names GET_CLIENT_LIST has."""
    with hub.connect() as s:
        s.sendall(peers.command("GET_CLIENT_LIST"))
        answer = b""
        while not answer.endswith(b"\r\n"):
            answer += s.recv(1 << 20)
    return answer.count(b",") + 1 if b"<>" not in answer else 0


def crowd_of(run, make, count, expect_present):
    """What so many who are logged in at once cost: of each of them."""
    with run.scratch() as (folder, stack):
        peer = stack.enter_context(make(folder / "peer"))
        run.say(f"{count} logged in at once: {peer.name}")
        before, cpu = peer.memory(), peer.cpu_ns()
        with load.Crowd(peer, "hold", count, AT_ONCE) as crowd:
            seen = crowd.log_in()
            peer.rest()
            if expect_present and present(peer) != count:
                raise RuntimeError(f"{present(peer)} are present, not {count}")
            return {"memory": (peer.memory() - before) / count, "rate": seen["rate"],
                    "cpu": (peer.cpu_ns() - cpu) / 1000 / count}


def members(run):
    counts = [MEMBERS // run.shrink, IRC_MEMBERS // run.shrink]
    ours = crowd_of(run, peers.hub_of(counts[0]), counts[0], True)
    theirs = crowd_of(run, peers.ngircd, counts[1], False)
    rows = [[name, f"{count:,}", f"{m['memory'] / 1024:.1f}", f"{m['rate']:.0f}", f"{m['cpu']:.0f}"]
            for name, count, m in [("kithd", counts[0], ours), ("ngircd", counts[1], theirs)]]
    text = ("### Logged in at once over TLS\n\n" + table(
        ["server", "connections", "KiB of user memory each", "logins a second", "CPU µs each"], rows)
        + f"\n{AT_ONCE} logins are under way at once. kithd tells each of the {counts[0]:,} of all that "
          "come after it, as they come, and that is in its figures. Memory is measured when all have "
          "been told and nothing is under way.\n")
    return [Bar(f"{counts[0]:,} members logged in at once over TLS: user memory each", 20, unit=" KiB",
                digits=1, measured=ours["memory"] / 1024)], text


OPENSSL, KITHD, NGIRCD = range(3)


def logins(run):
    """One at a time, as s_time does; and 16 at once, which it cannot."""
    count, seconds = 3000 // run.shrink, 3 if run.shrink == 1 else 1
    one, many = [[], [], []], [[], [], []]
    with run.scratch() as (folder, stack):
        servers = [stack.enter_context(make(folder / f"peer-{i}")) for i, make in enumerate(
            [peers.s_server, peers.hub_of(256), peers.ngircd])]
        for n in range(run.rounds):
            run.say(f"round {n + 1} of {run.rounds}: logins")
            for i in range(len(servers)):
                at = (i + n) % len(servers)
                if at == OPENSSL:
                    one[at].append(load.handshakes(servers[at], seconds))
                    continue
                one[at].append(load.logins(servers[at], count, 1))
                many[at].append(load.logins(servers[at], count, 16))
    return [Bar("Device logins a second, over the handshakes of openssl s_time", at_least=0.8,
                measured=median_ratio(one[KITHD], one[OPENSSL], "rate"))], logins_text(
                    servers, one, many)


def logins_text(servers, one, many):
    rows = []
    for at, server in enumerate(servers):
        m = median_of(one[at])
        rows.append([server.name, f"{m['rate']:.0f}",
                     f"{median_ratio(one[at], one[OPENSSL], 'rate'):.2f}", f"{m['cpu']:.0f}",
                     f"{median_ratio(one[at], one[OPENSSL], 'cpu'):.2f}",
                     f"{median_of(many[at])['rate']:.0f}" if many[at] else "-",
                     f"{median_of(many[at])['cpu']:.0f}" if many[at] else "-"])
    return "### Logins, and handshakes of openssl\n\n" + table(
        ["server", "a second, one at a time", "× openssl", "CPU µs", "× openssl", "16 at once",
         "CPU µs"], rows)


def meeting(run):
    count = 100 // run.shrink
    with run.scratch() as (folder, stack):
        hub = stack.enter_context(peers.hub_of(2)(folder / "peer"))
        run.say(f"{count} introductions")
        times = sorted(load.meetings(hub, count))
    text = f"### {count} introductions, both on loopback\n\n" + table(
        ["", "ms"], [["shortest", f"{times[0]:.2f}"], ["median", f"{median(times):.2f}"],
                     ["longest", f"{times[-1]:.2f}"]])
    return [Bar("An introduction, from the request to the first text heard, median", 10, unit=" ms",
                measured=median(times))], text


def talk(run):
    count, irc_count = 1_000_000 // run.shrink, 50_000 // run.shrink
    ours, theirs = [], []
    with run.scratch() as (folder, stack):
        server = stack.enter_context(peers.ngircd(folder / "peer"))
        for n in range(run.rounds):
            run.say(f"round {n + 1} of {run.rounds}: talk")
            ours.append(load.talk(count))
            theirs.append(load.irc_talk(server, irc_count))
    rows = [[name, f"{m['rate'] / 1000:.0f}", f"{m['cpu']:.2f}", whose] for name, m, whose in [
        ("a session of two devices", median_of(ours), "both ends'"),
        ("ngircd", median_of(theirs), "the server's alone")]]
    text = "### Talk: texts of 32 bytes\n\n" + table(
        ["through", "1000 a second", "CPU µs each", "whose"], rows)
    return [Bar("Talk over a session: thousands of short texts a second", at_least=100, digits=0,
                measured=median_of(ours)["rate"] / 1000)], text


PARTS = {"members": members, "logins": logins, "meeting": meeting, "talk": talk}
NAMES = list(PARTS)


def where():
    return machine([first_line("openssl", "version").split(" (")[0],
                    first_line("/usr/sbin/ngircd", "--version").split("-")[0]])


def main(run, names, writes):
    publish(run, PARTS, names, HEAD, where, DOCUMENT if writes else None)
