# SPDX-License-Identifier: BSD-2-Clause
"""What a hit leaves in every table, and the list of bots that is read again."""
import shutil
import signal

from mmdb import write_mmdb
from world import BROWSER, ROOT, eventually, today

# A Samsung Galaxy A54 in Viet Nam, its owner following a link out of Zalo.
ZALO = ("Mozilla/5.0 (Linux; Android 13; SM-A546E Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36 Zalo android/12110689 ZaloTheme/light ZaloLanguage/vi")
EDGE = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
        "Safari/537.36 Edg/126.0.0.0")
SAFARI = ("Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 "
          "Mobile/15E148 Safari/604.1")
DIMENSIONS = ["pages", "referrers", "countries", "browsers", "systems", "devices", "languages", "screens", "bots", "refused"]


def tables(daemon, period):
    numbers = daemon.numbers()
    return {name: numbers.table("a", f"{name}:{period}") for name in DIMENSIONS if numbers.table("a", f"{name}:{period}")}


def test_a_known_hit_in_every_table(world):
    write_mmdb(world.path("geo.mmdb"), {"198.18.1.0/24": "VN"})
    daemon = world.thongked(f'geoip = {{"{world.path("geo.mmdb")}"}}\n').start()
    answer = daemon.get("/hit?s=a&u=https://a.example/tin-t%E1%BB%A9c/?id=1&r=https://zalo.me/x&w=360", X_Forwarded_For="198.18.1.7",
                        User_Agent=ZALO, Accept_Language="vi-VN,vi;q=0.9,en-US;q=0.8", Origin="https://a.example").json
    assert (answer["counted"], answer["page"]["path"]) == (True, "/tin-tức")
    one = {"pages": {"/tin-tức": 1}, "referrers": {"Zalo": 1}, "countries": {"VN": 1}, "browsers": {"Zalo": 1},
           "systems": {"Android": 1}, "devices": {"mobile": 1}, "languages": {"vi": 1}, "screens": {"0-575": 1}}
    eventually(lambda: tables(daemon, today()) == one)
    assert tables(daemon, f"{today():%Y-%m}") == one
    keys = daemon.numbers().client.keys("*")
    assert not [key for key in keys if "SM-A546E" in key or "198.18" in key]
    # Another, whose script says its language, and a third that says little. A bot and a refusal add to their own alone.
    daemon.get("/hit?s=a&u=/x&r=https://www.google.com.vn/search?q=x&l=en-GB&w=1920", User_Agent=EDGE)
    daemon.get("/hit?s=a&u=/x&r=https://a.example/y&w=wide", User_Agent=SAFARI, Accept_Language="*")
    daemon.get("/hit?s=a&u=/x&r=https://www.blog.example/&w=1440", Purpose="prefetch")
    daemon.get("/hit?s=a&u=/x&r=https://www.blog.example/&w=1440", User_Agent="curl/8.0")
    daemon.get("/hit?s=a&u=/x&r=https://www.blog.example/a?b=c&w=1440")
    several = {"pages": {"/tin-tức": 1, "/x": 3}, "countries": {"VN": 1},
               "referrers": {"Zalo": 1, "Google": 1, "(internal)": 1, "blog.example": 1},
               "browsers": {"Zalo": 1, "Edge": 1, "Safari": 1, "Firefox": 1},
               "systems": {"Android": 1, "Windows": 2, "iOS": 1}, "devices": {"mobile": 1, "desktop": 2, "tablet": 1},
               "languages": {"vi": 2, "en": 1}, "screens": {"0-575": 1, "1920+": 1, "1440-1919": 1},
               "bots": {"curl": 1}, "refused": {"prefetch": 1}}
    eventually(lambda: tables(daemon, today()) == several)
    daemon.hit("/y")
    eventually(lambda: tables(daemon, today())["referrers"].get("(direct)") == 1)


def test_tables_of_values_are_capped_as_pages_are(world):
    daemon = world.thongked("limits { pages_per_day = 4 hits_per_minute = 0 }\n").start()
    for number in range(10):
        daemon.get(f"/hit?s=a&u=/&r=https://site{number}.example/")
    eventually(lambda: daemon.numbers().total("a") == 10)
    table = daemon.numbers().table("a", f"referrers:{today()}")
    assert table.pop("(other)") == 6 and list(table.values()) == [1] * 4
    assert len(daemon.numbers().table("a", f"referrers:{today():%Y-%m}")) == 10


def test_the_list_of_bots_is_read_again(world):
    path, program = world.path("bots.txt"), BROWSER["User-Agent"] + " Newfound/1"
    shutil.copyfile(ROOT + "/conf/bots.txt", path)
    daemon = world.thongked(f'bots = "{path}"\n').start()

    def reason(agent=program):
        return daemon.get("/hit?s=a&u=/", User_Agent=agent).json.get("reason", "counted")

    def reload(line, says="reloaded"):
        lines = sum(1 for _ in open(path))
        with open(path, "a") as file:
            file.write(line + "\n")
        before = daemon.log()
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: says in daemon.log()[len(before):])
        return lines + 1, daemon.log()[len(before):]
    assert (reason(), reason("curl/8.0")) == ("counted", "bot")
    reload("My reader  newfound/[0-9]")
    eventually(lambda: reason() == "bot")
    eventually(lambda: daemon.numbers().table("a", f"bots:{today()}") == {"curl": 1, "My reader": 1})
    # A line that is none: the file, the line, and what is allowed; the former list stays.
    number, said = reload("My reader  newfound/[0-9", says="bots_refused")
    assert f"{path}:{number}: " in said and "allowed: " in said
    assert (reason(), reason("curl/8.0")) == ("bot", "bot")
    # At a start it is an error.
    daemon.stop()
    daemon.launch()
    assert daemon.process.wait(timeout=20) == 1
    assert f"thongked: {path}:{number}: " in daemon.log()
