"""Two workers against one: what sharing costs."""

import load
import peers
from figures import Bar, median, median_ratio, table
from kv_cost import WORKLOADS

PLACES = {  # where: processors of the server, of the load
    "two processors, shared with the load": ("0,1", "0,1"),
    "one processor, the load on the other": ("0", "1"),
}


def sample(run, place, part):
    """One sample a round: of one worker, and of two."""
    server_cores, load_cores = PLACES[place]
    verb, depth, requests, _ = WORKLOADS[part]
    samples = [[], []]
    with run.scratch() as (folder, stack):
        hubs = [stack.enter_context(peers.kithd(folder / f"hub-{n}", workers=n, cores=server_cores))
                for n in [1, 2]]
        for hub in hubs:
            load.fill(hub, load.KEYS)
        for n in range(run.rounds):
            for at in [n % 2, 1 - n % 2]:
                samples[at].append(
                    load.cost(hubs[at], verb, depth, requests // run.shrink, cores=load_cores))
    return samples


def workers(run):
    bars, rows = [], []
    for place in PLACES:
        for part, (_, _, _, title) in WORKLOADS.items():
            run.say(f"one worker and two, {place}: {title}")
            one, two = sample(run, place, part)
            ratio = median_ratio(two, one, "cpu")
            rows.append([f"{title}; {place}", *(f"{median(s['cpu'] for s in w):.2f}"
                                                for w in [one, two]), f"{ratio:.2f}"])
            if place == next(iter(PLACES)):
                bars.append(Bar(f"{title}: CPU of two workers, over one's", 1.15, measured=ratio))
    return bars, "### Two workers and one\n\n" + table(
        ["what, and where the server runs", "one: CPU µs", "two: CPU µs", "two over one"], rows)
