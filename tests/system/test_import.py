# SPDX-License-Identifier: BSD-2-Clause
"""`thongke import`: every line once. What is right is worked out by awk, or by the generator of the log itself."""
import datetime
import gzip
import os
import random
import signal
import subprocess
import zoneinfo

import pytest

from cli import Cli
from world import eventually, shard

ZONE = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
LINES = 50000
# The same rules as the program's, in another language: GET, 2xx or 304, no file that belongs to a page; of these logs'
# agents curl is a bot, and so is a request without an agent ("-"), but not a log that says nothing of agents.
AWK_BOT = r'''
{ fields = split($0, quoted, "\""); bot = fields > 3 && (quoted[6] == "-" || quoted[6] ~ /^curl/) }
'''
AWK_VIEWS = AWK_BOT + r'''
!bot && $6 == "\"GET" && ($9 ~ /^2[0-9][0-9]$/ || $9 == "304") {
    path = $7; sub(/[?#].*/, "", path); last = path; sub(/.*\//, "", last)
    if (tolower(last) ~ /\.(css|js|png|jpg|jpeg|gif|svg|ico|webp|woff2?|pdf|zip|xml|txt|json|mp4)$/) next
    split(substr($4, 2, 11), date, "/")
    month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", date[2]) + 2) / 3
    hits[sprintf("%s-%02d-%s", date[3], month, date[1])]++
}
END { for (day in hits) print day, hits[day] }'''
AWK_BOTS = AWK_VIEWS.replace("!bot", "bot")
AWK_ALL = AWK_BOT + r'''
!bot && $6 != "\"-\"" { split(substr($4, 2, 11), date, "/")
    month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", date[2]) + 2) / 3
    hits[sprintf("%s-%02d-%s", date[3], month, date[1])]++ }
END { for (day in hits) print day, hits[day] }'''

AGENTS = ["Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0", "-", "curl/7.88.1",
          'Mozilla/5.0 (X11; odd \\"quoted\\" agent) Gecko/20100101', "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15"]
FILES = ["/style.css", "/img/Logo.PNG", "/js/app.js?v=3", "/tai-lieu/a.pdf", "/favicon.ico", "/robots.txt", "/f/x.woff2"]


def log_lines(count, seed=1, start="2019-12-20T03:00:00+07:00", step=30):
    """A portal's log over the turn of a year, with everything that logs hold; all in UTC+7, so that awk can read it."""
    chance = random.Random(seed)
    moment = datetime.datetime.fromisoformat(start)
    for _ in range(count):
        moment += datetime.timedelta(seconds=chance.expovariate(1 / step))
        host = chance.choice(["203.162.4.190", "2001:ee0:4f32::1", "dsl.example.vn"])
        page = chance.choice(["/", "/tin-tuc", f"/tin-tuc/{chance.randrange(3000)}.html", "/?id=7", "/a%20b", "/v/tin"])
        target = page if chance.random() < 0.6 else chance.choice(FILES)
        method = chance.choices(["GET", "HEAD", "POST"], [20, 1, 2])[0]
        status = chance.choices([200, 304, 206, 301, 404, 500], [60, 15, 2, 5, 5, 1])[0]
        request = f"{method} {target} HTTP/1.1" if chance.random() < 0.99 else "-"
        if request == "-":
            status = 408
        line = f'{host} - {chance.choice(["-", "an"])} [{moment:%d/%b/%Y:%H:%M:%S %z}] "{request}" {status} ' \
               f'{chance.choice(["-", "0", "5120"])}'
        if chance.random() < 0.9:
            line += f' "{chance.choice(["-", "https://example.vn/x"])}" "{chance.choice(AGENTS)}"'
        yield line + "\n"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "access.log"
    path.write_text("".join(log_lines(LINES)))
    return str(path)


def awk(program, *paths):
    """{date: hits} as awk counts them."""
    done = subprocess.run(["awk", program, *paths], capture_output=True, text=True, check=True)
    return {day: int(hits) for day, hits in (line.split() for line in done.stdout.splitlines())}


@pytest.fixture
def cli(world):
    return Cli(world, world.redis())


