# SPDX-License-Identifier: BSD-2-Clause
"""`thongke import`: the same hits in every format come to the same counts, which the test adds up itself; several files and
sites in one call; what a dry run leaves alone."""
import csv
import datetime
import io
import json
import random
import zoneinfo

import pytest

from cli import Cli
from world import shard

ZONE = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/8.0.1",
          'Mozilla/5.0 (Windows NT 10.0; "Win64"; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36']
PATTERN = '$time_iso8601 $remote_addr $host "$request_method $request_uri" $status "$http_referer" "$http_user_agent" $request_time'


class Hit:
    def __init__(self, chance, utc):
        self.utc = utc
        self.host = f"203.0.113.{chance.randrange(200)}"
        self.page = chance.choice(["/", "/tin-tuc", "/a%20b", '/say-"hi"', "/t\u1eeb", "/style.css"])
        self.status = chance.choice([200, 200, 304, 404])
        self.agent = chance.choice(AGENTS)
        self.vhost = chance.choice(["a.example", "b.example:443", "c.example"])

    @property
    def local(self):
        return datetime.datetime.fromtimestamp(self.utc, ZONE)

    @property
    def counts(self):
        return self.status != 404 and self.page != "/style.css" and not self.agent.startswith("curl")


@pytest.fixture(scope="module")
def hits():
    chance = random.Random(5)
    start = int(datetime.datetime(2020, 5, 18, tzinfo=ZONE).timestamp())
    return [Hit(chance, start + 90 * n) for n in range(3000)]


