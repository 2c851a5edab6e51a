#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients send numbered hits while thongked and redis-server are struck by faults; afterwards everything is counted.

After quiet, for the sum, for each site and for each page:

    acknowledged <= counted <= acknowledged + unknown

where unknown are the requests that were in flight when a process or a connection was ended. What the daemon shows
must equal what Redis holds. A fault that never struck makes it no run. In every fourth run thongked has its private
redis-server, and the faults are those of one machine: the power goes, twice in a row.

    torture.py --thongked build/thongked [--runs 20] [--seed 1] [--jobs 1] [--only FAULT,...] [--expect-caught]

Everything happens on 127.0.0.1 and on unix sockets in a temporary directory; only processes started here are ended.
"""
import argparse
import collections
import concurrent.futures
import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

from client import Clients
from rig import Daemon, PrivateRedis, Redis, free_port, until

SITES = 40
LOAD_SECONDS = 4.0
QUIET_SECONDS = 40
# Where a kill is aimed at, and up to which call of a thread: journal, answers, syncs, snapshot, Redis, requests.
SYSCALLS = {"pwrite64": 100, "sendto": 200, "fdatasync": 4, "rename": 1, "renameat2": 2, "write": 40, "recvfrom": 200}


class Run:
    """One daemon, one Redis, some clients and a hand of faults."""

    def __init__(self, seed, thongked, faults, private):
        self.random = random.Random(seed)
        self.directory = tempfile.mkdtemp(prefix="torture.")
        self.redis = (PrivateRedis(os.path.join(self.directory, "state")) if private
                      else Redis(os.path.join(self.directory, "redis")))
        self.sites = [f"site{n:02d}" for n in range(SITES)]
        self.daemon = Daemon(thongked, self.directory, self.redis.address, self.sites, free_port(), free_port())
        self.faults = faults
        self.struck = collections.Counter()
        self.overwritten = None

    # --- faults: each returns whether it struck ---

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.start()
        return True

    def kill_daemon_at_syscall(self):
        """Ends the daemon inside the Nth call of one kind, from any thread. Not every thread gets so far."""
        return any(self.try_kill_at_syscall() for _ in range(3))

    def try_kill_at_syscall(self):
        self.daemon.kill()
        call, latest = self.random.choice(list(SYSCALLS.items()))
        self.daemon.start(inject=f"{call}:signal=SIGKILL:when={self.random.randint(1, latest)}")
        struck = until(lambda: not self.daemon.alive(), 3, fail=False)
        self.daemon.kill()
        self.daemon.start()
        self.struck[f"  at {call}"] += bool(struck)
        return struck

    def cut_append_only_file(self):
        self.redis.kill()
        cut = self.redis.cut(self.random)
        if self.random.random() < 0.3:
            self.daemon.kill()
            self.redis.start()
            self.daemon.start()
        else:
            self.redis.start()
        return cut > 0

    def freeze_redis(self):
        self.redis.signal(signal.SIGSTOP)
        time.sleep(self.random.choice((0.2, 0.5, 1.0, 2.6)))
        if self.random.random() < 0.3:
            self.daemon.kill()
            self.daemon.start(wait=False)
        self.redis.signal(signal.SIGCONT)
        return True

    def flush_scripts(self):
        return self.redis.try_command("SCRIPT", "FLUSH") is not None

    def drop_connections_in_mid_call(self):
        """While Redis stands still the daemon sends a call; Redis wakes up to it and to the order to drop it."""
        killer = self.redis.connect()
        self.redis.signal(signal.SIGSTOP)
        time.sleep(0.35)
        killer.send_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        self.redis.signal(signal.SIGCONT)
        return int(killer.read_response()) > 0

    def refuse_positions(self):
        """Redis refuses the one command that writes positions, and lets the counters through."""
        self.redis.command("ACL", "SETUSER", "default", "-hset")
        refused = self.redis.errors("ERR")  # which is how Redis 7 answers for a command in a script
        struck = until(lambda: self.redis.errors("ERR") > refused, 2, fail=False)
        self.redis.command("ACL", "SETUSER", "default", "+hset")
        return struck

    def fill_memory(self):
        self.redis.command("CONFIG", "SET", "maxmemory", "1")
        refused = self.redis.errors("OOM")
        struck = until(lambda: self.redis.errors("OOM") > refused, 2, fail=False)
        self.redis.command("CONFIG", "SET", "maxmemory", "0")
        return struck

    def restore_backup_in_place(self):
        """Redis goes back to what it held a moment ago, and no connection notices."""
        backup = self.redis.backup()
        time.sleep(self.random.uniform(0.3, 1.0))
        self.redis.restore(backup)
        return len(backup) > 0

    def overwrite_positions(self):
        """Somebody writes something else where one shard's positions were, and puts it right a moment later."""
        key = self.random.choice(self.redis.command("KEYS", "thongke:{*}:streams"))
        self.redis.command("EVAL", """redis.call('RENAME', KEYS[1], KEYS[2])
            if ARGV[1] == 'key' then return redis.call('SET', KEYS[1], 'foreign') end
            for _, stream in ipairs(redis.call('HKEYS', KEYS[2])) do
                redis.call('HSET', KEYS[1], stream, 'foreign')
            end""", 2, key, "away", self.random.choice(("key", "fields")))
        struck = until(lambda: self.daemon.metric("thongke_blocked_shards") == 1, 10, fail=False)
        applied = self.daemon.metric("thongke_applied_hits_total")
        others = until(lambda: self.daemon.metric("thongke_applied_hits_total") > applied, 10, fail=False)
        self.overwritten = key
        self.mend_positions()
        return struck and others

    def mend_positions(self):
        """Puts right what was overwritten; again, where a power cut has brought that back. What a stream without a position
        has written beside it meanwhile is right."""
        if self.overwritten and self.redis.command("EXISTS", "away"):
            self.redis.command("EVAL", """if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
                    return redis.call('RENAME', KEYS[2], KEYS[1])
                end
                redis.call('HSET', KEYS[1], unpack(redis.call('HGETALL', KEYS[2])))
                return redis.call('DEL', KEYS[2])""", 2, self.overwritten, "away")

    # --- faults of a machine with everything on it ---

    def lose_power(self):
        """kill -9 of all processes; what Redis wrote last is gone. Returns the bytes lost."""
        self.daemon.kill()
        self.redis.kill()
        lost = self.redis.cut(self.random)
        self.daemon.start()
        self.redis.await_start()
        return lost

    def cut_power_twice(self):
        """The second time the file has been mended, and written to for a moment."""
        lost = self.lose_power()
        time.sleep(self.random.uniform(0.1, 1.0))
        return self.lose_power() > 0 and lost > 0

    def cut_power_in_a_rewrite(self):
        """Twice too: the first leaves two parts of the append-only file, of which either may be torn."""
        self.redis.command("CONFIG", "SET", "rdb-key-save-delay", "1000000")
        self.redis.command("BGREWRITEAOF")
        time.sleep(self.random.uniform(0.1, 1.0))
        struck = len(self.redis.parts()) > 1
        return self.cut_power_twice() and struck

    def kill_private_redis(self):
        self.redis.kill()
        self.redis.await_start()
        return True

    # --- the run ---

    def strike(self):
        """Spreads the faults over the time of the load."""
        end = time.monotonic() + LOAD_SECONDS
        for n, fault in enumerate(self.faults):
            share = (end - time.monotonic()) / (len(self.faults) - n + 1)
            time.sleep(max(0.05, share * self.random.uniform(0.5, 1.5)))
            self.struck[fault] += bool(getattr(self, fault)())
        time.sleep(max(0.2, end - time.monotonic()))

    def settle(self):
        """Waits until the journal is handed over and Redis' positions were audited again."""
        if not self.daemon.alive():
            self.daemon.start()
        self.mend_positions()
        until(lambda: self.daemon.metric("thongke_journal_lag_bytes") == 0, QUIET_SECONDS, "the journal's end")
        audits = self.daemon.metric("thongke_audits_total")
        until(lambda: self.daemon.metric("thongke_settling") == 0, QUIET_SECONDS, "all shards to settle")
        until(lambda: self.daemon.metric("thongke_audits_total") >= audits + 3, QUIET_SECONDS, "more audits")
        counted = self.redis.counted(self.sites)
        until(lambda: all(self.daemon.shown(s) == counted.sites[s] for s in self.sites), 5, fail=False)
        shown = {site: self.daemon.shown(site) for site in self.sites}
        return counted, [f"{s}: shown {shown[s]}, in Redis {counted.sites[s]}" for s in self.sites
                         if shown[s] != counted.sites[s]]

    def compare(self, sent, counted):
        wrong = []

        def check(what, acknowledged, unknown, count):
            if not acknowledged <= count <= acknowledged + unknown:
                wrong.append(f"{what}: acknowledged {acknowledged}, unknown {unknown}, counted {count}")
        check("sum", sent.acknowledged.total(), sent.unknown.total(), sum(counted.sites.values()))
        for site in self.sites:
            pages = [p for p in sent.pages() if p[0] == site]
            check(site, sum(sent.acknowledged[p] for p in pages), sum(sent.unknown[p] for p in pages),
                  counted.sites[site])
        for page in sent.pages():
            check(" ".join(page), sent.acknowledged[page], sent.unknown[page], counted.pages[page])
        wrong += [f"{' '.join(p)}: counted {counted.pages[p]}, never sent" for p in counted.pages
                  if p not in sent.attempted]
        return wrong

    def execute(self):
        figures = collections.Counter()
        try:
            self.redis.start()
            self.daemon.start()
            until(lambda: self.redis.try_command("PING"), 20, "Redis")
            with Clients(self.daemon.port, self.sites, self.random.randrange(1 << 30)) as clients:
                self.strike()
                sent = clients.stop()
            counted, wrong = self.settle()
            wrong += self.compare(sent, counted)
            figures.update(attempted=sent.attempted.total(), acknowledged=sent.acknowledged.total(),
                           unknown=sent.unknown.total(), counted=sum(counted.sites.values()),
                           refused=sent.refused, cut_batches=self.daemon.metrics_sum("thongke_cut_batches_total"))
        except Exception as problem:  # a run that could not be finished proves nothing: it counts as wrong
            wrong = [f"{type(problem).__name__}: {problem}", *traceback.format_exc().splitlines()[-6:]]
        finally:
            self.daemon.kill()
            self.redis.kill()
        if wrong:
            self.keep_evidence(wrong)
        else:
            shutil.rmtree(self.directory)
        return figures, self.struck, wrong

    def keep_evidence(self, wrong):
        with open(os.path.join(self.directory, "wrong.json"), "w", encoding="utf-8") as file:
            json.dump({"wrong": wrong, "faults": self.faults, "struck": self.struck}, file, indent=1)
        wrong.append(f"kept: {self.directory}")


