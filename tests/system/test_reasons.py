# SPDX-License-Identifier: BSD-2-Clause
"""Why a hit is not counted: for each reason of the contract what provokes it, what just does not, and where it shows."""
import signal
import time

import pytest

import metrics
from pipe import get, hit, outcomes
from world import BROWSER, eventually, near, today

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"  # as Google documents it
CHROME = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/126.0.0.0 Safari/537.36")
CLIENT = "198.18.0.1"


def site(settings="", hosts='"a.example"', name="a"):
    return f'site "{name}" {{ hosts = {{{hosts}}} {settings} }}\n'




def outcome(daemon, target="/hit?s=a&u=/p", client=CLIENT, **headers):
    """"counted", the reason, or the status of an error."""
    answer = daemon.get(target, X_Forwarded_For=client, **headers)
    if answer.status != 200:
        assert answer.headers["Connection"] == "close" and len(answer.body) < 64, answer.body
        return answer.status
    assert answer.json["counted"] is ("reason" not in answer.json)
    return answer.json.get("reason", "counted")


def holds(daemon, counted, bots=None, visitors=None, name="a", **refused):
    """Redis and /metrics show exactly this many hits, bots by name, and refusals by reason, once all is applied."""
    numbers, date, bots = daemon.numbers(), today(), bots or {}

    most = counted if visitors is None else visitors

    def shown():
        sums = {metric: int(numbers.client.hget(numbers.key(name, metric), "all") or 0)
                for metric in ("hits", "visits", "visitors", "bots")}
        if near(sums["visitors"], most):
            sums["visitors"] = most
        tables = [numbers.table(name, f"{table}:{period}") for table in ("refused", "bots")
                  for period in (date, f"{date:%Y-%m}")]
        return sums, tables
    wanted = ({"hits": counted, "visits": most, "visitors": most, "bots": sum(bots.values())},
              [refused, refused, bots, bots])
    try:
        eventually(lambda: shown() == wanted, seconds=5)
    except AssertionError:
        assert shown() == wanted
    outcomes_ = {"counted": counted, "bot": sum(bots.values()), **refused}
    assert metrics.outcomes(daemon) == {reason: hits for reason, hits in outcomes_.items() if hits}
    day = numbers.table(name, f"pages:{date}")
    assert sum(day.values()) == counted
    assert daemon.counts(name)["hits"]["today"] == counted


def test_bots_by_list_by_sign_and_by_their_own_word(daemon):
    bots = [
        ("Googlebot", {"User_Agent": GOOGLEBOT}), ("(no user agent)", {"User_Agent": None}),
        ("(no user agent)", {"User_Agent": ""}), ("(too short)", {"User_Agent": "Some browser"}),
        ("(too long)", {"User_Agent": CHROME + " x" * 2000}),
        ("(random number)", {"User_Agent": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}),
        ("(address)", {"User_Agent": "192.0.2.1"}), ("(no language)", {"Accept_Language": None}),
        ("(headless)", {"User_Agent": CHROME, "Sec_CH_UA": '"Chromium";v="126", "HeadlessChrome";v="126"'}),
    ]
    for name, headers in bots:
        assert outcome(daemon, **headers) == "bot", name
    assert outcome(daemon, "/hit?s=a&u=/p&a=1") == "bot"
    expected = {"(automated)": 1}
    for name, _ in bots:
        expected[name] = expected.get(name, 0) + 1
    # Nor is it answered in another way than a person.
    assert daemon.get("/hit?s=a&u=/&q=1", User_Agent=GOOGLEBOT).status == 204
    assert len(daemon.get("/hit.gif?s=a&u=/", User_Agent=GOOGLEBOT).body) == 43
    expected["Googlebot"] += 2
    people = [{}, {"User_Agent": CHROME, "Sec_CH_UA": '"Chromium";v="126", "Google Chrome";v="126"'},
              # An app that shows pages itself does not always send a language.
              {"User_Agent": "Mozilla/5.0 (Linux; Android 13; SM-A536E Build/TP1A.220624.014; wv) AppleWebKit/537.36 "
                             "(KHTML, like Gecko) Version/4.0 Chrome/115.0.5790.166 Mobile Safari/537.36 "
                             "Zalo android/12080744 ZaloTheme/light ZaloLanguage/vn", "Accept_Language": None}]
    for number, headers in enumerate(people):
        assert outcome(daemon, "/hit?s=a&u=/p&a=0", client=f"198.18.1.{number}", **headers) == "counted", headers
    holds(daemon, len(people), expected)
    rows = daemon.get("/counts.json?s=a&rows=bots").json["rows"]
    assert rows == [{"row": "bots", "label": "Máy tìm kiếm", "value": 12, "text": "12"}]