def quoted(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def combined(hit):
    return f'{hit.host} - - [{hit.local:%d/%b/%Y:%H:%M:%S %z}] "GET {quoted(hit.page)} HTTP/1.1" {hit.status} 12 "-" ' \
           f'"{quoted(hit.agent)}"'


def caddy(hit):
    return json.dumps({"level": "info", "ts": hit.utc + 0.25, "logger": "http.log.access", "msg": "handled request",
                       "request": {"remote_ip": "10.9.8.7", "client_ip": hit.host, "method": "GET", "host": hit.vhost,
                                   "uri": hit.page, "headers": {"User-Agent": [hit.agent]}},
                       "size": 12, "status": hit.status, "resp_headers": {"Server": ["Caddy"]}})


def nginx_json(hit):
    return json.dumps({"time_local": f"{hit.local:%d/%b/%Y:%H:%M:%S %z}", "remote_addr": hit.host,
                       "request": f"GET {hit.page} HTTP/1.1", "status": str(hit.status), "http_referer": "-",
                       "http_user_agent": hit.agent}, ensure_ascii=False)


def pattern(hit):
    return f'{hit.local.isoformat()} {hit.host} {hit.vhost} "GET {quoted(hit.page)}" {hit.status} "-" "{quoted(hit.agent)}" 0.003'


FORMATS = {"combined": (combined, False), "vhost": (lambda hit: f"{hit.vhost} {combined(hit)}", True), "caddy": (caddy, True),
           "nginx_json": (nginx_json, False), "pattern": (pattern, True)}


def days_of(hits):
    found = {}
    for hit in hits:
        if hit.counts:
            found[f"{hit.local:%m-%d}"] = found.get(f"{hit.local:%m-%d}", 0) + 1
    return found


def days(cli, site="a", metric="hits"):
    numbers = cli.redis.numbers()
    return {day: int(n) for day, n in numbers.client.hgetall(numbers.key(site, f"{metric}:2020")).items() if n != "0"}


def write(world, name, lines):
    with open(world.path(name), "w") as f:
        f.write("".join(f"{line}\n" for line in lines))
    return world.path(name)


@pytest.fixture
def cli(world):
    return Cli(world, world.redis())


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_comes_to_the_same(cli, world, hits, name):
    """A line that names the other site's host is not this site's; one that names nobody's is."""
    line, vhosts = FORMATS[name]
    path = write(world, "log", map(line, hits))
    words = ["--format", PATTERN] if name == "pattern" else []
    own = [hit for hit in hits if not vhosts or not hit.vhost.startswith("b.")]
    for turn in range(2):
        [row] = cli.rows("import", "-s", "a", path, *words)
        assert row["already"] == (len(hits) if turn else 0) and row["bad"] == 0
        assert days(cli) == days_of(own)
        assert sum(days(cli, metric="bots").values()) == sum(
            hit.agent.startswith("curl") and hit.status != 404 and hit.page != "/style.css" for hit in own)
    pages = cli.redis.numbers().table("a", "pages")
    assert set(pages) == {"/", "/tin-tuc", "/a%20b", "/say-%22hi%22", "/từ"}
    assert {row["value"] for row in cli.rows("top", "browsers", "2020-05", "-s", "a")} == {"Firefox", "Chrome"}


@pytest.mark.parametrize("name", ["vhost", "caddy", "pattern"])
def test_without_a_site_each_line_goes_to_its_own(cli, world, hits, name):
    path = write(world, "log", map(FORMATS[name][0], hits))
    words = ["--format", PATTERN] if name == "pattern" else []
    for turn in range(2):
        rows = {row["site"]: row for row in cli.rows("import", path, *words)}
        assert set(rows) == {"a", "b"} and all(row["already"] == (len(hits) if turn else 0) for row in rows.values())
    assert days(cli, "a") == days_of(hit for hit in hits if hit.vhost == "a.example")
    in_utc = {}
    for hit in hits:
        if hit.counts and hit.vhost == "b.example:443":
            day = f"{datetime.datetime.fromtimestamp(hit.utc, datetime.timezone.utc):%m-%d}"
            in_utc[day] = in_utc.get(day, 0) + 1
    assert days(cli, "b") == in_utc


def test_a_log_that_names_no_hosts_needs_a_site(cli, world, hits):
    cli.run("import", write(world, "log", map(combined, hits)), code=2)
    assert "-s" in cli.said


def test_several_files_are_streams_of_their_own(cli, world, hits):
    """Who goes on reading from one file to the next begins no visit."""
    paths = [write(world, f"log.{i}", map(combined, hits[1000 * i:1000 * (i + 1)])) for i in range(3)]
    rows = cli.rows("import", "-s", "a", *paths)
    assert [row["file"] for row in rows] == paths and [row["lines"] for row in rows] == [1000] * 3
    assert days(cli) == days_of(hits)
    together = days(cli, metric="visits")
    assert len(cli.redis.numbers().client.hgetall(f"thongke:{{{shard('a')}}}:streams")) == 3
    cli.redis.numbers().client.flushall()
    cli.run("import", "-s", "a", write(world, "all", map(combined, hits)))
    assert days(cli, metric="visits") == together


def test_what_is_no_log(cli, world):
    path = write(world, "log", ["what", "is", "this"])
    cli.run("import", "-s", "a", path, code=1)
    assert "--format" in cli.said and path in cli.said
    for bad in ("nonsense", "$remote_addr", "$remote_addr$status"):
        cli.run("import", "-s", "a", path, "--format", bad, code=2)
        assert "--format" in cli.said
    assert days(cli) == {}


def test_a_named_format_is_not_guessed(cli, world, hits):
    path = write(world, "log", map(combined, hits[:10]))
    [row] = cli.rows("import", "-s", "a", path, "--format", "json", "--dry-run")
    assert row["bad"] == 10
    [row] = cli.rows("import", "-s", "a", path, "--format", "common")
    assert row["bad"] == 0


def test_dry_run_writes_nothing(cli, world, hits):
    path = write(world, "log", map(combined, hits))
    client = cli.redis.numbers().client
    [dry] = cli.rows("import", "-s", "a", path, "--dry-run")
    assert client.keys("*") == [] and "nothing was written" in cli.said
    [wet] = cli.rows("import", "-s", "a", path)
    assert dry == wet and dry["counted"] == sum(days_of(hits).values())
    before = client.dbsize()
    [dry] = cli.rows("import", "-s", "a", path, "--dry-run")
    assert dry["already"] == len(hits) and client.dbsize() == before
    [change] = cli.rows("audit")
    assert (change["command"], change["site"], change["what"]) == ("import", "a", path)


def goatcounter(hits):
    """By https://www.goatcounter.com/help/export, version 2."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["2Path", "Title", "Event", "UserAgent", "Browser", "System", "Session", "Bot", "Referrer", "Referrer scheme",
                   "Screen size", "Location", "FirstVisit", "Date"])
    for n, hit in enumerate(hits):
        utc = datetime.datetime.fromtimestamp(hit.utc, datetime.timezone.utc)
        rows.writerow([hit.page, 'A "title", long', "true" if n % 50 == 0 else "false", "", "Firefox 128.0", "Windows 11",
                       f"session-{n // 7}", 1 if hit.agent.startswith("curl") else 0, "www.google.com/", "h", "1920,1080,1",
                       "VN-HN", "false", f"{utc:%Y-%m-%dT%H:%M:%SZ}"])
    return out.getvalue()


def test_goatcounters_export(cli, world, hits):
    """A later export begins with the earlier one: only what is new counts."""
    path = world.path("export.csv")
    events = set(hits[::50])
    views = [hit for hit in hits if hit not in events and not hit.agent.startswith("curl")]
    for end in (2000, 3000, 3000):
        with open(path, "w") as f:
            f.write(goatcounter(hits[:end]))
        [row] = cli.rows("import", "-s", "a", path)
        assert row["bad"] == 0
    expected = {}
    for hit in views:
        expected[f"{hit.local:%m-%d}"] = expected.get(f"{hit.local:%m-%d}", 0) + 1
    assert days(cli) == expected
    assert sum(days(cli, metric="visits").values()) == len({(hits.index(hit) // 7, hit.local.date()) for hit in views})
    assert sum(days(cli, metric="bots").values()) == sum(hit.agent.startswith("curl") and hit not in events for hit in hits)
    for dimension, value in [("browsers", "Firefox"), ("systems", "Windows"), ("countries", "VN"), ("referrers", "Google")]:
        assert cli.rows("top", dimension, "2020-05", "-s", "a") == [{"value": value, "hits": len(views), "share": 1.0}]
    assert cli.redis.numbers().table("a", "pages")["/style.css"] > 0, "what it counted is a page"