def days(cli, site="a"):
    """{date: hits} as Redis holds them."""
    numbers = cli.redis.numbers()
    found = {}
    for year in range(1970, 2101):
        for day, hits in numbers.client.hgetall(numbers.key(site, f"hits:{year}")).items():
            found[f"{year}-{day}"] = int(hits)
    return found


def row(**numbers):
    """What an import reports; what is not named is 0."""
    return {**dict.fromkeys(["lines", "counted", "bots", "excluded", "skipped", "bad", "already"], 0), **numbers}


def result(cli, path, *words, site="a", **options):
    [reported] = cli.rows("import", "-s", site, path, *words, **options)
    assert reported.pop("file") == path
    return reported


def positions(cli, site="a"):
    return cli.redis.numbers().client.hgetall(f"thongke:{{{shard(site)}}}:streams")


def test_a_log_imported_twice_gives_the_days_of_awk(cli, log):
    expected = awk(AWK_VIEWS, log)
    assert len(expected) > 15 and {day[:4] for day in expected} == {"2019", "2020"}
    first = result(cli, log)
    assert days(cli) == expected
    views, bots = sum(expected.values()), sum(awk(AWK_BOTS, log).values())
    assert bots > LINES / 10
    assert first == row(lines=LINES, counted=views, bots=bots, skipped=LINES - views - bots)
    assert result(cli, log) == row(lines=LINES, already=LINES)
    assert days(cli) == expected
    sums = cli.redis.numbers().sums("a")
    assert sums["all"] == views and sums["2019"] == sum(n for day, n in expected.items() if day < "2020")
    assert sum(cli.redis.numbers().table("a", "pages").values()) == views
    shown = cli.rows("days", "-s", "a", "--from", min(expected), "--to", max(expected))
    assert {row["period"]: row["hits"] for row in shown if row["hits"]} == expected


def test_hours_and_pages(cli, world):
    path = world.path("log")
    with open(path, "w") as f:
        for request in ("/a/index.html", "/a/", "/a?utm=1", "/%61", r"/\xC3\xA9", "/" + "x" * 600):
            f.write(f'h - - [20/May/2020:16:59:59 +0000] "GET {request} HTTP/1.1" 200 1\n')
        f.write('h - - [20/May/2020:17:00:00 +0000] "GET / HTTP/1.1" 200 1\n')
    assert result(cli, path)["counted"] == 7
    numbers = cli.redis.numbers()
    assert numbers.table("a", "pages") == {"/a": 4, "/é": 1, "/": 1}, "a page that is too long is none"
    assert days(cli) == {"2020-05-20": 6, "2020-05-21": 1}
    assert numbers.sums("a")["all"] == 7


def test_all_counts_every_request(cli, log):
    expected = awk(AWK_ALL, log)
    assert result(cli, log, "--all")["counted"] == sum(expected.values())
    assert days(cli) == expected


def test_other_options_than_before_are_refused(cli, log):
    result(cli, log)
    counted = days(cli)
    assert cli.run("import", "-s", "a", log, "--all", code=1) == ""
    assert "--all" in cli.said and days(cli) == counted


def test_odd_offsets_and_two_sites_with_zones_of_their_own(cli, world):
    """The same moments, written with many offsets; Python's zoneinfo says on which local day and hour they are."""
    chance = random.Random(3)
    path, expected = world.path("log"), {"a": {}, "b": {}}
    with open(path, "w") as f:
        for _ in range(2000):
            utc = datetime.datetime.fromtimestamp(1577836800 + chance.randrange(366 * 86400), datetime.timezone.utc)
            minutes = chance.choice([0, 420, 345, -210, 765, -720, 840, 30])
            local = utc.astimezone(datetime.timezone(datetime.timedelta(minutes=minutes)))
            f.write(f'::1 - - [{local:%d/%b/%Y:%H:%M:%S %z}] "GET / HTTP/1.1" 200 9 "-" "{AGENTS[0]}"\n')
            for site, zone in (("a", ZONE), ("b", datetime.timezone.utc)):
                day = f"{utc.astimezone(zone):%Y-%m-%d}"
                expected[site][day] = expected[site].get(day, 0) + 1
    for site in ("a", "b", "a"):
        result(cli, path, site=site)
    assert days(cli, "a") == expected["a"] and days(cli, "b") == expected["b"]


