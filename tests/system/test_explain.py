# SPDX-License-Identifier: BSD-2-Clause
"""`thongke explain`: what a hit would be, told without a daemon and without Redis, and as the daemon tells it."""
import csv
import io

import pytest

from cli import Cli
from mmdb import write_mmdb

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SITES = '''
site "a" { hosts = {"a.example"} exclude = {"10.0.0.0/8", "2001:db8::/32"} query = {"id"} }
site "b" { hosts = {"b.example"} require_origin = true }
'''


@pytest.fixture
def cli(world):
    geo, blocked = world.path("geo.mmdb"), world.path("blocked")
    write_mmdb(geo, {"203.0.113.0/24": "VN"})
    with open(blocked, "w") as f:
        f.write("spam.example\n")
    redis = world.redis()
    redis.stop()
    return Cli(world, redis, SITES, f'geoip = {{"{geo}"}}\nreferrer_blocklist = "{blocked}"')


def explained(cli, *words, code=0):
    """{step: finding} and the last line's."""
    rows = csv.DictReader(io.StringIO(cli.run("explain", *words, "--csv", code=code)))
    found = {row["step"]: row["finding"] for row in rows}
    return found, found["counted"]


def test_a_view(cli):
    found, counted = explained(cli, "-s", "a", "--ip", "203.0.113.7", "--ua", FIREFOX, "--url",
                               "https://a.example/x/index.html?id=7&y=1", "--referrer", "https://www.google.com/search",
                               "--language", "vi,en;q=0.5", "--origin", "https://a.example")
    assert counted.startswith("yes")
    assert {step: found[step] for step in ("site", "page", "browser", "system", "country", "referrer", "language")} == {
        "site": "a", "page": "/x?id=7", "browser": "Firefox", "system": "Linux", "country": "VN", "referrer": "Google",
        "language": "vi"}
    assert found["address"].startswith("203.0.113.7 ")


@pytest.mark.parametrize("words, reason", [
    (["-s", "a", "--ua", "Googlebot/2.1 (+http://www.google.com/bot.html)"], "bot"),
    (["-s", "a", "--ua", ""], "bot"),
    (["-s", "a", "--ua", FIREFOX, "--language", ""], "bot"),
    (["-s", "a", "--ip", "10.1.2.3"], "excluded"),
    (["-s", "a", "--ip", "2001:db8::7"], "excluded"),
    (["-s", "a", "--referrer", "https://www.spam.example/x"], "excluded"),
    (["-s", "a", "--url", "https://evil.example/"], "origin"),
    (["-s", "a", "--origin", "https://evil.example"], "origin"),
    (["-s", "a", "--url", "http://localhost/x"], "local"),
    (["-s", "b"], "origin"),
])
def test_reasons(cli, words, reason):
    _, counted = explained(cli, *words, code=1)
    assert counted == f"no, {reason}" and cli.said.endswith(f": {reason}\n")


@pytest.mark.parametrize("words", [
    ["-s", "a"], ["-s", "a", "--ip", "11.1.2.3"], ["-s", "a", "--ua", FIREFOX], ["-s", "a", "--ua", FIREFOX, "--language", "en"],
    ["-s", "a", "--referrer", "https://notspam.example/x"], ["-s", "b", "--origin", "https://b.example"],
    ["-s", "a", "--url", "/only/a/path"], ["-s", "a", "--origin", "null"], ["--url", "https://b.example/", "--origin", "http://b.example"]])
def test_what_just_counts(cli, words):
    _, counted = explained(cli, *words)
    assert counted.startswith("yes")


def test_the_site_is_found_as_the_daemon_finds_it(cli):
    assert explained(cli, "--url", "https://a.example/")[0]["site"] == "a"
    assert cli.run("explain", code=2) == "", "two sites, and nothing tells which"
    assert cli.run("explain", "--url", "https://nobody.example/", code=2) == ""
    assert cli.run("explain", "-s", "nobody", code=1) == ""
    assert cli.run("explain", "-s", "a", "--ip", "nonsense", code=2) == ""
    assert cli.run("days", "-s", "a", "--ip", "192.0.2.1", code=2) == "", "only explain takes it"
    assert cli.run("-o", "bots=/nonexistent", "explain", "-s", "a", code=3) == ""


def test_what_was_given_comes_out_inert(cli):
    said = cli.run("explain", "-s", "a", "--table", "--url", "/\x1b[2J", "--referrer", "https://x\u202e.example/")
    assert "\x1b" not in said and "\u202e" not in said


def test_the_daemon_says_the_same(world):
    """Through a proxy on loopback, which is trusted, with the address in its header."""
    redis = world.redis()
    daemon = world.thongked(redis=redis, site=SITES).start()
    cli = Cli(world, redis)
    cli.conf = daemon.conf
    for agent, ip, url in [(FIREFOX, "203.0.113.7", "https://a.example/x"), ("curl/8.0", "203.0.113.7", "/x"),
                           (FIREFOX, "10.1.1.1", "/x"), (FIREFOX, "203.0.113.7", "https://evil.example/")]:
        there = daemon.request("GET", f"/hit?s=a&u={url}", headers={
            "User-Agent": agent, "Accept-Language": "vi", "X-Forwarded-For": ip, "Thongke-Explain": "1"}).body.decode()
        counted = "counted   yes" in there
        here = cli.run("explain", "-s", "a", "--table", "--ua", agent, "--ip", ip, "--url", url, "--language", "vi",
                       code=0 if counted else 1)
        own = "the connection's own: it comes from no trusted proxy"
        assert there.replace("named by a trusted proxy in X-Forwarded-For", own) == here
    assert redis.numbers().total("a") == 0
