# SPDX-License-Identifier: BSD-2-Clause
"""`thongke` over numbers that the test puts into Redis by the documented names; the clock is frozen where it matters.

The moment is 2020-05-20 14:32:07 in Vietnam (UTC+7, no summer time), a Wednesday of ISO week 21.
"""
import csv
import datetime
import fractions
import io
import os
import re
import signal
import subprocess
import unicodedata

import pytest

from cli import FAKETIME, THONGKE, Cli
from world import eventually

NOW = "2020-05-20 07:32:07"
PASSED = 14 * 3600 + 32 * 60 + 7  # seconds of the day
needs_clock = pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")


def put(redis):
    """653 today, 1508 yesterday, 20571 this month, 167386 this year, as in the counter that the project copies."""
    numbers = redis.numbers()
    numbers.client.hset(numbers.key("a", "hits"), mapping={
        "2020-05": 20571, "2020-04": 30000, "2020": 167386, "2019": 200000, "2020-W21": 5000, "2020-W20": 7000,
        "all": 367386})
    numbers.client.hset(numbers.key("a", "hits:2020"), mapping={"05-20": 653, "05-19": 1508, "01-01": 7})
    numbers.client.hset(numbers.key("a", "hits:2019"), mapping={"12-31": 11})
    numbers.client.hset(numbers.key("a", "hours:2020-05-20"), mapping={"09": 600, "14": 53})
    numbers.client.hset(numbers.key("a", "visits"), mapping={"2020-05": 9000, "2020": 70000, "2019": 90000,
                                                             "2020-W21": 2200, "all": 160000})
    numbers.client.hset(numbers.key("a", "visits:2020"), mapping={"05-20": 401, "05-19": 800})
    numbers.client.hset(numbers.key("a", "visitors"), mapping={"2020-05": 8000, "2020": 60000, "2020-W21": 2000,
                                                               "all": 60000})
    numbers.client.hset(numbers.key("a", "visitors:2020"), mapping={"05-20": 377, "05-19": 700})
    moment = datetime.datetime.fromisoformat(NOW + "+00:00").timestamp() * 1000
    numbers.client.zadd(numbers.key("a", "seen"), {f"{n:016x}": moment - 100_000 * n for n in range(5)})
    return numbers


@pytest.fixture
def cli(world):
    redis = world.redis()
    put(redis)
    return Cli(world, redis)


@pytest.fixture
def then(cli):
    return cli.frozen(NOW)


def estimate(hits, passed, whole):
    return int(fractions.Fraction(hits * whole, passed) + fractions.Fraction(1, 2))


@needs_clock
def test_days(then):
    answer = then.json("days", "-s", "a")
    assert (answer["schema"], answer["site"], answer["timezone"]) == (1, "a", "Asia/Ho_Chi_Minh")
    rows = answer["rows"]
    assert len(rows) == 30
    assert rows[-1] == {"period": "2020-05-20", "hits": 653, "visits": 401, "visitors": 377, "complete": False,
                        "estimate": estimate(653, PASSED, 86400)}
    assert rows[-2] == {"period": "2020-05-19", "hits": 1508, "visits": 800, "visitors": 700, "complete": True}
    assert rows[0] == {"period": "2020-04-21", "hits": 0, "visits": 0, "visitors": 0, "complete": True}


@needs_clock
def test_another_metric_has_the_bar_and_the_estimate(then):
    [row] = then.rows("days", "-s", "a", "today", "--metric", "visitors")
    assert row == {"period": "2020-05-20", "hits": 653, "visits": 401, "visitors": 377, "complete": False,
                   "estimate": estimate(377, PASSED, 86400)}
    lines = then.terminal("days", "-s", "a", "2d", "--metric=visitors", "--color=never").splitlines()
    rows = {line.split()[0]: line for line in lines if line.startswith("2020-")}
    full = rows["2020-05-19"].count("█")
    assert full > 25 and abs(rows["2020-05-20"].count("▒") - full * 377 / 700) <= 1


