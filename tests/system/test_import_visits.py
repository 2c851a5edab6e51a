# SPDX-License-Identifier: BSD-2-Clause
"""`thongke import`: who visits. A model in Python says what is right: a visitor is an address (of IPv6 its /64) with an
agent on a local date, and begins a visit where 30 minutes or more have passed since the line before."""
import datetime
import ipaddress
import os
import random
import signal
import zoneinfo

import pytest

from cli import Cli
from mmdb import write_mmdb
from world import eventually

ZONE = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
GAP = 1800
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
PEOPLE = {CHROME: "Chrome", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox",
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
          "Safari/537.36 Edg/131.0.0.0": "Edge"}
BOTS = {"curl/8.0.1": "curl", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "Googlebot",
        "-": "(no user agent)"}


class Line:
    def __init__(self, utc, host, agent, page="/", referrer="-"):
        self.utc, self.host, self.agent, self.page, self.referrer = utc, host, agent, page, referrer

    @property
    def local(self):
        return datetime.datetime.fromtimestamp(self.utc, ZONE)

    def __str__(self):
        return f'{self.host} - - [{self.local:%d/%b/%Y:%H:%M:%S %z}] "GET {self.page} HTTP/1.1" 200 512 ' \
               f'"{self.referrer}" "{self.agent}"\n'


def lines_of(visitors, days, seed=1):
    """Visitors that come and go, in the order of time; the pauses are such that it matters how long they are."""
    chance = random.Random(seed)
    start = int(datetime.datetime(2020, 2, 27, tzinfo=ZONE).timestamp())
    lines = []
    for n in range(visitors):
        host = f"203.0.{n // 200}.{n % 200}" if n % 5 else f"2001:db8:{n:x}::{{:x}}"
        agent = chance.choice([*PEOPLE, *PEOPLE, *PEOPLE, *BOTS])
        moment = start + chance.randrange(days * 86400)
        while moment < start + days * 86400:
            lines.append(Line(moment, host.format(chance.randrange(1, 99)), agent, f"/{n % 50}/{len(lines) % 1000}",
                              chance.choice(["-", "https://www.google.com/", "https://a.example/x"])))
            moment += chance.choice([0, 5, 60, 600, 1799, 1799, 1800, 1801, 3600, 20000])
    return sorted(lines, key=lambda line: line.utc)


def visitor_of(line):
    address = ipaddress.ip_address(line.host)
    net = ipaddress.ip_network(f"{address}/64", strict=False) if address.version == 6 else address
    return net, line.agent, line.local.date()


class Model:
    def __init__(self, lines):
        self.hits, self.visits, self.visitors, self.bots, self.page_visits = {}, {}, {}, {}, {}
        last = {}
        for line in lines:
            day = f"{line.local:%m-%d}"
            if line.agent in BOTS:
                self.bots[day] = self.bots.get(day, 0) + 1
                continue
            visitor = visitor_of(line)
            self.hits[day] = self.hits.get(day, 0) + 1
            self.visitors.setdefault(day, set()).add(visitor)
            if visitor not in last or line.utc - last[visitor] >= GAP:
                self.visits[day] = self.visits.get(day, 0) + 1
                self.page_visits[line.page] = self.page_visits.get(line.page, 0) + 1
            last[visitor] = max(line.utc, last.get(visitor, 0))


def of_days(cli, metric, site="a"):
    numbers = cli.redis.numbers()
    return {day: int(n) for day, n in numbers.client.hgetall(numbers.key(site, f"{metric}:2020")).items() if n != "0"}


def assert_is(cli, model):
    assert of_days(cli, "hits") == model.hits
    assert of_days(cli, "visits") == model.visits
    assert of_days(cli, "bots") == model.bots
    assert cli.redis.numbers().table("a", "pagevisits") == model.page_visits
    for day, visitors in model.visitors.items():
        assert abs(of_days(cli, "visitors")[day] - len(visitors)) <= 0.03 * len(visitors), day
    assert not cli.redis.numbers().client.exists(cli.redis.numbers().key("a", "seen")), "whoever is online is not in a log"


