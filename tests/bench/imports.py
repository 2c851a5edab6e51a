# SPDX-License-Identifier: BSD-2-Clause
"""`thongke import` beside goaccess, on one plain log, in alternating rounds: bots told apart and countries found by both,
both free to use every core. thongke's round begins with an empty Redis and counts only if that holds every view
afterwards; goaccess' report is a JSON file."""
import json
import os
import statistics
import subprocess
import sys
import time

import accesslog
import peers

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "lib"))
from mmdb import write_mmdb  # noqa: E402

LINES = 1_000_000
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# Of the log's addresses, in the shape that both read.
COUNTRIES = {"113.160.0.0/11": "VN", "171.224.0.0/11": "VN", "14.160.0.0/11": "VN", "203.113.0.0/16": "VN", "8.0.0.0/9": "US"}


class Redis(peers.Peer):
    def __init__(self, directory):
        super().__init__(directory)
        self.start_redis()


def seconds(command):
    start = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, timeout=600)
    return time.monotonic() - start, done.stdout


def run_thongke(directory, program, log, countries):
    """Seconds, and what it says of the lines."""
    server = Redis(directory)
    conf = server.file("thongke.conf", f"""state_dir = "{directory}"
        redis = "redis://127.0.0.1:{server.redis_port}"
        bots = "{ROOT}/conf/bots.txt"
        geoip = {{"{countries}"}}
        site "a" {{ hosts = {{"a.example"}} }}""")
    try:
        took, said = seconds([program, "-c", conf, "import", log, "--json"])
        [row] = json.loads(said)["rows"]
        held = sum(int(server.redis.hget(key, "all")) for key in server.redis.keys("thongke:{*}:a:hits"))
    finally:
        server.stop()
    return (took, row) if held == row["counted"] and row["lines"] == LINES else None


def run_goaccess(directory, log, countries):
    report = os.path.join(directory, "report.json")
    took, _ = seconds(["goaccess", "--no-global-config", "-f", log, "--log-format=COMBINED", "--ignore-crawlers",
                       f"--geoip-database={countries}", "--no-progress", "-o", report])
    with open(report, encoding="utf-8", errors="replace") as file:
        known = json.load(file)["geolocation"]["data"]
    assert {place["data"][:2] for place in known} & {"AS", "NA"}, "goaccess found no countries"
    return took


def scenario(directory, programs, rounds):
    log, countries = os.path.join(directory, "access.log"), os.path.join(directory, "countries.mmdb")
    write_mmdb(countries, COUNTRIES)
    accesslog.write(log, LINES)
    ours, theirs = [], []
    try:
        for n in range(rounds):
            turn = run_thongke(os.path.join(directory, f"I{n}"), os.path.join(programs, "thongke"), log, countries)
            other = run_goaccess(directory, log, countries)
            if not turn:
                print(f"# I round {n}: Redis does not hold every view: the round does not count", file=sys.stderr)
                continue
            ours.append(turn[0])
            theirs.append(other)
            print(f"# I round {n}: thongke {LINES / turn[0]:.0f} lines/s, goaccess {LINES / other:.0f}", file=sys.stderr,
                  flush=True)
    finally:
        os.unlink(log)
    print(f"\nAn access log of {LINES:,} lines, bots and countries on, {len(ours)}/{rounds} rounds\n")
    print("| program | lines/s | ratio |\n| ------- | ------- | ----- |")
    for name, turns in [("thongke import", ours), ("goaccess", theirs)]:
        rate = statistics.median(LINES / t for t in turns) if turns else 0
        ratio = statistics.median(b / t for t, b in zip(turns, theirs)) if turns else 0
        print(f"| {name} | {rate:.0f} | {ratio:.2f} |")
    sys.stdout.flush()
