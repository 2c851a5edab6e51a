# SPDX-License-Identifier: BSD-2-Clause
"""An access log of a busy portal in the combined format: people who come by Zipf's law to pages and read some of them,
the files that belong to those pages, and bots."""
import datetime
import heapq
import random

import loads

AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{n}.5 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:{n}.0) Gecko/20100101 Firefox/{n}.0"]
BOTS = ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "curl/7.88.1",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)"]
REFERRERS = ["https://www.google.com/", "-", "https://www.facebook.com/", "https://zalo.me/", "https://a.example/"]
FILES = ["/style.css?v=12", "/js/app.js", "/img/logo.png", "/img/banner-{n}.jpg", "/fonts/be-vietnam.woff2"]
PAGES, VISITORS, DAYS = 10_000, 200_000, 30
START = datetime.datetime(2020, 5, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=7))).timestamp()


def address(visitor):
    """Of a Vietnamese provider's networks, or another's."""
    first, second = ((113, 160), (171, 224), (14, 160), (203, 113), (8, 8))[visitor % 5]
    return f"{first}.{second + visitor // 65536 % 16}.{visitor // 256 % 256}.{visitor % 256}"


def stamp(moment):
    local = datetime.datetime.fromtimestamp(moment, datetime.timezone(datetime.timedelta(hours=7)))
    return f"{local:%d/%b/%Y:%H:%M:%S} +0700"


def view(rng, moment, visitor, agent, page, referrer):
    """A page and the files of it that the browser does not hold yet."""
    host = address(visitor)
    yield moment, f'{host} - - [@] "GET {page} HTTP/1.1" 200 {rng.randrange(9000, 60000)} "{referrer}" "{agent}"\n'
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        name = rng.choice(FILES).format(n=rng.randrange(400))
        yield moment, f'{host} - - [@] "GET {name} HTTP/1.1" {rng.choice((200, 304))} 5120 "https://a.example{page}" "{agent}"\n'


def session(rng, moment, page_of):
    visitor = rng.randrange(VISITORS)
    bot = rng.random() < 0.12
    agent = rng.choice(BOTS) if bot else AGENTS[visitor % 4].format(n=100 + visitor % 37)
    referrer = rng.choice(REFERRERS)
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        page = f"/tin-tuc/bai-viet-so-{page_of()}.html"
        if bot:
            yield moment, f'{address(visitor)} - - [@] "GET {page} HTTP/1.1" 200 20480 "-" "{agent}"\n'
        else:
            yield from view(rng, moment, visitor, agent, page, referrer)
        moment += rng.randrange(1, 300)
        referrer = "https://a.example" + page


def write(path, lines):
    """In the order of time, as a server writes them."""
    rng = random.Random(1)
    page_of = loads.zipf(rng, PAGES)
    waiting, written, known = [], 0, (None, "")
    step = DAYS * 86400 / (lines / 4.6)
    moment = START
    with open(path, "w", encoding="ascii") as file:
        while written < lines:
            moment += rng.expovariate(1 / step)
            for n, (when, text) in enumerate(session(rng, moment, page_of)):
                heapq.heappush(waiting, (int(when), written, n, text))
            while waiting and waiting[0][0] <= moment and written < lines:
                when, _, _, text = heapq.heappop(waiting)
                if known[0] != when:
                    known = (when, stamp(when))
                file.write(text.replace("@", known[1], 1))
                written += 1
