# SPDX-License-Identifier: BSD-2-Clause
"""Visits, visitors and who is online: by hand-made histories, and by a model over two daemons one of which is killed."""
import collections
import concurrent.futures
import random
import signal
import time

from pipe import Pipe, hit, outcomes
from world import SITE, eventually, near, today

PEOPLE = [f"198.18.{n >> 8}.{n & 255}" for n in range(1, 3000)]


def visit(daemon, *people, site="a", page="/p"):
    """A hit of each; they are counted."""
    with Pipe(daemon) as pipe:
        answers = list(pipe.json([hit(site, page, client) for client in people]))
    assert all(answer["counted"] for answer in answers)
    return answers[-1]


def shown(daemon, site="a"):
    """Hits, visits, visitors of all time, and who is online."""
    counts = daemon.counts(site)
    return tuple(counts[metric]["total"] for metric in ("hits", "visits", "visitors")) + (counts["online"],)


def becomes(daemon, hits, visits, visitors, online, site="a"):
    """Within a second, and what a busy machine adds to it."""
    def check():
        now = shown(daemon, site)
        assert now[:2] + now[3:] == (hits, visits, online) and near(now[2], visitors), now
        return True
    eventually(check, seconds=5)


def test_visit_begins_after_half_an_hour_of_silence(world, clock):
    clock.set("2020-05-20T12:00:00")
    daemon = world.thongked(redis=world.redis(), **clock.options).start()
    visit(daemon, PEOPLE[0], PEOPLE[0], PEOPLE[0], PEOPLE[1])
    becomes(daemon, 4, 2, 2, 2)
    clock.set("2020-05-20T12:04:50")
    visit(daemon, PEOPLE[0])
    becomes(daemon, 5, 2, 2, 2)
    # The second one's five minutes are over.
    clock.set("2020-05-20T12:05:10")
    becomes(daemon, 5, 2, 2, 1)
    clock.set("2020-05-20T12:34:45")
    visit(daemon, PEOPLE[0])
    becomes(daemon, 6, 2, 2, 1)
    clock.set("2020-05-20T13:04:55")
    visit(daemon, PEOPLE[0], PEOPLE[1])
    becomes(daemon, 8, 4, 2, 2)
    answer = daemon.counts()
    ones = {"today", "week", "month", "year", "total"}
    for metric, number in (("hits", 8), ("visits", 4), ("visitors", 2)):
        assert answer[metric] == {period: number if period in ones else 0 for period in answer["hits"]}
    numbers = daemon.numbers()
    for metric, number in (("visits", 4), ("visitors", 2)):
        assert numbers.client.hgetall(numbers.key("a", metric)) == dict.fromkeys(
            ("2020-W21", "2020-05", "2020", "all"), str(number))
        assert numbers.client.hgetall(numbers.key("a", metric + ":2020")) == {"05-20": str(number)}
    daemon.stop()


def test_a_hit_that_comes_late_begins_no_visit_and_takes_nobody_back(world, clock):
    redis = world.redis()
    one, two = (world.thongked(redis=redis, name=name, **clock.options) for name in ("one", "two"))
    clock.set("2020-05-20T12:00:00")
    one.start()
    two.start()
    redis.stop()
    visit(one, PEOPLE[0])
    one.kill()
    redis.start()
    clock.set("2020-05-20T12:20:00")
    visit(two, PEOPLE[0])
    becomes(two, 1, 1, 1, 1)
    one.start()
    eventually(lambda: shown(two)[0] == 2)
    # 25 minutes after the last hit, 45 after the first.
    clock.set("2020-05-20T12:45:00")
    visit(two, PEOPLE[0])
    becomes(two, 3, 1, 1, 1)
    becomes(one, 3, 1, 1, 1)
    visits = [redis.numbers().table("a", f"pagevisits{tail}") for tail in ("", ":2020-05-20")]
    assert visits == [{"/p": 1}] * 2


def test_who_comes_on_three_days_counts_three(world, clock):
    daemon = world.thongked(redis=world.redis(), **clock.options)
    for number, day in enumerate(("2020-05-30", "2020-05-31", "2020-06-01"), 1):
        clock.set(day + "T09:00:00", "Asia/Ho_Chi_Minh")
        if not daemon.process:
            daemon.start()
        visit(daemon, *PEOPLE[:5], *PEOPLE[:5])
        becomes(daemon, 10 * number, 5 * number, 5 * number, 5)
    # The first of June is a Monday.
    visitors, days = daemon.counts()["visitors"], {"today": 5, "yesterday": 5, "week": 5, "last_week": 10, "month": 5,
                                                   "last_month": 10, "year": 15, "last_year": 0, "total": 15}
    assert all(near(visitors[period], wanted) for period, wanted in days.items()), visitors
    assert visitors["year"] == visitors["total"] == visitors["month"] + visitors["last_month"]
    daemon.stop()