def newest_day_of(hours, zone):
    """The newest day before today that has so many hours in the zone."""
    for back in range(1, 370):
        day = datetime.date.today() - datetime.timedelta(days=back)
        start, end = (datetime.datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()
                      for d in (day, day + datetime.timedelta(days=1)))
        if end - start == hours * 3600:
            return day, int(start)
    raise AssertionError(f"no day of {hours} hours")


@pytest.mark.parametrize("length, expected", [(25, {0: 60, 1: 120, 2: 60, 23: 60}), (23, {0: 60, 1: 60, 3: 60, 23: 60})])
def test_days_of_23_and_25_hours(cli, world, length, expected):
    """A hit a minute in New York: the hour that the clock strikes twice has 120, the one that it leaves out none."""
    with open(cli.conf, "a") as f:
        f.write('site "ny" { hosts = {"ny.example"} timezone = "America/New_York" }\n')
    day, start = newest_day_of(length, zoneinfo.ZoneInfo("America/New_York"))
    path = world.path("log")
    with open(path, "w") as f:
        for minute in range(length * 60):
            utc = datetime.datetime.fromtimestamp(start + 60 * minute, datetime.timezone.utc)
            f.write(f'h - - [{utc:%d/%b/%Y:%H:%M:%S} +0000] "GET / HTTP/1.1" 200 9\n')
    assert result(cli, path, site="ny")["counted"] == length * 60
    assert days(cli, "ny") == {f"{day}": length * 60}
    hours = cli.redis.numbers().hours("ny", day)
    assert {hour: hours[hour] for hour in expected} == expected and sum(hours.values()) == length * 60
    assert len(cli.rows("hours", "-s", "ny", f"{day}")) == 24


def test_grown_file_and_unfinished_line(cli, world, log):
    path = world.path("growing.log")
    with open(log) as f:
        lines = f.readlines()[:9000]
    parts = [lines[:3000], lines[3000:3001], lines[3001:9000]]
    already = 0
    for i, part in enumerate(parts):
        with open(path, "a") as f:
            f.write("".join(part) + "203.0.113.1 - - [20/May/20")
        assert result(cli, path) == result_of(part, already), i
        already += len(part)
        with open(path, "r+") as f:
            f.truncate(os.path.getsize(path) - len("203.0.113.1 - - [20/May/20"))
    assert days(cli) == awk(AWK_VIEWS, path)


def result_of(lines, already):
    views, bots = (sum(int(line.split()[1]) for line in subprocess.run(
        ["awk", program], input="".join(lines), capture_output=True, text=True, check=True).stdout.splitlines())
        for program in (AWK_VIEWS, AWK_BOTS))
    return row(lines=already + len(lines), counted=views, bots=bots, skipped=len(lines) - views - bots, already=already)


