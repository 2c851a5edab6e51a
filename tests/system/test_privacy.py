# SPDX-License-Identifier: BSD-2-Clause
"""No address and no user agent is kept anywhere: after a run, every file of the daemon and of its Redis is searched."""
import base64
import ipaddress
import os

import redis

from pipe import hit, outcomes
from world import BROWSER, eventually, today

ADDRESSES = ["198.51.100.77", "203.0.113.201", "2001:db8:77:88:99aa:bbcc:ddee:ff01", "2001:db8:1234:5678::4321"]
AGENT = BROWSER["User-Agent"] + " Wonderful/4711"
BOT = "Crawlissimo-bot/1.23 (+https://crawlissimo.example)"
BOTS = 60


def forms(address):
    """As text, and as bytes in either order; of IPv6 also the network that a visitor's id is made of."""
    address = ipaddress.ip_address(address)
    texts = {str(address), address.exploded, address.exploded.replace(":", "")}
    packed = [address.packed] + ([address.packed[:8]] if address.version == 6 else [])
    return [text.encode() for text in texts] + packed + [part[::-1] for part in packed]


def files(*roots):
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        yield path, file.read()


def found_in(contents, *needles):
    return [(path, needle) for path, content in contents.items() for needle in needles if needle.lower() in content.lower()]


def requests():
    """Counted and refused in every way that looks at an address or a user agent."""
    for address in ADDRESSES:
        yield from [hit(page="/a-page", client=address), hit(page="/a-page", client=f"{address}, 127.0.0.1"),
                    hit(page="/a-page", client=address, a="1"), hit(page="/a-page", client=address, n="once"),
                    hit(page="/a-page", client=address, n="once")]
    yield from [hit(page="/a-page", client=ADDRESSES[0])] * 30


def salts_of(numbers):
    """As bytes, which they are."""
    raw = redis.Redis(unix_socket_path=numbers.client.connection_pool.connection_kwargs["path"])
    return [raw.get(key) for key in raw.keys("thongke:salt:*")]


def visit_and_err(daemon):
    agent = BROWSER["User-Agent"].encode()
    seen = outcomes(daemon, [request.replace(agent, AGENT.encode()) for request in requests()])
    assert {"counted", "bot", "duplicate", "rate"} <= set(seen)
    for number in range(BOTS):
        daemon.get("/hit?s=a&u=/a-page", X_Forwarded_For=ADDRESSES[1], User_Agent=AGENT)
        bot = daemon.get("/hit?s=a&u=/a-page", X_Forwarded_For=f"203.0.113.{number}", User_Agent=BOT)
        assert bot.json["reason"] == "bot"
    errors = [("/hit?s=a&u=/a-page", ADDRESSES[1], 429), ("/hit?s=a&u=/%zz", ADDRESSES[0], 400),
              ("/hit?s=a&u=https://x.example/", "198.51.100.78", 403), ("/nowhere", ADDRESSES[0], 404)]
    for target, address, status in errors:
        assert daemon.get(target, X_Forwarded_For=address, User_Agent=AGENT).status == status
    daemon.get("/hit?s=a&u=/", X_Forwarded_For=f"{ADDRESSES[2]}%eth0, nonsense", User_Agent=AGENT * 9)
    assert daemon.get("/hit?s=a", X_Forwarded_For=ADDRESSES[2], User_Agent=AGENT * 200).status == 431


def test_nothing_of_a_visitor_is_kept(world):
    daemon = world.thongked('log_level = "debug"\nlimits { hits_per_minute = 5 }\njournal { sync = "always" }\n').start()
    visit_and_err(daemon)
    numbers = daemon.numbers()
    eventually(lambda: sum(numbers.table("a", f"bots:{today()}").values()) == BOTS + len(ADDRESSES))
    eventually(lambda: daemon.metric("thongke_journal_lag_bytes") == 0)
    salts = salts_of(numbers)
    assert salts and all(len(salt) >= 16 for salt in salts)
    assert numbers.client.save()
    eventually(lambda: os.path.exists(os.path.join(daemon.state, "board")))
    contents = {target: daemon.admin(target).body for target in ("/metrics", "/readyz")}
    contents.update(files(daemon.state))
    daemon.stop()
    contents.update((path + " after the end", content) for path, content in files(daemon.state))
    contents["log"] = daemon.log().encode()

    # The search finds what is there.
    kept = {path.split("/state/")[1].split("/")[0] for path, _ in found_in(contents, b"/a-page") if "/state/" in path}
    assert kept == {"journal", "redis"}
    assert any(path.endswith(".rdb") for path, _ in found_in(contents, b"/a-page"))
    assert any("appendonly" in path for path, _ in found_in(contents, b"/a-page", b"thongke:salt"))
    assert b"ready" in contents["log"]

    needles = [form for address in ADDRESSES for form in forms(address)]
    assert found_in(contents, *needles) == []
    assert found_in(contents, b"Wonderful", AGENT.encode(), b"Gecko", b"Crawlissimo-bot", b"crawlissimo.example") == []
    forms_of_salts = [form for salt in salts for form in (salt, salt.hex().encode(), base64.b64encode(salt)[:-3])]
    outside = {path: content for path, content in contents.items() if "/redis/" not in path}
    assert found_in(outside, *forms_of_salts) == []

