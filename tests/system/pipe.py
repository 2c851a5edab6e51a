# SPDX-License-Identifier: BSD-2-Clause
"""Many requests over one connection, sent before their answers are read."""
import json
import socket
import urllib.parse

from world import BROWSER

BATCH = 64  # requests in flight: their answers fit the kernel's buffers, so that neither side waits for the other


def get(target, **headers):
    """The bytes of a request from a person's browser; as Thongked.get() has it, None leaves a header out."""
    given = {"Host": "a.example", **BROWSER, **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{name}: {value}\r\n" for name, value in given.items() if value is not None]
    return f"GET {target} HTTP/1.1\r\n{''.join(lines)}\r\n".encode()


def hit(site="a", page="/", client=None, **parameters):
    """A hit's request, from a client's address that a trusted proxy names."""
    query = urllib.parse.urlencode(dict(s=site, u=page, **parameters))
    return get("/hit?" + query, X_Forwarded_For=client)


class Pipe:
    def __init__(self, daemon):
        self.socket = socket.create_connection(("127.0.0.1", daemon.port), timeout=20)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def more(self):
        chunk = self.socket.recv(1 << 18)
        assert chunk, "the daemon closed the connection"
        self.data += chunk

    def answer(self):
        """(status, body) of the next one."""
        while b"\r\n\r\n" not in self.data:
            self.more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
        while len(self.data) < length:
            self.more()
        body, self.data = self.data[:length], self.data[length:]
        return int(head[9:12]), body

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, requests):
        """Sends them, some at once; yields the answers in their order."""
        requests = iter(requests)
        while batch := [request for _, request in zip(range(BATCH), requests)]:
            self.send(b"".join(batch))
            for _ in batch:
                yield self.answer()

    def json(self, requests):
        for status, body in self.ask(requests):
            assert status == 200, (status, body)
            yield json.loads(body)


def outcomes(daemon, requests):
    """What became of each hit: "counted", the reason why not, or the status of an error that leaves the connection."""
    with Pipe(daemon) as pipe:
        return [answer.get("reason", "counted") for answer in pipe.json(requests)]
