#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What Redis' memory a year of a site takes, at so many hits a day: site_year.py build/bench/site_year 1000 100000

The year is written as thongked writes it, in minutes instead of months; what would have expired meanwhile is removed
here. Prints the sum and what the kinds of keys have of it.
"""
import collections
import datetime
import os
import re
import subprocess
import sys
import tempfile
import time

import redis

KEPT_UNIQUE = datetime.date(2025, 12, 29)  # journal.retain and two days before the year's end


def measure(program, hits, directory):
    socket = os.path.join(directory, "r.sock")
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket, "--dir", directory, "--save", ""],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(socket):
            time.sleep(0.01)
        client = redis.Redis(unix_socket_path=socket, decode_responses=True)
        empty = client.info("memory")["used_memory"]
        start = time.monotonic()
        subprocess.run([program, f"unix:{socket}", str(hits)], check=True)
        took = time.monotonic() - start
        for key in client.scan_iter("*:unique:*"):
            if datetime.date.fromisoformat(key[-10:]) < KEPT_UNIQUE:
                client.delete(key)
        kinds = collections.Counter()
        keys = collections.Counter()
        for key in client.scan_iter("*", count=10000):
            kind = re.sub(r":\d{4}(-\d\d)?(-\d\d)?$", lambda m: ":day" if m[2] else ":month" if m[1] else ":year",
                          key.split(":", 2)[-1].split(":", 1)[-1])
            kinds[kind] += client.memory_usage(key, samples=0)
            keys[kind] += 1
        used = client.info("memory")["used_memory"] - empty
        print(f"\n{hits} hits a day: {used / 2**20:.1f} MiB, {sum(keys.values())} keys, written in {took:.0f} s")
        for kind, size in kinds.most_common(14):
            print(f"  {kind:24} {size / 2**20:9.2f} MiB in {keys[kind]} keys")
        sys.stdout.flush()
    finally:
        server.terminate()
        server.wait()


for number in sys.argv[2:]:
    with tempfile.TemporaryDirectory() as place:
        measure(os.path.abspath(sys.argv[1]), int(number), place)