def test_metric_and_rows(world):
    sites = SITE + 'site "b" { hosts = {"b.example"} metric = "visitors" rows = {"today", "online", "bots"} }\n' \
        'site "c" { hosts = {"c.example"} metric = "visits" rows = {"today"} public = {} }\n'
    daemon = world.thongked(site=sites).start()
    for site in "abc":
        visit(daemon, *PEOPLE[:3], *PEOPLE[:2], PEOPLE[0], site=site)
        assert daemon.get(f"/hit?s={site}&u=/", User_Agent="curl/8.0").json["reason"] == "bot"
    becomes(daemon, 6, 3, 3, 3)
    becomes(daemon, 6, 3, 3, 3, site="b")

    def values(query):
        return [row["value"] for row in daemon.get("/counts.json?" + query).json["rows"]]
    assert values("s=a") == [6, 0, 6, 6]
    assert [values(f"s=a&metric={metric}") for metric in ("hits", "visits", "visitors")] == \
        [[6, 0, 6, 6], [3, 0, 3, 3], [3, 0, 3, 3]]
    assert values("s=b") == [3, 3, 1] and values("s=b&metric=hits") == [6, 3, 1]
    assert daemon.get("/counts.txt?s=b").body.decode().splitlines()[1:] == \
        ["Hôm nay : 3", "Đang trực tuyến : 3", "Máy tìm kiếm : 1"]
    assert daemon.get("/counts.txt?s=b&lang=en&rows=online,bots&title=0").body == b"Online : 3\nBots : 1\n"
    assert daemon.get("/counts.json?s=a&metric=people").status == 400
    # A site that shows nobody its numbers shows those of its own rows.
    eventually(lambda: values("s=c") == [3])
    closed = daemon.counts("c")
    assert not closed.keys() & {"hits", "visits", "visitors", "online", "pages"}
    assert daemon.get("/counts.json?s=c&metric=visits").status == 200
    assert daemon.get("/counts.json?s=c&metric=hits").status == 400


def test_scope_page_counts_the_page_and_not_the_site(daemon):
    visit(daemon, *PEOPLE[:2], page="/p")
    becomes(daemon, 2, 2, 2, 2)
    answers = [daemon.get(f"/hit?s=a&u={page}&scope=page", X_Forwarded_For=PEOPLE[2]).json for page in ("/p", "/p", "/q")]
    assert [(answer["counted"], answer["hits"]["today"]) for answer in answers] == [(True, 2)] * 3
    assert [answer["page"]["hits"]["total"] for answer in answers] == [3, 4, 1]
    visit(daemon, PEOPLE[0])
    numbers = daemon.numbers()
    eventually(lambda: numbers.table("a", f"pages:{today()}") == {"/p": 5, "/q": 1})
    becomes(daemon, 3, 2, 2, 2)
    assert numbers.table("a", "pages") == {"/p": 5, "/q": 1}
    assert sum(numbers.hours("a", today()).values()) == 3
    assert sum(numbers.table("a", f"browsers:{today()}").values()) == 3


