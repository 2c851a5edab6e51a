# SPDX-License-Identifier: BSD-2-Clause
"""One client that invents a path, a referrer and a user agent for every hit: what it costs, and that nobody else notices.

FLOOD=1000000 in the environment sends that many.
"""
import os
import urllib.parse

from clock import PLAIN
from pipe import Pipe, get
from world import SITE, eventually, today

FLOOD = int(os.environ.get("FLOOD", "60000"))
PAGES_PER_DAY = 500
KEPT_LONGER = 20  # times as many rows have the tables of a month and of all time
SEEN_MAX = 200_000
MEMORY_MAX = 128 << 20
STEP = 5000
HONEST = ["/", "/tin-tuc", "/lien-he"]


def invented(numbers):
    for number in numbers:
        query = urllib.parse.urlencode({"s": "a", "u": f"/{number:x}/{'x' * (number % 300)}?q=1", "q": 1,
                                        "r": f"https://{number:x}.{'y' * (number % 60)}z.example/"})
        yield get("/hit?" + query, X_Forwarded_For="198.18.0.1",
                  User_Agent=f"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0 {number:x}")


def test_a_flood_of_inventions_is_bounded(world):
    # The sanitizer's own memory would be most of what is measured.
    redis = world.redis()
    daemon = world.thongked(f"limits {{ pages_per_day = {PAGES_PER_DAY} hits_per_minute = 0 }}\n", redis=redis, site=SITE,
                            program=PLAIN).start()
    for page in HONEST:
        daemon.hit(page)
    numbers, date = redis.numbers(), today()
    eventually(lambda: numbers.total("a") == len(HONEST))
    before, most, honest = numbers.client.info("memory")["used_memory"], 0, len(HONEST)
    with Pipe(daemon) as pipe:
        for start in range(0, FLOOD, STEP):
            assert {status for status, _ in pipe.ask(invented(range(start, min(start + STEP, FLOOD))))} == {204}
            answer = daemon.hit(HONEST[1])
            honest += 1
            assert answer["hits"]["total"] == honest + min(start + STEP, FLOOD)
            most = max(most, daemon.metric("thongke_resident_memory_bytes"))
    total = FLOOD + honest
    eventually(lambda: numbers.total("a") == total, seconds=60)
    most = max(most, daemon.metric("thongke_resident_memory_bytes"))
    grown = numbers.client.info("memory")["used_memory"] - before
    print(f"{FLOOD} inventions: daemon {most / (1 << 20):.1f} MiB, Redis {grown / (1 << 20):.1f} MiB more,"
          f" {len(numbers.client.keys('*'))} keys")
    assert most < MEMORY_MAX

    for tail, rows in [("pages", KEPT_LONGER), (f"pages:{date:%Y-%m}", KEPT_LONGER), (f"pages:{date}", 1),
                       (f"referrers:{date}", 1), (f"referrers:{date:%Y-%m}", KEPT_LONGER)]:
        table = numbers.table("a", tail)
        assert len(table) == min(rows * PAGES_PER_DAY, FLOOD) + 1 and sum(table.values()) == total, tail
        assert table["(other)"] == total - sum(hits for value, hits in table.items() if value != "(other)")
        if "pages" in tail:
            assert [table[page] for page in HONEST] == [1, honest - 2, 1]
    assert len(numbers.table("a", f"browsers:{date}")) == 1
    assert numbers.client.zcard(numbers.key("a", "seen")) == min(FLOOD + 1, SEEN_MAX)
    assert len([key for key in numbers.client.keys("*") if not key.endswith(":streams")]) < 40
    assert daemon.hit("/tin-tuc")["page"]["hits"] == {"today": honest - 1, "total": honest - 1}
    assert daemon.counts()["hits"]["total"] == total + 1
    daemon.stop()