@needs_clock
def test_ranges(then):
    def days(*words):
        return [row["period"] for row in then.rows("days", "-s", "a", *words)]
    assert days("today") == ["2020-05-20"]
    assert days("yesterday") == ["2020-05-19"]
    assert days("7d") == [f"2020-05-{day}" for day in range(14, 21)]
    assert days("2020-02")[::28] == ["2020-02-01", "2020-02-29"]
    assert days("2020-W20") == [f"2020-05-{day}" for day in range(11, 18)]
    assert days("2020-05", "--limit", "2") == ["2020-05-19", "2020-05-20"], "nothing that lies ahead"
    assert days("--limit=3") == ["2020-05-18", "2020-05-19", "2020-05-20"]
    assert days("--from", "2020-05-18", "--to", "2020-05-19") == ["2020-05-18", "2020-05-19"]
    assert days("--to", "2019-12-31", "--limit", "1") == ["2019-12-31"]
    assert len(days("--from", "2019")) == 365 + 31 + 29 + 31 + 30 + 20
    assert days("2021") == []


@needs_clock
def test_a_range_over_new_year_reads_both_years(then):
    rows = then.rows("days", "-s", "a", "--from", "2019-12-31", "--to", "2020-01-01")
    assert [row["hits"] for row in rows] == [11, 7]


@needs_clock
def test_weeks_months_years(then):
    weeks = then.rows("weeks", "-s", "a")
    assert len(weeks) == 12
    assert weeks[-1] == {"period": "2020-W21", "hits": 5000, "visits": 2200, "visitors": 2000, "complete": False,
                         "estimate": estimate(5000, 2 * 86400 + PASSED, 7 * 86400)}
    assert weeks[-2] == {"period": "2020-W20", "hits": 7000, "visits": 0, "visitors": 0, "complete": True}
    months = then.rows("months", "-s", "a")
    assert len(months) == 12 and months[0]["period"] == "2019-06"
    assert months[-1] == {"period": "2020-05", "hits": 20571, "visits": 9000, "visitors": 8000, "complete": False,
                          "estimate": estimate(20571, 19 * 86400 + PASSED, 31 * 86400)}
    day_of_year = 31 + 29 + 31 + 30 + 19
    assert then.rows("years", "-s", "a") == [
        {"period": "2019", "hits": 200000, "visits": 90000, "visitors": 0, "complete": True},
        {"period": "2020", "hits": 167386, "visits": 70000, "visitors": 60000, "complete": False,
         "estimate": estimate(167386, day_of_year * 86400 + PASSED, 366 * 86400)}]
    touched = then.rows("months", "-s", "a", "--from", "2020-03-31", "--to", "2020-05-01")
    assert [row["period"] for row in touched] == ["2020-03", "2020-04", "2020-05"]


@needs_clock
def test_hours_are_always_24(then):
    rows = then.rows("hours", "-s", "a")
    assert [row["period"] for row in rows] == [f"2020-05-20T{hour:02}" for hour in range(24)]
    assert {row["period"][-2:]: row["hits"] for row in rows if row["hits"]} == {"09": 600, "14": 53}
    assert [row["complete"] for row in rows] == [True] * 14 + [False] * 10
    assert [row["period"] for row in rows if "estimate" in row] == ["2020-05-20T14"]
    assert rows[14]["estimate"] == estimate(53, 32 * 60 + 7, 3600)
    assert len(then.rows("hours", "-s", "a", "2d")) == 48
    assert [row["period"] for row in then.rows("hours", "-s", "a", "--limit", "2")] == ["2020-05-20T13", "2020-05-20T14"]


@needs_clock
def test_hours_that_are_not_kept_are_unknown_and_those_without_hits_are_not(then):
    assert {row["hits"] for row in then.rows("hours", "-s", "a", "2020-05-19")} == {None}
    assert {row["hits"] for row in then.rows("hours", "-s", "a", "2020-05-18")} == {0}