def test_prefetch(daemon):
    fetched = [{"Sec_Purpose": "prefetch"}, {"Sec_Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"},
               {"X_Moz": "prefetch"}, {"Purpose": "preview"}]
    for headers in fetched:
        assert outcome(daemon, **headers) == "prefetch", headers
    assert outcome(daemon, Sec_Purpose="", Purpose="view", X_Moz="") == "counted"
    holds(daemon, 1, prefetch=len(fetched))


def test_rate(world):
    daemon = world.thongked("limits { hits_per_minute = 6 }\n").start()
    first, other = (hit(client=client) for client in ("198.18.0.1", "198.18.0.2"))
    assert outcomes(daemon, [first] * 8) == ["counted"] * 6 + ["rate"] * 2
    assert outcomes(daemon, [other]) == ["counted"]
    # Neighbours in an IPv6 /64 are one client, and those in a /48 have eight clients' worth together.
    assert outcomes(daemon, [hit(client=f"2001:db8:1:1::{n:x}") for n in range(1, 9)]) == ["counted"] * 6 + ["rate"] * 2
    wide = outcomes(daemon, [hit(client=f"2001:db8:1:{n:x}::1") for n in range(2, 60)])
    assert wide == ["counted"] * 42 + ["rate"] * 16
    assert outcomes(daemon, [hit(client="2001:db8:2::1")]) == ["counted"]
    # Loopback, which names no client, has no limit.
    assert outcomes(daemon, [hit()] * 20) == ["counted"] * 20
    answers = [daemon.get("/hit?s=a&q=1", X_Forwarded_For="198.18.0.1") for _ in range(60)]
    assert {answer.status for answer in answers} == {204, 429} and answers[-1].status == 429
    far = [answer for answer in answers if answer.status == 429]
    assert {(answer.body, answer.headers["Retry-After"]) for answer in far} == {(b"Too Many Requests", "60")}
    # Ten times six are not yet far over, eight of which were sent before. A flow of six a minute may add one or two.
    assert 52 <= len(answers) - len(far) <= 54
    holds(daemon, 6 + 1 + 6 + 42 + 1 + 20, visitors=1 + 1 + 1 + 42 + 1 + 1, rate=2 + 2 + 16 + 60)


def test_repeat(world):
    seconds = 3
    daemon = world.thongked("limits { hits_per_minute = 0 }\n",
                            site=site(f"repeat = {seconds}") + site(hosts='"b.example"', name="b")).start()
    begin = time.monotonic()
    assert outcome(daemon) == "counted"
    assert [outcome(daemon, f"/hit?s=a&u=/p{tail}") for tail in ("", "/", "?x=1", "&n=1")] == ["repeat"] * 4
    # Another page, another visitor, another site, no page.
    assert outcome(daemon, "/hit?s=a&u=/q") == "counted"
    assert outcome(daemon, client="198.18.0.2") == "counted"
    assert outcome(daemon, User_Agent=CHROME) == "counted"
    assert [outcome(daemon, "/hit?s=b&u=/p") for _ in range(2)] == ["counted"] * 2
    assert [outcome(daemon, "/hit?s=a") for _ in range(2)] == ["counted"] * 2
    again = 4
    while outcome(daemon) != "counted":
        again += 1
    assert seconds - 0.01 < time.monotonic() - begin < seconds + 2
    # The nonce of a repeated view was not used up.
    assert outcome(daemon, "/hit?s=a&u=/new&n=1") == "counted"
    numbers = daemon.numbers()
    eventually(lambda: numbers.table("a", f"refused:{today()}") == {"repeat": again})
    eventually(lambda: (numbers.total("a"), numbers.total("b")) == (8, 2))
    assert metrics.outcomes(daemon) == {"counted": 10, "repeat": again}


def test_duplicate(world):
    daemon = world.thongked(site=site() + site(hosts='"b.example"', name="b")).start()
    assert [outcome(daemon, "/hit?s=a&u=/p&n=x"), outcome(daemon, "/hit?s=a&u=/q&n=x", client="198.18.0.9")] == \
        ["counted", "duplicate"]
    assert [outcome(daemon, f"/hit?s=a&u=/p&n={nonce}") for nonce in ("X", "x%20", "")] == ["counted"] * 3
    assert outcome(daemon, "/hit?s=b&u=/p&n=x") == "counted"
    numbers = daemon.numbers()
    eventually(lambda: numbers.total("b") == 1 and numbers.total("a") == 4)
    assert numbers.table("a", f"refused:{today()}") == {"duplicate": 1}
    assert numbers.table("b", f"refused:{today()}") == {}
    assert metrics.outcomes(daemon) == {"counted": 5, "duplicate": 1}


