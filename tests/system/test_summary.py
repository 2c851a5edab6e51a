# SPDX-License-Identifier: BSD-2-Clause
"""`thongke` alone, several sites at once, and the renderings that bars, collectors and other programs read. Numbers are put
into Redis by the documented names; what is expected is worked out from them here, with fractions.

The moment is 2020-05-20 14:32:07 in Vietnam, as in test_cli.py.
"""
import csv
import datetime
import fractions
import io
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli import Cli
from test_cli import NOW, PASSED, columns, estimate, needs_clock, put

TODAY = datetime.date(2020, 5, 20)
RENDERINGS = ["--table", "--tsv", "--csv", "--json", "--ndjson", "--oneline", "--prom"]


def change(now, before):
    """To four significant digits, as JSON has it; None where there is nothing to compare with."""
    if not before:
        return None
    ten_thousandths = int(abs(fractions.Fraction(now - before, before)) * 10000 + fractions.Fraction(1, 2))
    return float(f"{(ten_thousandths if now >= before else -ten_thousandths) / 10000:.4g}")


def history(numbers, site, per_day):
    """Hits, visits and visitors of every day since 2019-01-01 by a rule, and all that follows from them; hours of three days."""
    hits, sums = {}, {}
    day = datetime.date(2019, 1, 1)
    while day <= TODAY:
        hits[day] = per_day + day.toordinal() * 37 % 101
        day += datetime.timedelta(days=1)
    for metric, share in (("hits", 1), ("visits", 2), ("visitors", 3)):
        fields = {}
        for day, count in hits.items():
            week = "{}-W{:02}".format(*day.isocalendar()[:2])
            fields.setdefault(f"{metric}:{day.year}", {})[f"{day:%m-%d}"] = count // share
            for name in (f"{day:%Y-%m}", f"{day.year}", week, "all"):
                sums.setdefault(metric, {})[name] = sums.get(metric, {}).get(name, 0) + count // share
        for tail, mapping in {**fields, metric: sums[metric]}.items():
            numbers.client.hset(numbers.key(site, tail), mapping=mapping)
    hours = {}
    for day in (TODAY, TODAY - datetime.timedelta(days=1), datetime.date(2020, 4, 20), datetime.date(2019, 5, 20)):
        hours[day] = {hour: hits[day] // 24 for hour in range(24)}
        numbers.client.hset(numbers.key(site, f"hours:{day}"), mapping={f"{h:02}": n for h, n in hours[day].items()})
    return hits, sums, hours


def until_now(hours):
    """Whole hours, and of the running one its share, rounded."""
    running = fractions.Fraction(hours[14] * (32 * 60 + 7), 3600)
    return sum(hours[hour] for hour in range(14)) + int(running + fractions.Fraction(1, 2))


def days_of(hits, first, last):
    return sum(count for day, count in hits.items() if first <= day <= last)


def expected(site, hits, sums, hours):
    """The two rows of a site."""
    before = {"today": until_now(hours[TODAY - datetime.timedelta(days=1)]),
              "month": days_of(hits, datetime.date(2020, 4, 1), datetime.date(2020, 4, 19)) + until_now(hours[datetime.date(2020, 4, 20)]),
              "year": days_of(hits, datetime.date(2019, 1, 1), datetime.date(2019, 5, 19)) + until_now(hours[datetime.date(2019, 5, 20)])}
    passed = {"today": (PASSED, 86400), "month": (19 * 86400 + PASSED, 31 * 86400), "year": (140 * 86400 + PASSED, 366 * 86400)}
    rows = []
    for metric, share in (("hits", 1), ("visitors", 3)):
        of_day = {day: count // share for day, count in hits.items()}
        now = {"today": of_day[TODAY], "month": sums[metric]["2020-05"], "year": sums[metric]["2020"]}
        row = {"site": site, "metric": metric, "today": now["today"], "yesterday": of_day[TODAY - datetime.timedelta(days=1)],
               "month": now["month"], "year": now["year"], "total": sums[metric]["all"]}
        if metric == "visitors":
            row["online"] = 0
            whole = {"month": (datetime.date(2020, 5, 1), datetime.date(2020, 4, 1), datetime.date(2020, 4, 19)),
                     "year": (datetime.date(2020, 1, 1), datetime.date(2019, 1, 1), datetime.date(2019, 5, 19))}
            row["today_change"] = None
            for name, (first, then, until) in whole.items():
                row[f"{name}_change"] = change(days_of(of_day, first, datetime.date(2020, 5, 19)), days_of(of_day, then, until))
        else:
            row.update({f"{name}_change": change(now[name], before[name]) for name in before})
        row.update({f"{name}_estimate": estimate(now[name], *passed[name]) for name in passed})
        rows.append(row)
    return rows


@pytest.fixture
def then(world):
    redis = world.redis()
    cli = Cli(world, redis).frozen(NOW)
    cli.known = history(redis.numbers(), "a", 600)
    return cli


@needs_clock
def test_summary_compares_with_the_same_time_of_the_period_before(then):
    answer = then.json()
    assert answer["rows"][:2] == expected("a", *then.known)
    assert then.rows("summary", "-s", "a") == answer["rows"][:2]
    assert answer["rows"][2] == {"site": "b", "metric": "hits", **dict.fromkeys(["today", "yesterday", "month", "year", "total"], 0),
                                 **dict.fromkeys(["today_change", "month_change", "year_change"]),
                                 **dict.fromkeys(["today_estimate", "month_estimate", "year_estimate"], 0)}
    assert [row["metric"] for row in then.rows("--metric", "visits", "-s", "a")] == ["visits"]


@needs_clock
def test_who_is_online(then):
    numbers = then.redis.numbers()
    put(then.redis)
    assert [row.get("online") for row in then.rows("-s", "a")] == [None, 4], "those of the last 300 s, and 0, 100, 200, 300 s ago"
    assert numbers.client.zcard(numbers.key("a", "seen")) == 5


@needs_clock
def test_hours_that_are_not_known_leave_whole_days(then):
    numbers = then.redis.numbers()
    numbers.client.delete(numbers.key("a", "hours:2020-05-19"), numbers.key("a", "hours:2020-04-20"))
    hits, _, _ = then.known
    row = then.rows("-s", "a")[0]
    assert row["today_change"] is None
    assert row["month_change"] == change(days_of(hits, datetime.date(2020, 5, 1), datetime.date(2020, 5, 19)),
                                         days_of(hits, datetime.date(2020, 4, 1), datetime.date(2020, 4, 19)))


@needs_clock
def test_a_total_of_every_site(then):
    history(then.redis.numbers(), "b", 50)
    rows = then.rows("summary", "--all")
    assert [row["site"] for row in rows] == ["a", "a", "b", "b", "(total)", "(total)"]
    for name in ("today", "yesterday", "month", "year", "total", "today_estimate", "month_estimate", "year_estimate"):
        assert rows[4][name] == rows[0][name] + rows[2][name], name
    assert rows[5]["online"] == 0
    lowest, highest = sorted(row["year_change"] for row in (rows[0], rows[2]))
    assert lowest <= rows[4]["year_change"] <= highest
    assert "Tổng" in then.run("--all", "--oneline").splitlines()[-1]


@needs_clock
def test_several_sites_in_one_answer(then):
    hits_of_b, _, _ = history(then.redis.numbers(), "b", 50)
    hits = then.known[0]
    days = [TODAY - datetime.timedelta(days=n) for n in (1, 0)]
    both = then.json("days", "2d", "-s", "b", "-s", "a")
    assert "site" not in both
    assert [(row["site"], row["period"], row["hits"]) for row in both["rows"]] == [
        *[("b", str(day), hits_of_b[day]) for day in days], *[("a", str(day), hits[day]) for day in days]]
    every = then.rows("days", "2d", "--all")
    assert [(row["period"], row["hits"]) for row in every if row["site"] == "(total)"] == [
        (str(day), hits[day] + hits_of_b[day]) for day in days]
    # In UTC it is 07:32:07: less of b's day has passed, and its estimate is another.
    assert every[-1]["estimate"] == estimate(hits[TODAY], PASSED, 86400) + estimate(hits_of_b[TODAY], PASSED - 7 * 3600, 86400)
    lines = [json.loads(line) for line in then.run("days", "2d", "--all", "--ndjson").splitlines()]
    assert lines == every, "a row a line, with its site"
    assert then.run("days", "2d", "--all").splitlines()[0].split("\t")[:3] == ["a", "2020-05-19", str(hits[days[0]])]
    read = list(csv.DictReader(io.StringIO(then.run("days", "2d", "--all", "--csv"), newline="")))
    assert [(row["site"], row["period"], int(row["hits"])) for row in read] == [
        (row["site"], row["period"], row["hits"]) for row in every]


@needs_clock
def test_a_total_of_tables_of_a_dimension(then):
    numbers = then.redis.numbers()
    numbers.client.zadd(numbers.key("a", "pages:2020-05-20"), {"/x": 5, "/y": 1})
    numbers.client.zadd(numbers.key("b", "pages:2020-05-20"), {"/x": 2, "/z": 4})
    rows = then.rows("top", "pages", "--all")
    assert [(row["value"], row["hits"]) for row in rows if row["site"] == "(total)"] == [("/x", 7), ("/z", 4), ("/y", 1)]
    assert [(row["value"], row["hits"]) for row in rows if row["site"] == "b"] == [("/z", 4), ("/x", 2)]
    assert then.run("top", "pages", "-s", "a", "--oneline") == "a  /x 5  /y 1\n"


@needs_clock
@pytest.mark.parametrize("width", [60, 80, 200])
def test_summary_fits_the_terminal(then, width):
    hits, sums, _ = then.known
    shown = then.terminal("--color=never", "-s", "a", columns=width).splitlines()
    assert max(map(columns, shown)) <= width and len(shown) == 8
    words = {line.split("  ")[0]: line for line in shown}
    assert words["Hôm nay"].split()[2] == str(hits[TODAY]) and words["Năm 2020"].split()[2] == f"{sums['hits']['2020']:,}".replace(",", ".")
    assert "Trực tuyến: 0" in shown[0]
    row = expected("a", *then.known)[0]
    assert f"{row['month_change'] * 100:+.1f} %".replace(".", ",") in words["Tháng 05"]
    ends = {columns(line[:line.index(value) + len(value)]) for line, value in (
        (words["Hôm nay"], str(hits[TODAY])), (words["Tháng 05"], f"{sums['hits']['2020-05']:,}".replace(",", ".")))}
    assert len(ends) == 1, "numbers end in one column"
    assert ("Ước tính" in shown[2].split("Khách")[1]) == (width >= 80), "what is estimated of visitors goes first"


@needs_clock
def test_a_line_for_a_status_bar(then):
    row, visitors = expected("a", *then.known)
    day = f"{row['today_change'] * 100:+.1f} %".replace(".", ",")
    assert then.run("-s", "a", "--oneline") == f"a  Lượt xem {row['today']} ({day})  Khách {visitors['today']}  Trực tuyến 0\n"
    assert len(then.run("--oneline").splitlines()) == 2, "one for each site"
    hours = then.run("hours", "-s", "a", "--oneline")
    assert hours == f"a  {'█' * 15}  {then.known[0][TODAY] // 24} ~{estimate(then.known[0][TODAY] // 24, 32 * 60 + 7, 3600)}\n"
    assert then.run("counts", "-s", "a", "--oneline").startswith(f"a  Hôm nay {row['today']}  Hôm qua {row['yesterday']}  ")


@needs_clock
def test_prometheus_reads_it(then):
    def samples(*words):
        families = text_string_to_metric_families(then.run(*words, "--prom"))
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}
    row = expected("a", *then.known)[0]
    found = samples("summary")
    for name in ("today", "month", "year", "total", "today_change", "year_estimate"):
        assert found[f"thongke_summary_{name}", (("metric", "hits"), ("site", "a"))] == row[name]
    assert ("thongke_summary_today_change", (("metric", "hits"), ("site", "b"))) not in found, "what is not known has no sample"
    days = samples("days", "-s", "a", "2d")
    assert days["thongke_days_hits", (("period", "2020-05-19"), ("site", "a"))] == row["yesterday"]
    assert days["thongke_days_complete", (("period", "2020-05-20"), ("site", "a"))] == 0
    numbers = then.redis.numbers()
    loud = '/"q\\uote\n\x1b'
    numbers.client.zadd(numbers.key("a", "pages:2020-05-20"), {loud: 3})
    [(key, value)] = [item for item in samples("top", "pages", "-s", "a").items() if item[0][0] == "thongke_top_hits"]
    assert value == 3 and dict(key[1]) == {"site": "a", "dimension": "pages", "value": '/"q\\uote \ufffd'}


@needs_clock
def test_no_data_is_a_dot_and_no_zero(then):
    numbers = then.redis.numbers()
    numbers.client.delete(numbers.key("a", "hours:2020-05-19"))
    rows = [line.split() for line in then.terminal("hours", "2020-05-19", "-s", "a", "--color=never").splitlines()
            if line.startswith("2020-")]
    assert len(rows) == 24 and all(row[1:] == ["·"] for row in rows)
    assert then.run("hours", "2020-05-19", "-s", "a").splitlines()[0] == "2020-05-19T00\t\ttrue\t"


@needs_clock
@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "vi_VN.UTF-8"])
def test_columns_are_straight_in_every_locale(then, locale):
    numbers = then.redis.numbers()
    pages = {"/tin-tức/thông-báo": 30, "/日本語": 20, "/a": 10, "/e\u0301-to\u0302\u0323": 5}
    numbers.client.zadd(numbers.key("a", "pages:2020-05-20"), pages)
    lines = then.terminal("top", "pages", "-s", "a", "--color=never", env={"LC_ALL": locale}).splitlines()
    ends = {columns(line[:line.index("%")]) for line in lines if "%" in line}
    assert len(ends) == 1 and not any("?" in line for line in lines)


def test_five_years_of_a_site_are_read_at_once(world):
    """How long it takes is for `make bench`; here: that it is not a question a day."""
    redis = world.redis()
    numbers = redis.numbers()
    cli = Cli(world, redis)
    year = datetime.date.today().year
    for back in range(5):
        days = {f"{datetime.date(2020, 1, 1) + datetime.timedelta(days=n):%m-%d}": n + 1 for n in range(365)}
        for metric in ("hits", "visits", "visitors"):
            numbers.client.hset(numbers.key("a", f"{metric}:{year - back}"), mapping=days)
    before = numbers.client.info("commandstats")
    cli.run("-s", "a")
    after = numbers.client.info("commandstats")
    calls = sum(stats["calls"] - before.get(name, {"calls": 0})["calls"] for name, stats in after.items())
    assert calls < 60, {name: stats["calls"] for name, stats in after.items()}