@needs_clock
def test_each_site_has_its_own_day(then):
    """At 20:00 UTC it is the next day in Vietnam."""
    then.frozen("2020-05-20 20:00:00")
    assert then.rows("days", "-s", "a", "today")[0]["period"] == "2020-05-21"
    assert then.rows("days", "-s", "b", "today")[0]["period"] == "2020-05-20"


@needs_clock
def test_csv_and_tsv_are_the_rows_of_the_json(then):
    rows = then.rows("days", "-s", "a", "2d")
    written = then.run("days", "-s", "a", "2d", "--csv")
    assert written.count("\r\n") == 3
    read = list(csv.DictReader(io.StringIO(written, newline="")))
    assert list(read[0]) == ["period", "hits", "visits", "visitors", "complete", "estimate"]
    plain = {True: "true", False: "false"}
    for row, got in zip(rows, read, strict=True):
        assert got == {key: "" if key not in row else plain.get(row[key], str(row[key])) if isinstance(row[key], bool)
                       else str(row[key]) for key in got}
    tabs = [line.split("\t") for line in then.run("days", "-s", "a", "2d").splitlines()]
    assert tabs == [list(got.values()) for got in read]
    assert then.run("days", "-s", "a", "2d", "--tsv") == then.run("days", "-s", "a", "2d")


@needs_clock
def test_counts_is_what_the_counter_shows(then):
    assert then.run("counts", "-s", "a", "--table") == (
        "Thống kê truy cập\nHôm nay : 653\nHôm qua : 1.508\nTháng 05 : 20.571\nNăm 2020 : 167.386\n")
    assert "1,508" in then.run("counts", "-s", "a", "--table", "--lang", "en")
    answer = then.json("counts", "-s", "a")
    assert answer["hits"] == {"today": 653, "yesterday": 1508, "week": 5000, "last_week": 7000, "month": 20571,
                              "last_month": 30000, "year": 167386, "last_year": 200000, "total": 367386}
    assert answer["rows"][2] == {"row": "month", "label": "Tháng 05", "value": 20571, "text": "20.571"}
    read = list(csv.DictReader(io.StringIO(then.run("counts", "-s", "a", "--csv"))))
    periods = [{metric: answer[metric][row["row"]] for metric in ("hits", "visits", "visitors")} for row in answer["rows"]]
    assert read == [{key: str(value) for key, value in {**row, **period}.items()}
                    for row, period in zip(answer["rows"], periods, strict=True)]
    assert answer["visits"]["today"] == 401 and answer["visitors"]["yesterday"] == 700 and answer["online"] == 4
    assert "Hôm nay : 377\n" in then.run("counts", "-s", "a", "--table", "--metric=visitors")