@pytest.fixture
def cli(world):
    return Cli(world, world.redis())


@pytest.fixture(scope="module")
def lines():
    return lines_of(1500, 4)


@pytest.fixture(scope="module")
def log(lines, tmp_path_factory):
    path = tmp_path_factory.mktemp("visits") / "access.log"
    path.write_text("".join(map(str, lines)))
    return str(path)


def test_visits_visitors_bots_and_tables(cli, log, lines):
    model = Model(lines)
    [row] = cli.rows("import", "-s", "a", log)
    assert (row["counted"], row["bots"]) == (sum(model.hits.values()), sum(model.bots.values()))
    assert_is(cli, model)
    people = [line for line in lines if line.agent in PEOPLE]
    names = {**PEOPLE, **BOTS}

    def top(dimension):
        return {row["value"]: row["hits"] for row in cli.rows("top", dimension, "2020-02", "-s", "a")}

    def february(of, names_of):
        found = {}
        for line in of:
            if line.local.month == 2:
                found[names_of(line)] = found.get(names_of(line), 0) + 1
        return found
    assert top("browsers") == february(people, lambda line: names[line.agent])
    assert top("bots") == february([line for line in lines if line.agent in BOTS], lambda line: names[line.agent])
    assert top("referrers") == february(people, lambda line: {
        "-": "(direct)", "https://www.google.com/": "Google", "https://a.example/x": "(internal)"}[line.referrer])
    numbers = cli.redis.numbers()
    assert int(numbers.client.hget(numbers.key("a", "visits"), "all")) == sum(model.visits.values())


def test_resumed_after_kill_9_no_visit_is_counted_twice(cli, log, lines):
    chance = random.Random(2)
    killed = 0
    for _ in range(12):
        before = cli.redis.numbers().total("a")
        process = cli.start("import", "-s", "a", log)
        enough = before + chance.randrange(6000)
        eventually(lambda: process.poll() is not None or cli.redis.numbers().total("a") > enough)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.communicate()
    assert killed >= 3, "too fast to be killed"
    [row] = cli.rows("import", "-s", "a", log)
    assert row["already"] > 0
    assert_is(cli, Model(lines))


def test_a_growing_log_is_looked_back_into(cli, world, lines):
    """It is far longer than what is judged anyway, so that only the half hour before the position is read again."""
    path, end = world.path("log"), len(lines) // 2
    pad = "x" * 400
    written = [str(line).replace('"\n', f'" "{pad}"\n') for line in lines]
    with open(path, "w") as f:
        f.write("".join(written[:end]))
    assert os.path.getsize(path) > 8 * 1024 * 1024
    cli.run("import", "-s", "a", path)
    for part in (written[end:end + 3], written[end + 3:]):
        with open(path, "a") as f:
            f.write("".join(part))
        cli.run("import", "-s", "a", path)
    assert_is(cli, Model(lines))