def test_excluded(world):
    with open(world.path("blocked"), "w") as file:
        file.write("# spam\nspam.example\n")
    daemon = world.thongked(f'referrer_blocklist = "{world.path("blocked")}"\n',
                            site=site('exclude = {"198.18.4.0/24", "2001:db8:5::/48"}')).start()
    assert [outcome(daemon, client=client) for client in
            ("198.18.4.0", "198.18.4.255", "2001:db8:5:1::9", "::ffff:198.18.4.7")] == ["excluded"] * 4
    assert [outcome(daemon, client=client) for client in ("198.18.3.255", "198.18.5.0", "2001:db8:6::1")] == ["counted"] * 3
    for referrer, wanted in [("https://spam.example/x", "excluded"), ("http://www.spam.example", "excluded"),
                             ("https://SPAM.example:8443/", "excluded"), ("https://nospam.example/", "counted"),
                             ("https://spam.example.com/", "counted"), ("", "counted")]:
        assert outcome(daemon, f"/hit?s=a&u=/p&r={referrer}", client="198.18.6.1") == wanted, referrer
    # Where a site's own network is not counted, a direct client of it is not either.
    holds(daemon, 6, visitors=4, excluded=7)
    # The list is read again.
    with open(world.path("blocked"), "w") as file:
        file.write("other.example\n")
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: outcome(daemon, "/hit?s=a&u=/p&r=https://spam.example/") == "counted")
    assert outcome(daemon, "/hit?s=a&u=/p&r=https://other.example/") == "excluded"


LOCAL = ["http://localhost/x", "http://localhost:8080/", "http://app.localhost/", "http://printer.local/",
         "http://127.0.0.1/", "http://127.1.2.3:81/x", "http://10.0.0.1/", "http://172.16.0.1/", "http://172.31.255.255/",
         "http://192.168.1.5/tin", "http://169.254.1.1/", "http://[::1]/", "http://[fd00::1]/x", "http://[fe80::1]:8080/",
         "file:///C:/tin.html"]


def test_local(world):
    daemon = world.thongked(site=site() + site(hosts='"dev.localhost", "192.168.7.7"', name="dev")
                            + site(hosts='"*"', name="any")).start()
    for url in LOCAL:
        assert outcome(daemon, f"/hit?s=a&u={url}") == "local", url
        assert outcome(daemon, f"/hit?s=any&u={url}") == "local", url
    for origin in ("http://localhost:3000", "http://192.168.1.5"):
        assert outcome(daemon, Origin=origin) == "local", origin
        assert outcome(daemon, Referer=origin + "/page") == "local", origin
    # A host that only looks like one, and a site that lists it.
    for url in ("http://172.32.0.1/", "http://localhost.example/", "http://11.0.0.1/"):
        assert outcome(daemon, f"/hit?s=a&u={url}") == 403, url
        assert outcome(daemon, f"/hit?s=any&u={url}") == "counted", url
    for url in ("http://dev.localhost:8080/", "http://192.168.7.7/"):
        assert outcome(daemon, f"/hit?s=dev&u={url}") == "counted", url
    # The client's own address is not judged, and a path has no host.
    assert outcome(daemon, "/hit?s=a&u=/p", client="192.168.1.5") == "counted"
    assert outcome(daemon, "/hit?s=a&u=https://a.example/p", client=None) == "counted"
    numbers = daemon.numbers()
    eventually(lambda: [numbers.table(name, f"refused:{today()}") for name in ("a", "any", "dev")] ==
               [{"local": len(LOCAL) + 4, "origin": 3}, {"local": len(LOCAL)}, {}])
    assert metrics.outcomes(daemon) == {"counted": 7, "local": 2 * len(LOCAL) + 4, "origin": 3}


@pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
def test_optout(world, header):
    daemon = world.thongked(site=site('respect_gpc = "refuse"')).start()
    assert outcome(daemon, **{header: "1"}) == "optout"
    assert [outcome(daemon, **{header: value}) for value in ("0", "", None)] == ["counted"] * 3
    holds(daemon, 3, visitors=1, optout=1)