def columns(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@needs_clock
def test_a_terminal_of_80_columns_gets_a_table(then):
    shown = then.terminal("days", "-s", "a", "7d")
    bare = re.sub(r"\x1b\[\d*m", "", shown)
    lines = bare.splitlines()
    assert max(columns(line) for line in lines) <= 80
    rows = {line.split()[0]: line for line in lines if line.startswith("2020-")}
    assert list(rows) == [f"2020-05-{day}" for day in range(14, 21)]
    assert rows["2020-05-19"].split()[1] == "1.508" and rows["2020-05-20"].split()[1:3] == ["*", "653"]
    full = rows["2020-05-19"].count("█")
    assert abs(rows["2020-05-20"].count("▒") - full * 653 / 1508) <= 1 and full > 25, "half-tone: it is not over"
    assert "▒" not in rows["2020-05-19"] and "█" not in rows["2020-05-20"]
    assert rows["2020-05-20"].split()[3:5] == ["401", "377"]
    assert len({line.index("653") + 3 if "653" in line else line.index("1.508") + 5
                for line in (rows["2020-05-19"], rows["2020-05-20"])}) == 1, "numbers stand under each other"
    assert any(line.split()[-3:] == ["2.161", "1.201", "1.077"] for line in lines), "653 + 1508, 401 + 800, 377 + 700"
    assert any(line.split()[-3:] == ["251", "133", "117"] for line in lines), "the average of the six days that are over"
    assert bare.rstrip().endswith(f"{estimate(653, PASSED, 86400):,}".replace(",", "."))
    assert "\x1b[" in shown
    assert "\x1b[" not in then.terminal("days", "-s", "a", "7d", env={"NO_COLOR": "1"})
    assert "\x1b[" not in then.terminal("days", "-s", "a", "7d", "--color", "never")
    assert "\x1b[" in then.run("days", "-s", "a", "7d", "--table", "--color=always")
    piped = then.run("days", "-s", "a", "7d", "--table")
    assert "653" in piped and not {"█", "▒", "\x1b"} & set(piped), "bars are for a terminal"


@needs_clock
@pytest.mark.parametrize("width", [20, 40, 60, 80, 132, 200])
def test_other_widths(then, width):
    lines = then.terminal("days", "-s", "a", "7d", "--color=never", columns=width).splitlines()
    rows = [line for line in lines if line.startswith("2020-")]
    assert len(rows) == 7 and max(map(columns, rows)) <= width
    assert ("401" in rows[-1], "377" in rows[-1]) == (width > 40, width > 40), "there is room for them, and for a bar"


def test_words_follow_the_language(cli):
    assert "Ngày" in cli.run("days", "-s", "a", "--table")
    assert "Day" in cli.run("days", "-s", "a", "--table", "--lang=en")
    assert "Day" in cli.run("days", "-s", "b", "--table"), "the site's own language"


def test_sites(cli):
    numbers = cli.redis.numbers()
    numbers.client.hset("thongke:sites", mapping={"a": "x", "gone": "x"})
    rows = cli.rows("sites")
    assert [(row["site"], row["configured"]) for row in rows] == [("a", True), ("b", True), ("gone", False)]
    assert rows[1]["timezone"] == "UTC" and rows[1]["language"] == "en" and rows[1]["hosts"] == "b.example"
    assert f"{rows[0]['shard']:02}" in numbers.key("a", "")
    cli.redis.stop()
    assert len(cli.run("sites", code=4).splitlines()) == 2, "what the configuration says is shown all the same"


def test_options_stand_anywhere(cli, world):
    first = cli.run("days", "2020-05-20", "-s", "a", "--json")
    for words in (["-s", "a", "--json", "days", "2020-05-20"], ["--json", "days", "-sa", "2020-05-20"],
                  ["days", "--site=a", "2020-05-20", "--json"]):
        assert cli.run(*words) == first
    done = subprocess.run([THONGKE, "sites"], env=cli.environment({"THONGKE_CONF": cli.conf}), capture_output=True)
    assert done.returncode == 0 and done.stdout.startswith(b"a\t")
    assert cli.rows("-o", "site.b.timezone=Asia/Kathmandu", "sites")[1]["timezone"] == "Asia/Kathmandu"


def test_the_site_may_be_left_out_where_there_is_one(world):
    alone = Cli(world, world.redis(), sites='site "only" { hosts = {"o.example"} }\n')
    assert alone.json("days", "today")["site"] == "only"


def test_version_and_help_need_no_configuration():
    for words in (["version"], ["--help"], ["days", "--help"]):
        done = subprocess.run([THONGKE, *words], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout and not done.stderr
    for command in ("summary", "hours", "days", "weeks", "months", "years", "top", "counts", "sites", "import", "doctor", "explain", "journal"):
        assert command in done.stdout


USAGE_ERRORS = """
nonsense | days --nonsense | days -x | -s | days | import | journal | journal nonsense | version x
days -s a tomorrow | days -s a 7d 8d | days -s a 7d --from 2020 | days -s a --from 0001-01-01
hours -s a --metric visits | days -s a --metric clicks | sites --metric hits
days -s a --limit 0 | days | days -s a --all | counts -s a -s b | version --json | days -s a --limit x | days -s a --json --csv | days -s a --lang fr | summary --color red
summary --from 2020 | counts --all | summary a | top | top nonsense | top pages all --from 2020 | top pages 7d 8d
"""


def test_usage_errors_are_one_sentence(cli):
    for words in re.split(r"[|\n]", USAGE_ERRORS.strip()):
        assert cli.run(*words.split(), code=2) == ""
        assert cli.said.count("\n") == 1, words
    assert cli.run("hours", "-s", "a", "0001") == "", "no hour was counted before 1970"


def test_exit_codes(cli, world):
    assert cli.run("days", "-s", "nobody", code=1) == ""
    assert cli.run("-c", "/nonexistent", "days", code=3) == ""
    assert cli.run("-o", "site.a.language=fr", "days", code=3) == ""
    assert cli.run("-o", "redis=nonsense", "days", "-s", "a", code=3) == ""
    assert cli.run("-o", f"redis=unix:{world.path('nothing')}", "days", "-s", "a", code=4) == ""
    assert cli.run("-o", "redis=private", "days", "-s", "a", code=4) == "", "a private one lives with its daemon"
    cli.redis.numbers().client.config_set("requirepass", "secret")
    assert cli.run("days", "-s", "a", code=5) == ""
    assert cli.said.count("\n") == 1
    with open(world.path("password"), "w") as f:
        f.write("secret\n")
    cli.run("-o", f"redis_password_file={world.path('password')}", "days", "-s", "a")


def test_a_full_disk_under_stdout_is_said(cli):
    with open("/dev/full", "w") as full:
        done = subprocess.run(cli.command("days", "-s", "a"), env=cli.environment(), stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"standard output" in done.stderr


def test_a_reader_that_has_left_is_not_worth_a_word(cli):
    there, here = os.pipe()
    os.close(there)
    done = subprocess.run(cli.command("days", "-s", "a"), env=cli.environment(), stdout=here, stderr=subprocess.PIPE)
    os.close(here)
    assert done.returncode == -signal.SIGPIPE and done.stderr == b""


def files_of(directory):
    found = {}
    for place, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as f:
                found[path] = (os.stat(path).st_mtime_ns, f.read())
    return found


def test_journal_is_listed_and_verified_beside_a_daemon(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    cli = Cli(world, redis, conf="", sites='site "a" { hosts = {"a.example"} }\n')
    cli.conf = daemon.conf
    daemon.hits(50)
    eventually(lambda: redis.numbers().total("a") == 50)
    before = {path: data.rstrip(b"\0") for path, (_, data) in files_of(daemon.state + "/journal").items()}
    listed, verified = cli.rows("journal", "list"), cli.rows("journal", "verify")
    after = {path: data.rstrip(b"\0") for path, (_, data) in files_of(daemon.state + "/journal").items()}
    assert before == after, "it only looks"
    assert {row["stream"] for row in listed} == set(os.listdir(daemon.state + "/journal"))
    assert sum(row["records"] for row in verified) == 50 and sum(row["damaged"] for row in verified) == 0
    assert sum(row["bytes"] for row in listed) == sum(len(data) for data in before.values())
    assert all(row["first"] == 0 and row["end"] == row["bytes"] and 0 <= row["age"] < 60 for row in listed)
    daemon.hits(5)
    daemon.stop()
    assert sum(row["records"] for row in cli.rows("journal", "verify")) == 55


def test_damage_in_the_journal_is_found(world):
    redis = world.redis()
    daemon = world.thongked("workers = 1", redis=redis).start()
    cli = Cli(world, redis, sites='site "a" { hosts = {"a.example"} }\n')
    cli.conf = daemon.conf
    daemon.hits(20)
    eventually(lambda: redis.numbers().total("a") == 20)
    daemon.stop()
    [path] = files_of(daemon.state + "/journal")
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 1]))
    kept = files_of(daemon.state + "/journal")
    rows = [row.split("\t") for row in cli.run("journal", "verify", code=1).splitlines()]
    assert [(row[2], row[4]) for row in rows] == [("19", "1")], "the other records are read"
    assert files_of(daemon.state + "/journal") == kept
    cli.run("-o", f"state_dir={world.path('nothing')}", "journal", "list", code=1)


TOP_DAYS = {"2020-05-20": {"/a": 5, "/b": 3, "(other)": 9}, "2020-05-19": {"/a": 1, "/c": 7},
            "2020-05-18": {"/x": 100}, "2020-03-31": {"/a": 2}}
TOP_MONTHS = {"2020-05": {"/a": 60, "/x": 100}, "2020-04": {"/a": 20, "/d": 4}}


@pytest.fixture
def tables(then):
    numbers = then.redis.numbers()
    for period, table in {**TOP_DAYS, **TOP_MONTHS}.items():
        numbers.client.zadd(numbers.key("a", f"pages:{period}"), table)
    numbers.client.zadd(numbers.key("a", "pages"), {"/a": 1000, "/z": 3000})
    numbers.client.zadd(numbers.key("a", "countries:2020-05-20"), {"VN": 8, "JP": 1, "XX": 1})
    numbers.client.zadd(numbers.key("a", "countries:2019-12"), {"US": 6})
    numbers.client.zadd(numbers.key("a", "countries:2020-05"), {"VN": 2})
    return then


def ranked(*tables):
    """Sums of tables, most hits first, then by value, (other) last, with shares of the sum to four places."""
    sums = {}
    for table in tables:
        for value, hits in table.items():
            sums[value] = sums.get(value, 0) + hits
    order = sorted(sums.items(), key=lambda row: (row[0] == "(other)", -row[1], row[0]))
    return [{"value": value, "hits": hits, "share": int(hits * 10000 / sum(sums.values()) + 0.5) / 10000}
            for value, hits in order]


@needs_clock
def test_top_is_the_sum_of_the_tables_in_its_range(tables):
    answer = tables.json("top", "pages", "-s", "a")
    assert answer == {"schema": 1, "site": "a", "timezone": "Asia/Ho_Chi_Minh", "dimension": "pages", "from": "2020-05-20",
                      "to": "2020-05-20", "rows": ranked(TOP_DAYS["2020-05-20"])}
    two = tables.json("top", "pages", "-s", "a", "--from", "2020-05-19")
    assert (two["from"], two["to"], two["rows"]) == ("2020-05-19", "2020-05-20",
                                                     ranked(TOP_DAYS["2020-05-20"], TOP_DAYS["2020-05-19"]))
    month = tables.rows("top", "pages", "2020-05", "-s", "a")
    assert month == ranked(TOP_MONTHS["2020-05"]), "its own table, the running one's too"
    over = tables.rows("top", "pages", "-s", "a", "--from", "2020-03-31", "--to", "2020-05-19")
    assert over == ranked(TOP_DAYS["2020-03-31"], TOP_MONTHS["2020-04"], TOP_DAYS["2020-05-18"], TOP_DAYS["2020-05-19"])
    assert "35 days" in tables.said, "2020-03-31 is older"
    tables.run("top", "pages", "-s", "a", "--from", "2020-04-15")
    assert tables.said == ""
    assert tables.rows("top", "pages", "2021", "-s", "a") == []


@needs_clock
def test_top_of_all_time(tables):
    answer = tables.json("top", "pages", "all", "-s", "a")
    assert answer["rows"] == ranked({"/a": 1000, "/z": 3000}) and "from" not in answer
    assert tables.rows("top", "countries", "all", "-s", "a") == ranked({"US": 6}, {"VN": 2}), "of months, from the first year"


@needs_clock
def test_top_names_countries_for_people_and_their_codes_for_programs(tables):
    assert tables.run("top", "countries", "-s", "a") == "VN\t8\t0.8\nJP\t1\t0.1\nXX\t1\t0.1\n"
    shown = tables.run("top", "countries", "-s", "a", "--table")
    assert "Việt Nam" in shown and "Nhật Bản" in shown and "XX" in shown
    assert "Vietnam" in tables.run("top", "countries", "-s", "a", "--table", "--lang=en")


@needs_clock
def test_a_table_of_top_fits_the_terminal_and_has_20_rows(tables):
    numbers = tables.redis.numbers()
    numbers.client.zadd(numbers.key("a", "referrers:2020-05-20"), {f"{n:03}.{'x' * 100}.example": n for n in range(1, 101)})
    lines = tables.terminal("top", "referrers", "-s", "a", "--color=never").splitlines()
    rows = [line for line in lines if "xxx" in line]
    assert len(rows) == 20 and [row[:3] for row in rows] == [f"{n:03}" for n in range(100, 80, -1)]
    assert max(map(columns, rows)) <= 80 and "…" in rows[0] and rows[0].count("█") >= 10
    assert rows[0].split()[1:4] == ["100", "2,0", "%"], "100 of 5050"
    assert any(line.split() == ["Tổng", "5.050"] for line in lines)
    assert len(tables.rows("top", "referrers", "-s", "a")) == 100
    assert [row["hits"] for row in tables.rows("top", "referrers", "-s", "a", "--limit", "2")] == [100, 99]
    last = tables.rows("top", "pages", "-s", "a", "--limit", "1")
    assert [row["value"] for row in last] == ["/a", "(other)"]


RENDERINGS = ["--table", "--tsv", "--csv", "--json", "--ndjson", "--oneline", "--prom"]
LOUD = ["\x1b[2J", "\x9b31m", "\u202egnp.exe", "a\0b", "x\ny", "\tz", "=HYPERLINK(1)", "+1", "@SUM(1)", "-1", "\uff1d1", "\x7f"]


@needs_clock
def test_what_strangers_wrote_is_inert_in_every_rendering(then):
    numbers = then.redis.numbers()
    numbers.client.zadd(numbers.key("a", "pages:2020-05-20"), {value: 1 for value in LOUD})
    numbers.client.zadd(numbers.key("a", "pages:2020-05-20"), {b"\xff\xfe": 1})
    for rendering in RENDERINGS:
        written = then.run("top", "pages", "-s", "a", rendering, "--limit=50")
        acting = {c for c in written if c not in "\n\r\t" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
        assert acting == set(), rendering
    assert len(then.run("top", "pages", "-s", "a", "--tsv").splitlines()) == len(LOUD) + 1
    cells = [row["value"] for row in csv.DictReader(io.StringIO(then.run("top", "pages", "-s", "a", "--csv"), newline=""))]
    assert len(cells) == len(LOUD) + 1 and not [cell for cell in cells if cell.strip()[0] in "=+-@\uff1d"]
    values = [row["value"] for row in then.rows("top", "pages", "-s", "a")]
    assert sorted(values) == sorted(LOUD + ["\ufffd\ufffd"]), "a program gets what is there"


def test_names_of_sites_that_somebody_wrote_into_redis_are_inert(cli):
    numbers = cli.redis.numbers()
    for value in LOUD:
        numbers.client.hset("thongke:sites", value, "x")
    for rendering in RENDERINGS:
        written = cli.run("sites", rendering)
        assert {c for c in written if c not in "\n\r\t" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} == set(), rendering
    cells = [row["site"] for row in csv.DictReader(io.StringIO(cli.run("sites", "--csv"), newline=""))]
    assert len(cells) == len(LOUD) + 2 and not [cell for cell in cells if cell.strip()[0] in "=+-@\uff1d"]
    assert len(cli.run("sites", "--tsv").splitlines()) == len(LOUD) + 2


def test_what_explain_is_given_is_inert(cli):
    loud = "".join(value for value in LOUD if "\0" not in value)
    for rendering in RENDERINGS:
        done = subprocess.run([*cli.command("explain", "-s", "a", "--ua", loud, "--url", "/" + loud, "--referrer", "http://x/" + loud, rendering)],
                              env=cli.environment(), capture_output=True)
        written = done.stdout.decode() + done.stderr.decode()
        assert {c for c in written if c not in "\n\r\t" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} == set(), rendering
