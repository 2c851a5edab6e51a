# SPDX-License-Identifier: BSD-2-Clause
"""Countries: counted by the files of the tests' own making, which are replaced, missing and damaged while hits count."""
import os
import signal

from mmdb import mmdb, write_mmdb
from pipe import hit, outcomes
from world import eventually, today

VN, JP, FR = "198.18.1.1", "198.18.2.1", "2001:db8:5::1"
NETWORKS = {"198.18.1.0/24": "VN", "198.18.2.0/24": "JP", "2001:db8:5::/48": "FR"}


def daemon_with(world, *paths):
    files = ", ".join(f'"{path}"' for path in paths)
    return world.thongked(f"geoip = {{{files}}}\n").start()


def countries(daemon):
    return daemon.numbers().table("a", f"countries:{today()}")


def visit(daemon, *clients):
    assert outcomes(daemon, [hit(client=client) for client in clients]) == ["counted"] * len(clients)


def replace(path, content):
    """As mv does: the old file stays whole for whoever has it open."""
    with open(path + ".new", "wb") as file:
        file.write(content)
    os.rename(path + ".new", path)


def test_countries_are_counted_by_day_and_month(world):
    path = world.path("geo.mmdb")
    write_mmdb(path, NETWORKS)
    daemon = daemon_with(world, path)
    visit(daemon, VN, VN, JP, FR, "::ffff:198.18.1.9", "203.0.113.1", "10.0.0.1")
    eventually(lambda: countries(daemon) == {"VN": 3, "JP": 1, "FR": 1})
    numbers = daemon.numbers()
    assert numbers.table("a", f"countries:{today():%Y-%m}") == {"VN": 3, "JP": 1, "FR": 1}
    assert numbers.total("a") == 7
    assert daemon.get("/hit?s=a&u=/", User_Agent="curl/8.0", X_Forwarded_For=VN).json["reason"] == "bot"
    visit(daemon, JP)
    eventually(lambda: countries(daemon) == {"VN": 3, "JP": 2, "FR": 1})
    daemon.stop()


def test_two_files_and_the_first_that_knows(world):
    four, six = world.path("4.mmdb"), world.path("6.mmdb")
    write_mmdb(four, {"198.18.1.0/24": "VN"}, shape="flat", ip_version=4)
    write_mmdb(six, {"2001:db8:5::/48": "FR", "198.18.0.0/16": "ZZ"}, shape="city", record_size=28)
    daemon = daemon_with(world, four, six)
    visit(daemon, VN, FR, JP)
    eventually(lambda: countries(daemon) == {"VN": 1, "FR": 1, "ZZ": 1})


def test_a_file_that_is_replaced_is_taken_over(world):
    path = world.path("geo.mmdb")
    write_mmdb(path, NETWORKS)
    daemon = daemon_with(world, path)
    visit(daemon, VN)
    replace(path, mmdb({"198.18.1.0/24": "LA"}))
    eventually(lambda: daemon.log().count("geoip_opened files=1") == 2)
    eventually(lambda: visit(daemon, VN) or countries(daemon).get("LA"))
    assert countries(daemon)["VN"] >= 1
    # A damaged one is refused, once and aloud, and the old one stays.
    good = mmdb({"198.18.1.0/24": "KH"})
    for number, (damaged, why) in enumerate([(good[:len(good) // 2], "geo.mmdb"), (b"no database at all\n" * 100, "geo.mmdb"),
                                             (mmdb({"198.18.1.0/24": "x"}, shape="asn"), "geo.mmdb"), (b"", "geo.mmdb")], 1):
        replace(path, damaged)
        eventually(lambda: daemon.log().count("geoip_refused") == number)
        line = [line for line in daemon.log().splitlines() if "geoip_refused" in line][-1]
        assert why in line and "countries=by_the_old_files" in line
    # Nor is it there after a reload, nor when it is gone.
    for harm in (lambda: daemon.process.send_signal(signal.SIGHUP), lambda: os.remove(path)):
        before, refused = countries(daemon)["LA"], daemon.log().count("geoip_refused")
        harm()
        eventually(lambda: daemon.log().count("geoip_refused") == refused + 1)
        visit(daemon, *[VN] * 5)
        eventually(lambda: countries(daemon)["LA"] >= before + 5)
        assert set(countries(daemon)) == {"VN", "LA"}
    replace(path, good)
    eventually(lambda: visit(daemon, VN) or countries(daemon).get("KH"))
    daemon.stop()


def test_without_its_file_hits_count_and_their_country_is_unknown(world):
    path = world.path("geo.mmdb")
    daemon = daemon_with(world, path)
    line = next(line for line in daemon.log().splitlines() if "geoip_refused" in line)
    assert path in line and "countries=unknown" in line
    visit(daemon, VN, VN)
    eventually(lambda: daemon.numbers().total("a") == 2)
    assert countries(daemon) == {}
    assert daemon.log().count("geoip_refused") == 1
    write_mmdb(path + ".new", NETWORKS)
    os.rename(path + ".new", path)
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "geoip_opened" in daemon.log())
    eventually(lambda: visit(daemon, VN) or countries(daemon).get("VN"))
