# SPDX-License-Identifier: BSD-2-Clause
"""The two loads, as files of length-prefixed requests of about 600 bytes."""
import bisect
import itertools
import random
import struct

AGENT = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/{major}.0.{minor}.0 Safari/537.36")
PAGE = "https://{host}/blog/2026/11/a-longer-article-name-{page}/"
LOAD_B_REQUESTS = 120_000
SITES, PAGES, VISITORS, AGENTS = 100, 10_000, 100_000, 500


def request(path, host, agent, referer, address, close):
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", 'sec-ch-ua-platform: "Windows"', f"User-Agent: {agent}",
             "Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
             "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image", f"Referer: {referer}",
             "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: vi,en-US;q=0.9,en;q=0.8"]
    lines += [f"X-Forwarded-For: {address}"] if address else []
    lines += [f"Connection: {'close' if close else 'keep-alive'}", "", ""]
    return "\r\n".join(lines).encode()


def hit_path(site, page):
    escaped = page.replace(":", "%3A").replace("/", "%2F")
    return f"/hit?s={site}&u={escaped}&r=https%3A%2F%2Fwww.google.com%2F&w=1920"


def load_a(close, path=None):
    """200 different requests to one site; `path` replaces the target, for a server that counts otherwise."""
    for n in range(200):
        page = PAGE.format(host="example.org", page=n)
        yield request(path or hit_path("site0", page), "stats.example.org", AGENT.format(major=131, minor=n),
                      "https://example.org/blog/2026/11/a-longer-article-name/", None, close)


def zipf(rng, count):
    weights = list(itertools.accumulate(1 / (n + 1) for n in range(count)))
    return lambda: bisect.bisect_left(weights, rng.random() * weights[-1])


def load_b(close):
    """100 sites and 10,000 pages (both by Zipf's law), 100,000 visitors, 500 user agents."""
    rng = random.Random(1)
    site_of, page_of = zipf(rng, SITES), zipf(rng, PAGES)
    for _ in range(LOAD_B_REQUESTS):
        site, visitor = site_of(), rng.randrange(VISITORS)
        page = PAGE.format(host=f"site{site}.example.org", page=page_of())
        agent = AGENT.format(major=100 + visitor % AGENTS // 20, minor=visitor % AGENTS)
        yield request(hit_path(f"site{site}", page), "stats.example.org", agent, page,
                      f"100.{64 + visitor // 65536}.{visitor // 256 % 256}.{visitor % 256}", close)


def write(path, requests):
    with open(path, "wb") as file:
        for r in requests:
            file.write(struct.pack("<I", len(r)) + r)
