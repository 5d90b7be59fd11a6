"""What one operation costs, beside the peers, in one run."""

import load
import peers
from figures import Bar, median_of, median_ratio, table

WORKLOADS = {  # part: verb, depth of the pipeline, requests of one run, title
    "get-single": ("GET", 1, 70_000, "GET one at a time"),
    "get-pipe": ("GET", 16, 700_000, "GET in pipelines of 16"),
    "set-single": ("SET", 1, 70_000, "SET one at a time"),
    "set-pipe": ("SET", 16, 700_000, "SET in pipelines of 16"),
}

COMMIT, SECOND, REDIS, ALWAYS, FLOOR, COMMITTER = range(6)


def start(folder, stack):
    """The peers, in the order of the names above; ended with the stack."""
    makers = [lambda f: peers.kithd(f), lambda f: peers.kithd(f, "second"), peers.redis,
              lambda f: peers.redis(f, "always"), peers.bare_answer, peers.bare_commit]
    return [stack.enter_context(make(folder / f"peer-{i}")) for i, make in enumerate(makers)]


def sample(parts, servers, run):
    """samples[part][peer]: one a round. The peers take turns within a round, and each round
    begins with another one, so that nobody always comes first."""
    samples = {part: [[] for _ in servers] for part in parts}
    for n in range(run.rounds):
        for part in parts:
            verb, depth, requests, title = WORKLOADS[part]
            run.say(f"round {n + 1} of {run.rounds}: {title}")
            for i in range(len(servers)):
                at = (i + n) % len(servers)
                samples[part][at].append(
                    load.cost(servers[at], verb, depth, requests // run.shrink))
    return samples


def bars(part, of):
    """The bars of a workload; of[peer] are its samples, round by round."""
    def cpu(one, other):
        return median_ratio(of[one], of[other], "cpu")

    def rate(one, other):
        return median_ratio(of[one], of[other], "rate")

    title = WORKLOADS[part][3]
    return {
        "get-single": lambda: [
            Bar(f"{title}: CPU, over the floor's", 1.12, measured=cpu(COMMIT, FLOOR))],
        "get-pipe": lambda: [
            Bar(f"{title}: CPU, over Redis'", 0.65, measured=cpu(COMMIT, REDIS))],
        "set-single": lambda: [
            Bar(f"{title}, durable within a second: CPU, over the floor's", 1.15,
                measured=cpu(SECOND, FLOOR)),
            Bar(f"{title}, durable: throughput, over the bare committer's", at_least=0.93,
                measured=rate(COMMIT, COMMITTER)),
            Bar(f"{title}, durable: CPU, over the bare committer's", 1.15,
                measured=cpu(COMMIT, COMMITTER))],
        "set-pipe": lambda: [
            Bar(f"{title}, durable within a second: CPU, over Redis' without persistence", 0.65,
                measured=cpu(SECOND, REDIS)),
            Bar(f"{title}, durable: throughput, over Redis' with appendfsync always",
                at_least=2.5, measured=rate(COMMIT, ALWAYS)),
            Bar(f"{title}, durable: CPU, over Redis' without persistence", 0.7,
                measured=cpu(COMMIT, REDIS))],
    }[part]()


def rows(servers, of):
    for i, server in enumerate(servers):
        m = median_of(of[i])
        yield [server.name, f"{m['cpu']:.2f}", f"{median_ratio(of[i], of[FLOOR], 'cpu'):.2f}",
               f"{m['rate'] / 1000:.0f}", f"{m['p50']:.3f}", f"{m['p99']:.3f}",
               f"{m['p999']:.3f}"]


def measure(run, parts):
    """The bars and the text of these workloads."""
    with run.scratch() as (folder, stack):
        servers = start(folder, stack)
        for server in servers:
            load.fill(server, load.KEYS)
        samples = sample(parts, servers, run)
    head = ["server", "CPU µs", "× floor", "1000 a second", "p50 ms", "p99 ms", "p99.9 ms"]
    text = "\n".join(f"### {WORKLOADS[part][3]}\n\n{table(head, rows(servers, samples[part]))}"
                     for part in parts)
    return [bar for part in parts for bar in bars(part, samples[part])], text
