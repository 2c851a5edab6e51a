# SPDX-License-Identifier: BSD-2-Clause
"""Who the client is: forwarded addresses, held against a real nginx, and the PROXY protocol. A client is recognised by
its limit: where one hit is allowed, the second one of the same client is refused as "rate"."""
import http.client
import os
import re
import signal
import socket
import struct
import subprocess
import time

import pytest

from world import BROWSER, HEAD, Answer, eventually, free_port

HIT = b"GET /hit?s=a HTTP/1.1\r\n" + HEAD + b"%s\r\n"
ONE = "limits { hits_per_minute = 1 }\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

NGINX = """
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log stderr;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir};
    scgi_temp_path {dir};
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        location /thongke/ {{ proxy_pass http://127.0.0.1:{thongked}/; }}
        location /unix/ {{ proxy_pass http://unix:{socket}:/; }}
    }}
    server {{
        listen 127.0.0.1:{who};
        set_real_ip_from 127.0.0.0/8;
        set_real_ip_from ::1/128;
        set_real_ip_from 10.0.0.0/8;
        real_ip_header X-Forwarded-For;
        real_ip_recursive on;
        location / {{ return 200 $remote_addr; }}
    }}
}}
stream {{
    server {{
        listen 127.0.0.1:{stream};
        proxy_pass 127.0.0.1:{proxied};
        proxy_protocol on;
    }}
}}
"""


