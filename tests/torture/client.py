# SPDX-License-Identifier: BSD-2-Clause
"""The clients: processes that send numbered hits, pipelined, and remember the fate of each."""
import collections
import multiprocessing
import random
import socket
import time

PROCESSES = 3
PAGES = 4000
HOT_SHARE = 0.4  # of the hits go to one site, so that its batches must be cut
BATCH_MAX = 8
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"  # a person's


class Sent:
    """What became of every hit, by (site, page)."""

    def __init__(self):
        self.attempted = collections.Counter()
        self.acknowledged = collections.Counter()
        self.unknown = collections.Counter()
        self.refused = 0

    def add(self, other):
        self.attempted += other.attempted
        self.acknowledged += other.acknowledged
        self.unknown += other.unknown
        self.refused += other.refused

    def pages(self):
        return self.attempted.keys()


def hit(rng, sites):
    site = sites[0] if rng.random() < HOT_SHARE else rng.choice(sites)
    return site, f"/p{rng.randrange(PAGES)}"


def request(site, page, number):
    return (f"GET /hit?s={site}&u={page}&q=1&n={number} HTTP/1.1\r\nHost: {site}.example\r\n"
            f"User-Agent: {AGENT}\r\nAccept-Language: vi\r\n\r\n").encode()


def answers(connection, count):
    """Yields the status of each answer, as many as come before the connection ends."""
    data = b""
    while count:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            try:
                more = connection.recv(65536)
            except OSError:
                return
            if not more:
                return
            data += more
            continue
        status = int(head[9:12])
        yield status
        if status != 204:  # an error closes the connection: what was sent behind it is not read
            return
        data = rest
        count -= 1


def send_batch(connection, batch, numbers, sent):
    """Sends one batch; returns whether the connection may be used again."""
    for hit_ in batch:
        sent.attempted[hit_] += 1
    try:
        connection.sendall(b"".join(request(*h, n) for h, n in zip(batch, numbers)))
        statuses = list(answers(connection, len(batch)))
    except OSError:
        statuses = []
    for hit_, status in zip(batch, statuses):
        if status == 204:
            sent.acknowledged[hit_] += 1
        else:
            sent.refused += 1
    for hit_ in batch[len(statuses):]:
        sent.unknown[hit_] += 1
    return len(statuses) == len(batch) and all(s == 204 for s in statuses)


def client(port, sites, seed, stop, results):
    rng = random.Random(seed)
    sent = Sent()
    connection = None
    number = 0
    while not stop.is_set():
        if connection is None:
            try:
                connection = socket.create_connection(("127.0.0.1", port), 5)
            except OSError:
                time.sleep(0.01)
                continue
        batch = [hit(rng, sites) for _ in range(rng.randint(1, BATCH_MAX))]
        numbers = [f"{seed:x}.{number + i}" for i in range(len(batch))]
        number += len(batch)
        if not send_batch(connection, batch, numbers, sent):
            connection.close()
            connection = None
    results.put(sent)


class Clients:
    def __init__(self, port, sites, seed):
        self.stop_event = multiprocessing.Event()
        self.results = multiprocessing.Queue()
        self.processes = [multiprocessing.Process(target=client, args=(port, sites, seed + n, self.stop_event,
                                                                       self.results), daemon=True)
                          for n in range(PROCESSES)]
        for process in self.processes:
            process.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for process in self.processes:
            process.terminate()
            process.join()

    def stop(self):
        self.stop_event.set()
        sent = Sent()
        for _ in self.processes:
            sent.add(self.results.get(timeout=60))
        return sent