FAULTS = ["kill_daemon", "kill_daemon_at_syscall", "cut_append_only_file", "freeze_redis", "flush_scripts",
          "drop_connections_in_mid_call", "refuse_positions", "fill_memory", "restore_backup_in_place",
          "overwrite_positions"]
PRIVATE_FAULTS = ["cut_power_twice", "cut_power_in_a_rewrite", "kill_private_redis", "kill_daemon"]
PRIVATE_EVERY = 4


def cards(faults, rng):
    """Deals them without end, so that every kind comes up as often as any other."""
    while True:
        deck = faults[:]
        rng.shuffle(deck)
        yield from deck


def hands(seed, runs, each):
    """For each run its faults, and whether it is one with a private redis-server."""
    rng = random.Random(seed)
    decks = {False: cards(FAULTS, rng), True: cards(PRIVATE_FAULTS, rng)}
    for n in range(runs):
        private = not FAULTS or (n % PRIVATE_EVERY == PRIVATE_EVERY - 1 and bool(PRIVATE_FAULTS))
        yield list(itertools.islice(decks[private], each)), private


def one(arguments):
    seed, thongked, faults, private = arguments
    return (seed, *Run(seed, thongked, faults, private).execute())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--thongked", default="build/thongked")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--faults", type=int, default=4, help="a run")
    parser.add_argument("--only", default="", help="faults to deal, separated by commas")
    parser.add_argument("--expect-caught", action="store_true", help="the daemon is a mutant: a run must fail")
    a = parser.parse_args()
    if a.only:
        for faults in (FAULTS, PRIVATE_FAULTS):
            faults[:] = [fault for fault in faults if fault in a.only.split(",")]
    figures, struck, bad = collections.Counter(), collections.Counter(), 0
    jobs = [(a.seed + n, os.path.abspath(a.thongked), *hand) for n, hand in enumerate(hands(a.seed, a.runs, a.faults))]
    with concurrent.futures.ProcessPoolExecutor(a.jobs) as pool:
        for seed, some, strikes, wrong in pool.map(one, jobs):
            figures += some
            struck += strikes
            bad += bool(wrong)
            print(f"seed {seed}: acknowledged {some['acknowledged']}, unknown {some['unknown']}, "
                  f"counted {some['counted']}: {'WRONG' if wrong else 'right'}", flush=True)
            for line in wrong[:12]:
                print(f"    {line}")
            if bad and a.expect_caught:
                pool.shutdown(wait=True, cancel_futures=True)
                break
    print(json.dumps(dict(figures)))
    for fault in sorted(struck):
        print(f"  {fault}: struck {struck[fault]}")
    if a.expect_caught:
        print("the mutant was caught" if bad else "THE MUTANT WAS NOT CAUGHT")
        return 0 if bad else 1
    private = a.runs >= PRIVATE_EVERY or not FAULTS
    missing = [fault for fault in FAULTS + PRIVATE_FAULTS * private if not struck[fault]]
    if missing:
        print(f"no run: these never struck: {', '.join(missing)}")
    print(f"{a.runs - bad} of {a.runs} runs right")
    return 1 if bad or missing else 0


if __name__ == "__main__":
    sys.exit(main())
