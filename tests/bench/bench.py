#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""thongked beside its peers, on one machine, in alternating rounds of one run.

A server and its Redis share one core, the load has the other. Figures are medians over the rounds; ratios are to nginx
serving an empty GIF in the same round, which is what carries over to other machines. A round of a counting server
counts only if its Redis holds the acknowledged hits afterwards (and no more than were in flight besides).

    bench.py [--thongked build/thongked] [--load build/bench/load] [--rounds 5] [--seconds 3] [--only A,C,S,B,I]

I is `thongke import` beside goaccess: imports.py.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import imports
import loads
import peers

CONNECTIONS = 64
WARMUP = 0.3
SCENARIOS = {
    "A": ("load A, keep-alive", "keepalive", "a", [peers.NginxGif, peers.Thongked, peers.Webdis, peers.NginxLua]),
    "C": ("load A, a connection per hit", "close", "a",
          [peers.NginxGif, peers.Thongked, peers.Webdis, peers.NginxLua]),
    "S": ("load A, keep-alive, sync = always", "keepalive", "a", [peers.NginxGif, peers.ThongkedAlways]),
    "B": ("load B, keep-alive", "keepalive", "b", [peers.NginxGif, peers.Thongked]),
}
COLUMNS = ["server", "hits/s", "ratio", "CPU us", "Redis us", "CPU ratio", "p50 us", "p99 us", "idle MiB", "MiB",
           "calls/hit", "rounds"]


class Bench:
    def __init__(self, options):
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="bench.")

    def request_file(self, load, peer, mode):
        path = os.path.join(self.directory, f"{load}-{mode}-{'own' if peer.path else 'hit'}")
        if not os.path.exists(path):
            close = mode == "close"
            loads.write(path, loads.load_b(close) if load == "b" else loads.load_a(close, peer.path))
        return path

    def turn(self, peer, mode, file):
        """One round of one server, or None when the hits in Redis are not the acknowledged ones."""
        held, calls, (own, service) = peer.held(), peer.calls(), peer.usage()
        out = subprocess.run(
            [self.options.load, str(peer.port), file, str(CONNECTIONS), str(self.options.seconds), str(WARMUP), mode],
            check=True, capture_output=True, preexec_fn=lambda: os.sched_setaffinity(0, {peers.LOAD_CPU}),
            timeout=120).stdout
        result = json.loads(out)
        now = peer.held()  # waits until the journal is handed over: that work belongs to the round as well
        own_after, service_after = peer.usage()
        if held is not None and not result["answered"] <= now - held <= result["answered"] + CONNECTIONS:
            print(f"# {peer.name}: acknowledged {result['answered']}, in Redis {now - held}: the round does not count",
                  file=sys.stderr)
            return None
        if result["refused"] or result["broken"] > CONNECTIONS:
            print(f"# {peer.name}: {result}", file=sys.stderr)
        hits = result["answered"]
        return {"rate": result["measured"] / result["seconds"], "own": (own_after - own) / hits * 1e6,
                "service": (service_after - service) / hits * 1e6, "p50": result["p50"], "p99": result["p99"],
                "memory": peer.resident(), "calls": None if calls is None else (peer.calls() - calls) / hits}

    def scenario(self, key):
        title, mode, load, kinds = SCENARIOS[key]
        started, rounds, idle = [], {}, {}
        try:
            for n, kind in enumerate(kinds):
                peer = kind(os.path.join(self.directory, f"{key}{n}"))
                started.append(peer)
                rounds[peer.name], idle[peer.name] = [], peer.resident()
            for n in range(self.options.rounds):
                for peer in started:
                    turn = self.turn(peer, mode, self.request_file(load, peer, mode))
                    rounds[peer.name].append(turn)
                    if turn:
                        print(f"# {key} round {n} {peer.name}: {turn['rate']:.0f}/s", file=sys.stderr, flush=True)
        finally:
            for peer in started:
                peer.stop()
        self.print(title, rounds, idle)

    def print(self, title, rounds, idle):
        base = rounds[peers.NginxGif.name]
        rows = []
        for name, turns in rounds.items():
            pairs = [(t, b) for t, b in zip(turns, base) if t and b]
            if not pairs:
                rows.append([name] + ["-"] * (len(COLUMNS) - 2) + ["0"])
                continue

            def median(value, pairs=pairs):
                return statistics.median(value(t, b) for t, b in pairs)
            calls = "-" if pairs[0][0]["calls"] is None else f"{median(lambda t, b: t['calls']):.5f}"
            rows.append([
                name, f"{median(lambda t, b: t['rate']):.0f}", f"{median(lambda t, b: t['rate'] / b['rate']):.2f}",
                f"{median(lambda t, b: t['own']):.2f}", f"{median(lambda t, b: t['service']):.2f}",
                f"{median(lambda t, b: (t['own'] + t['service']) / (b['own'] + b['service'])):.2f}",
                f"{median(lambda t, b: t['p50']):.0f}", f"{median(lambda t, b: t['p99']):.0f}", f"{idle[name]:.1f}",
                f"{max(t['memory'] for t, b in pairs):.1f}", calls, f"{len(pairs)}/{len(turns)}"])
        print(f"\n{title}: {CONNECTIONS} connections, {self.options.seconds:g} s x {self.options.rounds} rounds\n")
        widths = [max(len(row[i]) for row in rows + [COLUMNS]) for i in range(len(COLUMNS))]
        for row in [COLUMNS, ["-" * w for w in widths]] + rows:
            print("| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w)
                                    for i, (c, w) in enumerate(zip(row, widths))) + " |")
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--thongked", default="build/thongked")
    parser.add_argument("--load", default="build/bench/load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--only", default=",".join([*SCENARIOS, "I"]))
    options = parser.parse_args()
    peers.Thongked.program = os.path.abspath(options.thongked)
    options.load = os.path.abspath(options.load)
    if os.cpu_count() < 2:
        sys.exit("bench: two cores are needed, one for the servers and one for the load")
    bench = Bench(options)
    try:
        for key in options.only.split(","):
            if key == "I":
                imports.scenario(bench.directory, os.path.dirname(peers.Thongked.program), options.rounds)
            else:
                bench.scenario(key)
    finally:
        shutil.rmtree(bench.directory, ignore_errors=True)


if __name__ == "__main__":
    main()