def test_privacy_that_is_asked_for_may_make_a_hit_anonymous(world):
    daemon = world.thongked(site=site('respect_gpc = "anonymous"') + site(hosts='"b.example"', name="b")).start()
    assert [outcome(daemon, Sec_GPC="1", client=f"198.18.0.{n}") for n in range(3)] == ["counted"] * 3
    holds(daemon, 3, visitors=0)
    assert daemon.counts()["online"] == 0
    # By default it makes no difference.
    assert [outcome(daemon, "/hit?s=b&u=/", Sec_GPC="1", client=f"198.18.0.{n}") for n in range(3)] == ["counted"] * 3
    numbers = daemon.numbers()
    eventually(lambda: numbers.client.hget(numbers.key("b", "visitors"), "all") == "3")


def test_foreign_origin(world):
    daemon = world.thongked(site=site() + site("require_origin = true", '"b.example", "*.b.example"', "b")).start()
    foreign = [{"Origin": "https://x.example"}, {"Referer": "https://x.example/p"}, {"Origin": "https://b.example"},
               {"Origin": "https://a.example.x.example"}, {"Origin": "https://x.example", "Referer": "https://a.example/"}]
    for headers in foreign:
        assert outcome(daemon, **headers) == 403, headers
    for url in ("https://x.example/p", "http://b.example", "https://a.example@x.example/", "//x.example/p"):
        assert outcome(daemon, f"/hit?s=a&u={url}") == (403 if "://" in url else "counted"), url
    fine = [{}, {"Origin": "null"}, {"Origin": "null", "Referer": "https://a.example/"}, {"Origin": "https://A.example:8443"},
            {"Referer": "http://a.example/x"}]
    for headers in fine:
        assert outcome(daemon, **headers) == "counted", headers
        assert outcome(daemon, "/hit?s=a&u=https://a.example/p", **headers) == "counted", headers
    # A site may insist on being told.
    assert [outcome(daemon, "/hit?s=b&u=/p", **headers) for headers in ({}, {"Origin": "null"})] == [403] * 2
    assert [outcome(daemon, "/hit?s=b&u=/p", **headers) for headers in
            ({"Origin": "https://b.example"}, {"Referer": "https://www.b.example/x"})] == ["counted"] * 2
    numbers = daemon.numbers()
    eventually(lambda: (numbers.table("a", f"refused:{today()}"), numbers.table("b", f"refused:{today()}")) ==
               ({"origin": 8}, {"origin": 2}))
    eventually(lambda: (numbers.total("a"), numbers.total("b")) == (11, 2))
    assert metrics.outcomes(daemon) == {"counted": 13, "origin": 10}


def test_refusals_of_a_pass_are_one_sum(daemon):
    """Many at once cost the journal next to nothing, and none is lost."""
    count = 3000
    before = daemon.metric("thongke_journal_written_bytes_total")
    wanted = [get("/hit?s=a&u=/p", Purpose="prefetch")] * count
    assert outcomes(daemon, wanted) == ["prefetch"] * count
    assert daemon.metric("thongke_journal_written_bytes_total") - before < 40 * count
    holds(daemon, 0, prefetch=count)


def test_metrics_are_what_prometheus_reads(daemon):
    assert outcome(daemon) == "counted"
    assert daemon.get("/nowhere").status == 404
    found = metrics.families(daemon)
    assert all(family.name.startswith("thongke_") and family.documentation for family in found)
    samples = [sample for family in found for sample in family.samples]
    assert {sample.name: family.type for family in found for sample in family.samples
            if "connections" in sample.name} == {
        "thongke_connections": "gauge", "thongke_connections_total": "counter",
        "thongke_connections_closed_early_total": "counter"}
    assert {name for sample in samples for name in sample.labels} == {"outcome", "class", "reason", "le", "version"}
    (waits,) = [family for family in found if family.type == "histogram"]
    buckets = [sample for sample in waits.samples if sample.name.endswith("_bucket")]
    assert [float(sample.labels["le"]) for sample in buckets] == sorted({float(sample.labels["le"]) for sample in buckets})
    assert [sample.value for sample in buckets] == sorted(sample.value for sample in buckets)
    (count,) = [sample.value for sample in waits.samples if sample.name.endswith("_count")]
    assert buckets[-1].labels["le"] == "+Inf" and buckets[-1].value == count > 0
    names = [sample.name + str(sample.labels) for sample in samples]
    assert len(names) == len(set(names))
    assert BROWSER["User-Agent"] not in daemon.admin("/metrics").body.decode()