class Nginx:
    """In front of a thongked; every port is one that was free."""

    def __init__(self, world, daemon, proxied=1):
        self.dir = world.path("nginx")
        self.port, self.who, self.stream = free_port(), free_port(), free_port()
        os.makedirs(self.dir)
        conf = os.path.join(self.dir, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX.format(dir=self.dir, port=self.port, who=self.who, stream=self.stream, proxied=proxied,
                                 thongked=daemon.port, socket=world.path("front.sock")))
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen(["nginx", "-p", self.dir, "-c", conf, "-e", "stderr"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        world.started.append(self.stop)
        eventually(lambda: socket.create_connection(("127.0.0.1", self.who)).close() is None, what="nginx answers")

    def stop(self):
        self.process.kill()
        self.process.wait()


def get(port, target, source="127.0.0.1", **headers):
    """A request from one of loopback's many addresses."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(source, 0))
    try:
        connection.putrequest("GET", target)
        for name, value in {**BROWSER, **headers}.items():
            for line in value.split("\n"):
                connection.putheader(name.replace("_", "-"), line)
        connection.endheaders()
        return Answer(connection.getresponse())
    finally:
        connection.close()


def outcome(answer):
    assert answer.status == 200, (answer.status, answer.body)
    return answer.json.get("reason", "counted")


# The number keeps the clients of the cases apart, a newline lines of one name. nginx takes "[v6]" only with a port.
HEADERS = [
    "192.0.2.{}", "198.51.100.9, 192.0.2.{}", "127.0.0.1, 192.0.2.{}", "192.0.2.{}, 10.0.0.1",
    "203.0.113.1, 192.0.2.{}, 10.0.0.1, 127.0.0.1", "192.0.2.{}, ::1", "192.0.2.{}, ::ffff:10.0.0.1",
    "::ffff:192.0.2.{}", "2001:db8:0:{}::1", "[2001:db8:0:{}::1]:4711", "192.0.2.{}:4711", "192.0.2.{},10.0.0.1",
    "192.0.2.{} 10.0.0.1", "192.0.2.{} , ,10.0.0.1,", ",,,192.0.2.{}", "unknown, 192.0.2.{}", '", 192.0.2.{}',
    "10.0.1.{}", "10.0.1.{}, 10.0.0.1", "192.0.2.1, unknown, 10.0.1.{}", "192.0.2.1, 300.0.0.1, 10.0.1.{}, 10.0.0.1",
    "198.51.100.9\n192.0.2.{}", "192.0.2.{}\n10.0.0.1", "192.0.2.{}, 127.0.0.1\n10.0.0.2, ::1\n10.0.0.1",
    "10.0.1.{}\n10.0.0.1", "192.0.2.1, unknown\n10.0.1.{}", "192.0.2.1\n\n10.0.1.{}",
    "192.0.2.1, unknown", "192.0.2.1, unix:", "unknown", "", " ", ",", ", ,,", "fe80::1%eth0",
]


def test_the_client_is_whom_nginx_finds(world):
    daemon = world.thongked(ONE + 'trusted_proxies += {"10.0.0.0/8"}\n').start()
    nginx = Nginx(world, daemon)
    found = []
    for number, pattern in enumerate(HEADERS, 100):
        header = pattern.format(number)
        client = get(nginx.who, "/", X_Forwarded_For=header).body.decode()
        seen = [outcome(get(daemon.port, "/hit?s=a", X_Forwarded_For=value)) for value in (header, client)]
        # nginx keeps the connection's address where the header gives none; that one has no limit here.
        lost = client == "127.0.0.1"
        assert seen == ["counted", "rate"] or lost, (header, client, seen)
        if lost:
            again = outcome(get(daemon.port, "/hit?s=a", X_Forwarded_For=header))
            assert (seen[0], again) == ("counted", "counted"), header
        found.append(client)
    assert len(set(found)) == len(HEADERS) - 7 and found.count("127.0.0.1") == 8
    assert daemon.metric("thongke_hits_without_address_total") == 16


def test_forged_headers_through_nginx(world):
    """nginx connects from 127.0.0.1; its clients from other addresses, which are not trusted here."""
    path = world.path("front.sock")
    daemon = world.thongked("limits { hits_per_minute = 2 }\n" 'trusted_proxies = {"127.0.0.1", "unix:"}\n'
                            f'listen += {{"unix:{path}"}}\n').start()
    nginx = Nginx(world, daemon)
    forged = [{}, {"X_Forwarded_For": "198.51.100.1"}, {"X_Forwarded_For": "127.0.0.1, 198.51.100.2"},
              {"X_Forwarded_For": "198.51.100.3, 127.0.0.1"}, {"X_Forwarded_For": "unknown"}, {"X_Forwarded_For": ","},
              {"X_Forwarded_For": '"'}, {"Forwarded": "for=198.51.100.4"}, {"X_Real_IP": "198.51.100.5"}]
    for place in ("/thongke", "/unix"):
        source = "127.0.0.5" if place == "/unix" else "127.0.0.6"
        seen = [outcome(get(nginx.port, place + "/hit?s=a", source, **headers)) for headers in forged]
        assert seen == ["counted"] * 2 + ["rate"] * (len(forged) - 2), place
    # Nobody uses up a neighbour's limit by naming him.
    for _ in range(5):
        get(nginx.port, "/thongke/hit?s=a", "127.0.0.7", X_Forwarded_For="127.0.0.8")
    assert outcome(get(nginx.port, "/thongke/hit?s=a", "127.0.0.8")) == "counted"
    # Nor is anybody believed who is no trusted proxy.
    seen = [outcome(get(daemon.port, "/hit?s=a", "127.0.0.9", X_Forwarded_For=f"198.51.100.{n}")) for n in range(3)]
    assert seen == ["counted", "counted", "rate"]
    assert daemon.metric("thongke_hits_without_address_total") == 0


def test_the_header_is_chosen_and_a_reload_changes_it(world):
    daemon = world.thongked(ONE + 'forwarded = "forwarded"\n').start()

    def hit(**headers):
        return outcome(get(daemon.port, "/hit?s=a", **headers))
    assert hit(Forwarded='for=198.51.100.1, For="[2001:db8::5]:4711";proto=https') == "counted"
    assert hit(Forwarded='for="[2001:db8::6]"', X_Forwarded_For="192.0.2.1") == "rate"
    assert hit(X_Forwarded_For="2001:db8::5") == "counted"
    with open(daemon.conf, "a") as f:
        f.write('forwarded = "x-forwarded-for"\ntrusted_proxies += {"198.51.100.0/24"}\n')
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded" in daemon.log())
    assert "reload_incomplete" not in daemon.log()
    eventually(lambda: hit(Forwarded="for=203.0.113.9", X_Forwarded_For="2001:db8::7, 198.51.100.1") == "rate")


def test_a_front_server_that_forgets_the_address_is_told_of(world):
    daemon = world.thongked("workers = 1\nlimits { hits_per_minute = 0 }\n").start()

    def problems():
        return {p["problem"]: p.get("count") for p in daemon.admin("/readyz").json["problems"]}
    daemon.hits(99)
    assert "front_forgets_address" not in problems()
    daemon.hits(1)
    assert problems()["front_forgets_address"] == 100
    assert daemon.metric("thongke_hits_without_address_total") == 100
    # A tenth of all is no longer more than a tenth.
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    for _ in range(900):
        connection.request("GET", "/hit?s=a&q=1", headers={**BROWSER, "X-Forwarded-For": "192.0.2.1"})
        assert Answer(connection.getresponse()).status == 204
    connection.close()
    assert "front_forgets_address" not in problems()


# --- the PROXY protocol ---

@pytest.fixture
def proxied(world):
    """A daemon that expects the header on a port and on a unix socket, and not on its usual port."""
    port, path = free_port(), world.path("proxy.sock")
    daemon = world.thongked(ONE + f'listen += {{"127.0.0.1:{port} proxy", "unix:{path} proxy"}}\n').start()
    daemon.proxy_port, daemon.proxy_path = port, path
    return daemon


def connect(daemon, over):
    if over == "tcp":
        return socket.create_connection(("127.0.0.1", daemon.proxy_port), timeout=10)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(daemon.proxy_path)
    return s


def talk(daemon, data, over="tcp", pieces=1):
    """Sends it in so many pieces, half-closes, and returns all that comes back; a reset is an end as well."""
    answer = b""
    with connect(daemon, over) as s:
        try:
            size = -(-len(data) // pieces)
            for start in range(0, len(data), size):
                s.sendall(data[start:start + size])
            s.shutdown(socket.SHUT_WR)
            while chunk := s.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer


def outcomes(answer):
    return re.findall(rb'"counted":(true|false(?=,"reason":"rate"))', answer)


def v1(address, family=4):
    return f"PROXY TCP{family} {address} {'192.0.2.254' if family == 4 else '::2'} 56324 443\r\n".encode()


def v2(address, family=socket.AF_INET, command=1, tlvs=b""):
    ends = socket.inet_pton(family, address) * 2 + struct.pack("!HH", 56324, 443) + tlvs
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, 0x11 if family == socket.AF_INET else 0x21, len(ends)) + ends


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_the_header_names_the_client(proxied, over):
    v6 = socket.AF_INET6
    named = [(v1("203.0.113.1"), v2("203.0.113.1")), (v2("203.0.113.2", tlvs=b"\x04\0\x01x"), v1("203.0.113.2")),
             (v1("2001:db8:1:1::1", 6), v2("2001:db8:1:1::2", v6)), (v2("2001:db8:1:2::1", v6), v1("2001:db8:1:2::1", 6))]
    two = HIT % b"" + HIT % b"X-Forwarded-For: 198.51.100.77\r\nForwarded: for=198.51.100.78\r\n"
    for first, second in named:
        assert outcomes(talk(proxied, first + two, over)) == [b"true", b"false"], first
        assert outcomes(talk(proxied, second + HIT % b"", over)) == [b"false"], second
    # The header in pieces, and with the request in one of them.
    header = v1("203.0.113.3")
    for pieces in (2, 3, len(header + two)):
        assert len(outcomes(talk(proxied, header + two, over, pieces))) == 2
    assert proxied.metric("thongke_hits_without_address_total") == 0
    assert proxied.metric("thongke_connections_closed_early_total") == 0


def test_headers_that_name_nobody_keep_the_peer(proxied):
    """The peer is loopback, a trusted proxy: without a name its hits have no limit, with one they have its."""
    hits = HIT % b"" * 3 + (HIT % b"X-Forwarded-For: 203.0.113.9\r\n") * 2
    for number, header in enumerate([b"PROXY UNKNOWN\r\n", v2("203.0.113.200", command=0), SIGNATURE + b"\x21\0\0\0",
                                     v1("127.0.0.1"), v2("127.0.0.1"),
                                     SIGNATURE + b"\x21\x31\0\xd8" + bytes(216)]):
        data = header + hits.replace(b"113.9", b"113.%d" % (10 + number))
        for over in ("tcp", "unix"):
            expected = [b"true"] * 3 + [b"true" if over == "tcp" else b"false", b"false"]
            assert outcomes(talk(proxied, data, over)) == expected, (header, over)


def test_anything_else_is_closed_without_an_answer(proxied):
    bad = [HIT % b"", b"PROXY TCP4 1.2.3.4\r\n" + HIT % b"", v1("203.0.113.1")[1:] + HIT % b"",
           b"PROXY UNKNOWN\n" + HIT % b"", SIGNATURE + b"\x11\x11\0\x0c" + bytes(12) + HIT % b"",
           SIGNATURE + b"\x21\x11\xff\xff" + bytes(600), b"\x16\x03\x01"]
    for data in bad:
        for over in ("tcp", "unix"):
            assert talk(proxied, data, over) == b"", data
    metrics = proxied.admin("/metrics").body.decode()
    assert f'thongke_connections_closed_early_total{{reason="proxy"}} {2 * len(bad)}\n' in metrics
    # A header that does not end, before the client does or at all, gets no answer either.
    assert talk(proxied, b"PROXY TCP4 1.2", "tcp") == b""
    begin = time.monotonic()
    with connect(proxied, "tcp") as s:
        s.sendall(SIGNATURE)
        assert s.recv(100) == b""
    assert 4.9 <= time.monotonic() - begin < 8
    assert proxied.counts()["hits"]["total"] == 0
    # One header only, and none where it is not expected.
    header = v1("203.0.113.4")
    assert talk(proxied, header + header + HIT % b"").startswith(b"HTTP/1.1 400 ")
    for header in (v1("203.0.113.5"), v2("203.0.113.5")):
        assert proxied.raw(header + HIT % b"").startswith(b"HTTP/1.1 400 ")
    assert proxied.counts()["hits"]["total"] == 0
    assert f'{{reason="proxy"}} {2 * len(bad)}\n' in proxied.admin("/metrics").body.decode()


def test_clients_of_a_balancer_that_reads_nothing(world):
    """nginx as such a one, with the header of version 1."""
    port = free_port()
    daemon = world.thongked(ONE + f'trusted_proxies = {{"127.0.0.1"}}\nlisten += {{"127.0.0.1:{port} proxy"}}\n').start()
    nginx = Nginx(world, daemon, proxied=port)
    seen = [outcome(get(nginx.stream, "/hit?s=a", f"127.0.0.{n}", X_Forwarded_For=f"198.51.100.{i}"))
            for i, n in enumerate((5, 6, 5, 6, 7))]
    assert seen == ["counted", "counted", "rate", "rate", "counted"]