def test_a_number_never_falls_when_what_it_grew_from_is_gone(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    visit(daemon, *PEOPLE[:50])
    becomes(daemon, 50, 50, 50, 50)
    numbers = redis.numbers()
    assert numbers.client.delete(numbers.key("a", f"unique:{today()}"), numbers.key("a", "seen")) == 2
    visit(daemon, *PEOPLE[40:60])
    # Nobody is remembered, so twenty visits begin; of visitors there were more already than are now known.
    becomes(daemon, 70, 70, 50, 20)
    visit(daemon, *PEOPLE[:40])
    eventually(lambda: daemon.counts()["visits"]["total"] == 110)
    eventually(lambda: near(daemon.counts()["visitors"]["total"], 60))
    assert daemon.counts()["visitors"]["year"] == daemon.counts()["visitors"]["total"]


# --- the model ---

GAP = 2  # seconds: a visitor comes back within one wave, or not before GAP and a second have passed
GROUPS = 6
WAVES, WAVE_HITS, LAST_WORDS = 18, 550, 100
SITES = "".join(f'site "{name}" {{ hosts = {{"{name}.example"}} visit_gap = {GAP} }}\n' for name in "ab")


class Model:
    """What the contract says of the hits that were acknowledged."""

    def __init__(self):
        self.hits, self.visits, self.pages = collections.Counter(), collections.Counter(), collections.Counter()
        self.last = {}

    def add(self, sent, since, until):
        """Hits that were counted at some moment between the two."""
        for site, page, client in sent:
            before = self.last.get((site, client))
            if before is None or since - before[1] >= GAP:
                self.visits[site] += 1
            else:
                assert until - before[0] < GAP, "this machine is too slow to say whether that is a new visit"
            self.last[site, client] = (since, until)
            self.hits[site] += 1
            self.pages[site, page] += 1

    def people(self, site):
        return sum(of == site for of, _ in self.last)


def wave(rng, number):
    people = PEOPLE[number % GROUPS * 300:][:300]
    return [(rng.choice("ab"), f"/p{int(rng.paretovariate(1))}", rng.choice(people)) for _ in range(WAVE_HITS)]


def send(daemon, sent):
    with Pipe(daemon) as pipe:
        assert all(answer["counted"] for answer in pipe.json([hit(*one) for one in sent]))


def kill_in_mid_answer(daemon, requests):
    """Kills the daemon when some were answered, some perhaps written down, and some not even read."""
    with Pipe(daemon) as pipe:
        pipe.send(b"".join(requests[:LAST_WORDS // 2]))
        assert pipe.answer()[0] == 200
        daemon.process.send_signal(signal.SIGSTOP)
        pipe.send(b"".join(requests[LAST_WORDS // 2:]))
        daemon.kill()


def test_two_daemons_and_a_kill_count_as_the_model_does(world):
    redis = world.redis()
    limits = "limits { hits_per_minute = 0 }\n"
    daemons = [world.thongked(limits, redis=redis, name=name, site=SITES).start() for name in ("one", "two")]
    rng, model, ended = random.Random(7), Model(), collections.defaultdict(float)
    # Each of them comes once, so it does not matter which of the two attempts is the one that counts.
    last_words = [("a", "/last", client) for client in PEOPLE[GROUPS * 300:][:LAST_WORDS]]
    requests = [hit(*one, n=f"last.{one[2]}") for one in last_words]
    with concurrent.futures.ThreadPoolExecutor() as threads:
        for number in range(WAVES):
            sent, group = wave(rng, number), number % GROUPS
            eventually(lambda: time.monotonic() >= ended[group] + GAP + 1)
            if number == WAVES // 2 + 2:
                # Those who were in the killed one's last wave come back: what it had not handed over must be, before.
                daemons[0].wait_ready()
                eventually(lambda: daemons[0].metric("thongke_journal_lag_bytes") == 0)
            if number == WAVES // 2:
                redis.process.send_signal(signal.SIGSTOP)  # so that there is something to be handed over later
            since = time.monotonic()
            up = daemons[1:] if daemons[0].process is None or number == WAVES // 2 + 1 else daemons
            list(threads.map(send, up, [sent[n::len(up)] for n in range(len(up))]))
            ended[group] = time.monotonic()
            model.add(sent, since, ended[group])
            if number == WAVES // 2:
                kill_in_mid_answer(daemons[0], requests)
                redis.process.send_signal(signal.SIGCONT)
                daemons[0].launch()
    assert set(outcomes(daemons[0], requests)) == {"counted", "duplicate"}
    model.add(last_words, time.monotonic(), time.monotonic())
    assert sum(model.hits.values()) == WAVES * WAVE_HITS + LAST_WORDS == 10000

    numbers = redis.numbers()
    for site in "ab":
        exact = (model.hits[site], model.visits[site], model.people(site))
        assert exact[1] > 1.5 * exact[2]  # or this test says little
        for daemon in daemons:
            try:
                eventually(lambda: (now := shown(daemon, site))[:2] + now[3:] == exact, seconds=5)
            except AssertionError:
                assert shown(daemon, site) == exact
        visitors = shown(daemons[0], site)[2]
        assert near(visitors, exact[2]) and shown(daemons[1], site)[2] == visitors
        assert [int(numbers.client.hget(numbers.key(site, metric), "all")) for metric in ("hits", "visits", "visitors")] \
            == [*exact[:2], visitors]
        pages = numbers.table(site, "pages")
        assert pages == {page: hits for (of, page), hits in model.pages.items() if of == site}
        assert sum(numbers.table(site, "pagevisits").values()) == exact[1]
    assert daemons[0].metric("thongke_gap_hits_total") == 0
    for daemon in daemons:
        daemon.stop()