def test_processes_at_once_count_each_visit_once(cli, log, lines):
    processes = [cli.start("import", "-s", "a", log, "--tsv") for _ in range(3)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert_is(cli, Model(lines))


def test_two_files_of_one_day_know_the_same_visitors(cli, world, lines):
    """As a log that is rotated in the middle of the day."""
    day = [line for line in lines if f"{line.local:%m-%d}" == "02-28"]
    halves = [day[:len(day) // 2], day[len(day) // 2:]]
    for i, half in enumerate(halves):
        with open(world.path(f"log{i}"), "w") as f:
            f.write("".join(map(str, half)))
        cli.run("import", "-s", "a", world.path(f"log{i}"))
    assert len(Model(halves[0]).visitors["02-28"]) + len(Model(halves[1]).visitors["02-28"]) > \
        1.1 * len(Model(day).visitors["02-28"]), "many are in both"
    assert abs(of_days(cli, "visitors")["02-28"] - len(Model(day).visitors["02-28"])) <= \
        0.03 * len(Model(day).visitors["02-28"])


def test_salts_of_imports(cli, log):
    cli.run("import", "-s", "a", log)
    client = cli.redis.numbers().client
    names = [f"thongke:salt:i:a:2020-02-{day}" for day in (27, 28, 29)] + ["thongke:salt:i:a:2020-03-01"]
    assert sorted(client.keys("thongke:salt:*")) == names
    for name in names:
        assert client.strlen(name) == 16 and 72 * 3600 - 60 < client.ttl(name) <= 72 * 3600


def test_a_log_without_agents_has_people_by_their_address(cli, world):
    with open(world.path("log"), "w") as f:
        for second, host in enumerate(["203.0.113.1", "203.0.113.2", "dsl.example", "203.0.113.1", "dsl.example", "b.example"]):
            f.write(f'{host} - - [27/Feb/2020:10:00:0{second} +0700] "GET / HTTP/1.1" 200 1\n')
    cli.run("import", "-s", "a", world.path("log"))
    assert (of_days(cli, "hits"), of_days(cli, "visits"), of_days(cli, "visitors"), of_days(cli, "bots")) == (
        {"02-27": 6}, {"02-27": 4}, {"02-27": 4}, {})
    assert cli.rows("top", "referrers", "2020", "-s", "a") == [], "such a log says nothing of them either"


def test_who_is_excluded(world):
    geo, blocked = world.path("geo.mmdb"), world.path("blocked")
    write_mmdb(geo, {"203.0.113.0/24": "VN"})
    with open(blocked, "w") as f:
        f.write("spam.example\n")
    cli = Cli(world, world.redis(), 'site "a" { hosts = {"a.example"} exclude = {"10.0.0.0/8"} }\n',
              f'geoip = {{"{geo}"}}\nreferrer_blocklist = "{blocked}"')
    with open(world.path("log"), "w") as f:
        f.write("".join(str(Line(1582772400, *words)) for words in [
            ("203.0.113.1", CHROME), ("10.2.3.4", CHROME), ("10.2.3.4", "curl/8.0"), ("11.2.3.4", CHROME),
            ("203.0.113.1", CHROME, "/", "https://www.spam.example/x"), ("203.0.113.1", CHROME, "/", "https://notspam.example/")]))
    [row] = cli.rows("import", "-s", "a", world.path("log"))
    assert (row["counted"], row["excluded"], row["bots"]) == (3, 3, 0)
    assert cli.rows("top", "refused", "2020", "-s", "a") == [{"value": "excluded", "hits": 3, "share": 1.0}]
    assert cli.rows("top", "countries", "2020", "-s", "a") == [{"value": "VN", "hits": 2, "share": 1.0}]


def test_days_that_beacons_were_counted_in_need_add(cli, world, log, lines):
    numbers = cli.redis.numbers()
    numbers.client.hset(numbers.key("a", "hits:2020"), "02-29", 7)
    model = Model(lines)
    cli.run("import", "-s", "a", log, code=1)
    assert "2020-02-29" in cli.said and "--overlap" in cli.said
    before = {day: hits for day, hits in model.hits.items() if day < "02-29"}
    assert of_days(cli, "hits") == {**before, "02-29": 7}
    cli.run("import", "-s", "a", log, code=1)
    cli.run("import", "-s", "a", log, "--overlap")
    assert of_days(cli, "hits") == {**model.hits, "02-29": model.hits["02-29"] + 7}
    assert of_days(cli, "visits") == model.visits
    assert {f"{line.local:%Y-%m-%d}" for line in lines} == set(numbers.table("a", "imported"))
    assert numbers.table("a", "imported")["2020-02-29"] == model.hits["02-29"]


def test_days_that_other_logs_brought_need_no_add(cli, world, lines):
    for i in range(3):
        with open(world.path(f"log{i}"), "w") as f:
            f.write("".join(map(str, lines[i::3])))
        cli.run("import", "-s", "a", world.path(f"log{i}"))
    assert of_days(cli, "hits") == Model(lines).hits
