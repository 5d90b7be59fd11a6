"""Two workers against one: what sharing costs, and costs a server that does nothing else."""

import load
import peers
from figures import Bar, median, median_ratio, table
from kv_cost import WORKLOADS

PLACES = {  # where: processors of the server, of the load
    "two processors, shared with the load": ("0,1", "0,1"),
    "one processor, the load on the other": ("0", "1"),
}


def sample(run, place, part, make):
    """One sample a round: of one worker, and of two."""
    server_cores, load_cores = PLACES[place]
    verb, depth, requests, _ = WORKLOADS[part]
    samples = [[], []]
    with run.scratch() as (folder, stack):
        servers = [stack.enter_context(make(folder / f"server-{n}", workers=n,
                                            cores=server_cores))
                   for n in [1, 2]]
        for server in servers:
            load.fill(server, load.KEYS)
        for n in range(run.rounds):
            for at in [n % 2, 1 - n % 2]:
                samples[at].append(
                    load.cost(servers[at], verb, depth, requests // run.shrink, cores=load_cores))
    return samples


def compare(run, place, part, name, make):
    """Two over one, and a row of it."""
    title = WORKLOADS[part][3]
    run.say(f"one worker and two, {place}: {title}: {name}")
    one, two = sample(run, place, part, make)
    ratio = median_ratio(two, one, "cpu")
    return ratio, [name, f"{title}; {place}",
                   *(f"{median(s['cpu'] for s in w):.2f}" for w in [one, two]), f"{ratio:.2f}"]


def workers(run):
    bars, rows = [], []
    shared = next(iter(PLACES))
    for place in PLACES:
        for part, (_, _, _, title) in WORKLOADS.items():
            ratio, row = compare(run, place, part, "kithd", peers.kithd)
            rows.append(row)
            if place == shared:
                bars.append(Bar(f"{title}: CPU of two workers, over one's", 1.15, measured=ratio))
    for part, (verb, _, _, _) in WORKLOADS.items():
        if verb == "SET":  # where it does more than answer
            rows.append(compare(run, shared, part, "bare libuv, group commit",
                                peers.bare_commit)[1])
    return bars, "### Two workers and one\n\n" + table(
        ["server", "what, and where it runs", "one: CPU µs", "two: CPU µs", "two over one"], rows)