def test_compressed_and_standard_input_are_the_same_stream(cli, world, log):
    packed = world.path("access.log.1.gz")
    with open(log, "rb") as f:
        data = f.read()
    half = data.index(b"\n", len(data) // 2) + 1
    with open(packed, "wb") as f:
        f.write(gzip.compress(data[:half]))
    lines = data[:half].count(b"\n")
    assert result(cli, packed)["already"] == 0
    assert result(cli, log)["already"] == lines
    with open(packed, "ab") as f:
        f.write(gzip.compress(data[half:]))
    assert result(cli, packed)["already"] == LINES
    for path in (log, packed):
        with open(path, "rb") as f:
            assert result(cli, "-", stdin=f)["already"] == LINES
    cat = subprocess.Popen(["cat", log], stdout=subprocess.PIPE)
    assert result(cli, "-", stdin=cat.stdout)["already"] == LINES
    cat.stdout.close()
    assert cat.wait() == 0
    assert days(cli) == awk(AWK_VIEWS, log)


def test_a_damaged_compressed_file_is_counted_up_to_the_damage(cli, world, log):
    packed = world.path("cut.gz")
    with open(log, "rb") as f:
        data = f.read()
    with open(packed, "wb") as f:
        f.write(gzip.compress(data)[:-50000])
    before = int(cli.run("import", "-s", "a", packed, "--tsv", code=1).split("\t")[0])
    assert 0 < before < LINES and "ends early" in cli.said
    with open(packed, "wb") as f:
        f.write(gzip.compress(data))
    assert result(cli, packed)["already"] == before
    assert days(cli) == awk(AWK_VIEWS, log)


def test_bad_lines_are_counted_and_shown(cli, world):
    good = list(log_lines(200, seed=5))
    bad = ["\n", "no log line\n", 'h - - [31/Feb/2020:00:00:00 +0700] "GET / HTTP/1.1" 200 1\n', "x" * 3000000 + "\n",
           "nul \0 - [20/May/2020:00:00:00 +0700]\n", "\xff\xfe\n"]
    path = world.path("log")
    with open(path, "w", encoding="latin-1", newline="") as f:
        f.write("".join(good[:100]) + "".join(bad) + "".join(line.replace("\n", "\r\n") for line in good[100:]))
    got = result(cli, path)
    assert (got["lines"], got["bad"]) == (206, len(bad))
    assert "6 lines" in cli.said and "line 101" in cli.said
    with open(world.path("good"), "w") as f:
        f.write("".join(good))
    assert days(cli) == awk(AWK_VIEWS, world.path("good"))
    with open(path, "a", encoding="latin-1") as f:
        f.write("y" * 3000000)
    assert result(cli, path) == row(lines=206, already=206)
    with open(path, "a") as f:
        f.write("\n" + good[0])
    assert result(cli, path)["bad"] == 1


def test_files_with_the_same_first_line_are_told_apart(cli, world):
    first, *rest = log_lines(300, seed=7)
    texts = [first + "".join(rest[:50]), first + "".join(rest[50:120]), first + "".join(rest[120:200])]
    paths = [world.path(f"log{i}") for i in range(3)]
    for path, text in zip(paths, texts):
        with open(path, "w") as f:
            f.write(text)
    for path in (paths[0], paths[1], paths[2], paths[1], paths[0], paths[2]):
        result(cli, path)
    expected = awk(AWK_VIEWS, *paths)
    assert days(cli) == expected
    assert sorted(name[34:] for name in positions(cli)) == ["", "~2", "~3"]
    with open(paths[0], "a") as f:
        f.write("".join(rest[200:]))
    for path in paths:
        result(cli, path)
    assert days(cli) == awk(AWK_VIEWS, *paths), "the first is longer than the others now"


def test_a_shorter_file_is_refused(cli, world):
    lines = list(log_lines(100, seed=8))
    path = world.path("log")
    with open(path, "w") as f:
        f.write("".join(lines))
    result(cli, path)
    with open(path, "w") as f:
        f.write("".join(lines[:40]))
    counted = days(cli)
    assert cli.run("import", "-s", "a", path, code=1) == "" and "shorter" in cli.said
    assert days(cli) == counted


def test_empty_files_and_those_that_are_none(cli, world):
    path = world.path("empty")
    open(path, "w").close()
    nothing = row()
    assert result(cli, path) == nothing and positions(cli) == {}
    with open(path, "w") as f:
        f.write("unfinished")
    assert result(cli, path) == nothing and positions(cli) == {}
    assert cli.run("import", "-s", "a", world.path("none"), code=1) == ""
    assert cli.run("import", "-s", "a", world.dir, code=1) == ""
    assert cli.run("import", "-s", "nobody", path, code=1) == ""


@pytest.fixture(scope="module")
def many_pages(tmp_path_factory):
    """Every line another page, so that the import takes many calls."""
    path = tmp_path_factory.mktemp("pages") / "access.log"
    lines = [line.replace("/tin-tuc ", f"/tin/{i} ").replace("/v/tin ", f"/v/{i} ") for i, line
             in enumerate(log_lines(LINES, seed=11))]
    path.write_text("".join(lines))
    return str(path)


def test_kill_9_in_the_middle(cli, many_pages):
    chance = random.Random(13)
    in_the_middle = 0
    for _ in range(12):
        before = cli.redis.numbers().total("a")
        process = cli.start("import", "-s", "a", many_pages)
        eventually(lambda: process.poll() is not None or cli.redis.numbers().total("a") > before + chance.randrange(2000))
        process.send_signal(signal.SIGKILL)
        in_the_middle += process.wait() == -signal.SIGKILL
        process.communicate()
    assert in_the_middle >= 3, "too fast to be killed"
    got = result(cli, many_pages)
    assert got["already"] > 0 and got["lines"] == LINES
    assert days(cli) == awk(AWK_VIEWS, many_pages)


def test_processes_at_once(cli, many_pages):
    """Two of them on one site, a third on another; what one counts is not counted by the other."""
    processes = [cli.start("import", "-s", site, many_pages, "--tsv") for site in ("a", "a", "b")]
    rows = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        rows.append([int(n) for n in out.split()[:7]])
    expected = awk(AWK_VIEWS, many_pages)
    assert days(cli) == expected
    assert rows[0][1] + rows[1][1] == rows[2][1] == sum(expected.values())
    assert sum(cli.redis.numbers().sums("b").get(year, 0) for year in ("2019", "2020")) == sum(expected.values())


def test_redis_killed_in_the_middle(cli, many_pages):
    """It comes back within the 30 seconds that an import waits."""
    process = cli.start("import", "-s", "a", many_pages)
    for _ in range(3):
        before = cli.redis.numbers().total("a")
        eventually(lambda: process.poll() is not None or cli.redis.numbers().total("a") > before)
        cli.redis.stop()
        cli.redis.start()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert days(cli) == awk(AWK_VIEWS, many_pages)


def test_frozen_redis_applies_what_was_sent_once(cli, many_pages):
    """The import gives up waiting, sends the range again, and the position says that it was applied."""
    process = cli.start("import", "-s", "a", many_pages)
    eventually(lambda: cli.redis.numbers().total("a") > 0)
    cli.redis.process.send_signal(signal.SIGSTOP)
    connections = f"/proc/{process.pid}/fd"

    def sockets():
        return {os.readlink(os.path.join(connections, fd)) for fd in os.listdir(connections)
                if os.readlink(os.path.join(connections, fd)).startswith("socket")}
    first = sockets()
    try:
        eventually(lambda: process.poll() is not None or sockets() != first)
    finally:
        cli.redis.process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert int(out.split()[1]) == sum(awk(AWK_VIEWS, many_pages).values())
    assert days(cli) == awk(AWK_VIEWS, many_pages)


def test_redis_that_lost_its_tail_gets_it_again(cli, log, world):
    """An older copy of everything, positions included, as a restored backup leaves it."""
    part = world.path("part")
    with open(log) as f, open(part, "w") as out:
        out.write("".join(f.readlines()[:10000]))
    result(cli, part)
    client = cli.redis.numbers().client
    keys = client.keys("thongke:*")
    for key in keys:
        client.copy(key, "kept:" + key)
    result(cli, log)
    for key in client.keys("thongke:*"):
        client.delete(key)
    for key in keys:
        client.copy("kept:" + key, key)
    assert result(cli, log)["already"] == 10000
    assert days(cli) == awk(AWK_VIEWS, log)


def test_refused_by_redis(cli, log):
    client = cli.redis.numbers().client
    client.config_set("maxmemory", 1)
    cli.run("import", "-s", "a", log, code=5)
    assert days(cli) == {} and positions(cli) == {}
    client.config_set("maxmemory", 0)
    result(cli, log)
    assert days(cli) == awk(AWK_VIEWS, log)


def test_a_poisoned_key_is_reported_and_the_rest_is_counted(cli, log):
    numbers = cli.redis.numbers()
    numbers.client.set(numbers.key("a", "pages"), "not a table")
    cli.run("import", "-s", "a", log, code=5)
    assert numbers.key("a", "pages") in cli.said
    assert days(cli) == awk(AWK_VIEWS, log)
    assert result(cli, log)["already"] == LINES


def test_redis_of_another_schema_is_left_alone(cli, log):
    cli.redis.numbers().client.hset("thongke:meta", "schema", "9")
    cli.run("import", "-s", "a", log, code=5)
    assert days(cli) == {} and positions(cli) == {}


def test_unreachable_redis(cli, log):
    cli.redis.stop()
    assert cli.run("import", "-s", "a", log, code=4) == ""


def test_a_terminal_sees_progress_and_a_table(cli, many_pages):
    shown = cli.terminal("import", "-s", "a", many_pages)
    assert " %" in shown and "lines" in shown
    assert f"{LINES:,}".replace(",", ".") in shown.split("\x1b[K")[-1]
