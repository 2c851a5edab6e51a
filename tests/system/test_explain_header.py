# SPDX-License-Identifier: BSD-2-Clause
"""What a hit would be, and why: asked for by a header, from a trusted address, and counting nothing."""
from mmdb import write_mmdb
from world import BROWSER, ROOT, eventually, own_address

import pytest


def explained(daemon, target="/hit?s=a&u=/tin", **headers):
    """The steps, and that it is a text."""
    answer = daemon.get(target, Thongke_Explain="1", **headers)
    assert (answer.status, answer.headers["Content-Type"].lower()) == (200, "text/plain; charset=utf-8")
    return dict(line.split(None, 1) for line in answer.body.decode("ascii").splitlines())


def test_every_step_is_said_and_nothing_is_counted(world):
    write_mmdb(world.path("geo.mmdb"), {"198.18.1.0/24": "VN"})
    daemon = world.thongked(f'geoip = {{"{world.path("geo.mmdb")}"}}\nlimits {{ hits_per_minute = 1 }}\n').start()
    daemon.hit("/p")
    keys = sorted(daemon.numbers().client.keys("*"))
    before = daemon.metric("thongke_hits_total"), daemon.metric("thongke_journal_written_bytes_total")
    for _ in range(20):
        steps = explained(daemon, "/hit?s=a&u=/tin/&r=https://www.google.com/&w=360&n=1", X_Forwarded_For="198.18.1.7, 127.0.0.1")
    assert (steps["site"], steps["page"], steps["country"], steps["referrer"]) == ("a", "/tin", "VN", "Google")
    assert (steps["browser"], steps["system"], steps["device"], steps["language"]) == ("Firefox", "Windows", "desktop", "vi")
    assert steps["address"].startswith("198.18.1.7 ") and "X-Forwarded-For" in steps["address"]
    assert steps["agent"] == "a person" and steps["counted"].startswith("yes") and steps["visitor"] == "yes"
    # What each refusal says of itself.
    googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    steps = explained(daemon, User_Agent=googlebot)
    with open(ROOT + "/conf/bots.txt") as file:
        line = next(number for number, text in enumerate(file, 1) if text.startswith("Googlebot "))
    assert "Googlebot" in steps["agent"] and f"line {line} of " in steps["agent"] and steps["counted"] == "no, bot"
    assert explained(daemon, Accept_Language=None)["counted"] == "no, bot"
    assert explained(daemon, Purpose="prefetch")["counted"] == "no, prefetch"
    assert explained(daemon, "/hit?s=a&u=http://localhost/x")["counted"] == "no, local"
    foreign = explained(daemon, Origin="https://x.example")
    assert foreign["counted"] == "no, origin" and "x.example" in foreign["origin"]
    assert "names no client" in explained(daemon)["address"]
    # What strangers sent comes out inert: explained() takes only ASCII.
    assert explained(daemon, "/hit?s=a&u=/tin-t%E1%BB%A9c")["page"] == "/tin-t\\xe1\\xbb\\xa9c"
    # Nothing of all this was counted, limited or remembered.
    assert (daemon.metric("thongke_hits_total"), daemon.metric("thongke_journal_written_bytes_total")) == before
    assert sorted(daemon.numbers().client.keys("*")) == keys
    assert daemon.get("/hit?s=a&u=/tin&n=1", X_Forwarded_For="198.18.1.7").json["counted"] is True
    eventually(lambda: daemon.numbers().total("a") == 2)
    # Errors stay errors, and any other value is none.
    assert daemon.get("/hit?s=nobody", Thongke_Explain="1").status == 404
    assert daemon.get("/hit?s=a&u=/", Thongke_Explain="0").json["counted"] is True


def test_a_stranger_is_not_told(world):
    """Who is no trusted proxy counts as ever."""
    daemon = world.thongked('trusted_proxies = {"192.0.2.1"}\n').start()
    answer = daemon.get("/hit?s=a&u=/", Thongke_Explain="1", X_Forwarded_For="192.0.2.1").json
    assert answer["counted"] is True
    address = own_address()
    if not address:
        pytest.skip("this machine has only loopback addresses")
    other = world.thongked(name="u")
    with open(other.conf, "a") as file:
        file.write(f'listen += {{"{address}:{other.port}"}}\n')
    other.start()
    answer = other.request("GET", "/hit?s=a&u=/", headers={"Thongke-Explain": "1"}, address=address)
    assert answer.json["counted"] is True and BROWSER["User-Agent"].encode() not in answer.body
