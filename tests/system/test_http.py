# SPDX-License-Identifier: BSD-2-Clause
"""Hostile, slow and old clients over plain sockets: what they get, and that nobody else notices."""
import gzip
import json
import os
import pathlib
import re
import resource
import signal
import socket
import stat
import struct
import time

import pytest

from world import BROWSER_LINES, HEAD, eventually

HIT = b"GET /hit?s=a HTTP/1.1\r\n" + HEAD + b"\r\n"
CLOSE = b"Connection: close\r\n"


def connect(daemon, timeout=10):
    s = socket.create_connection(("127.0.0.1", daemon.port), timeout=timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s):
    """Until the end; a reset is an error."""
    data = b""
    while chunk := s.recv(65536):
        data += chunk
    return data


def answers(data, head=False):
    """Splits answers by their Content-Length, strictly: [(status, {field: value}, body)]."""
    found = []
    while data:
        top, end, data = data.partition(b"\r\n\r\n")
        assert end, data
        lines = top.decode("ascii").split("\r\n")
        version, status = lines[0].split(" ")[:2]
        assert version == "HTTP/1.1"
        fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        length = 0 if status in ("204", "304") or head else int(fields["content-length"])
        assert len(data) >= length
        found.append((int(status), fields, data[:length]))
        data = data[length:]
    return found


def talk(daemon, data):
    """Sends, does not half-close, and reads until the daemon closes."""
    with connect(daemon) as s:
        s.sendall(data)
        return answers(read_all(s))


def total(daemon):
    return daemon.counts()["hits"]["total"]


@pytest.fixture
def alone(world):
    """One worker, so that an answer on one connection shows that another has been read."""
    return world.thongked("workers = 1\ndemo = true\n", name="alone").start()


REFUSED = {
    "transfer encoding": (501, b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "both lengths": (400, b"POST /hit?s=a HTTP/1.1\r\n" + HEAD +
                     b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "two lengths": (400, b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Content-Length: 0\r\nContent-Length: 43\r\n\r\n"),
    "same length twice": (400, b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n"),
    "listed length": (400, b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Content-Length: 0, 0\r\n\r\n"),
    "signed length": (400, b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Content-Length: +0\r\n\r\n"),
    "hex length": (400, b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Content-Length: 0x0\r\n\r\n"),
    "no host": (400, b"GET /hit?s=a HTTP/1.1\r\n\r\n"),
    "two hosts": (400, b"GET /hit?s=a HTTP/1.1\r\n" + HEAD + b"Host: a.example\r\n\r\n"),
    "space before colon": (400, b"GET /hit?s=a HTTP/1.1\r\nHost : a.example\r\n\r\n"),
    "folded line": (400, b"GET /hit?s=a HTTP/1.1\r\n" + HEAD + b"X: a\r\n b\r\n\r\n"),
    "bare lf": (400, b"GET /hit?s=a HTTP/1.1\nHost: a.example\n\n"),
    "bare cr": (400, b"GET /hit?s=a HTTP/1.1\r\n" + HEAD + b"X: a\rb\r\n\r\n"),
    "nul": (400, b"GET /hit?s=a HTTP/1.1\r\n" + HEAD + b"X: a\0b\r\n\r\n"),
    "raw byte in target": (400, b"GET /hit?s=a&u=/\xc3\xa0 HTTP/1.1\r\n" + HEAD + b"\r\n"),
    "%00": (400, b"GET /hit?s=a&u=/%00 HTTP/1.1\r\n" + HEAD + b"\r\n"),
    "bad escape": (400, b"GET /hit?s=a&u=/%zz HTTP/1.1\r\n" + HEAD + b"\r\n"),
    "body on get": (400, b"GET /hit?s=a HTTP/1.1\r\n" + HEAD + b"Content-Length: 3\r\n\r\nabc"),
    "other authority": (400, b"GET http://b.example/hit?s=a HTTP/1.1\r\n" + HEAD + b"\r\n"),
    "http/0.9": (400, b"GET /hit?s=a\r\n"),
    "http/2": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "long line": (414, b"GET /hit?s=a&x=" + b"y" * 8300 + b" HTTP/1.1\r\n" + HEAD + b"\r\n"),
    "many fields": (431, b"GET /hit?s=a HTTP/1.1\r\n" + HEAD + b"X: 1\r\n" * 70 + b"\r\n"),
    "large body": (413, b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000),
    "body type": (415, b"POST /hit HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
    "expect": (417, b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Expect: 200-maybe\r\nContent-Length: 0\r\n\r\n"),
    "unknown path": (404, b"GET /nowhere HTTP/1.1\r\n" + HEAD + b"\r\n"),
    "unknown site": (404, b"GET /hit?s=zzz HTTP/1.1\r\n" + HEAD + b"\r\n"),
    "method": (405, b"DELETE /hit?s=a HTTP/1.1\r\n" + HEAD + b"\r\n"),
    "method nobody knows": (501, b"BREW /hit?s=a HTTP/1.1\r\n" + HEAD + b"\r\n"),
    "bad rows": (400, b"GET /hit?s=a&rows=century HTTP/1.1\r\n" + HEAD + b"\r\n"),
}


def test_refusals_close_and_nothing_after_them_is_read(daemon):
    for name, (status, request) in REFUSED.items():
        found = talk(daemon, request + HIT + HIT)
        assert [a[0] for a in found] == [status], name
        fields, body = found[0][1:]
        assert fields["connection"] == "close", name
        assert len(body) < 64 and b"zzz" not in body and b"nowhere" not in body, name
    assert total(daemon) == 0
    keys = daemon.numbers().client.keys("*")
    assert not [key for key in keys if "zzz" in key], keys


def test_answers_before_a_refusal_are_sent(daemon):
    found = talk(daemon, HIT + HIT + REFUSED["two lengths"][1] + HIT)
    assert [a[0] for a in found] == [200, 200, 400]
    assert total(daemon) == 2


def test_a_client_that_goes_on_sending_sees_the_refusal(daemon):
    for _ in range(20):
        with connect(daemon) as s:
            s.sendall(b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Content-Length: 200000\r\n\r\n")
            s.sendall(b"x" * 200000)
            assert answers(read_all(s))[0][0] == 413
    assert total(daemon) == 0


def test_requests_split_at_every_byte(alone):
    post = (b"POST /hit HTTP/1.1\r\n" + HEAD + b"Content-Type: text/plain\r\nContent-Length: 11\r\n\r\n"
            b"s=a&u=/post")
    both = post + b"GET /hit?s=a&u=/get HTTP/1.1\r\n" + HEAD + CLOSE + b"\r\n"
    with connect(alone) as barrier:
        for cut in range(1, len(both)):
            with connect(alone) as s:
                s.sendall(both[:cut])
                barrier.sendall(b"GET /counts.txt?s=a HTTP/1.1\r\n" + HEAD + b"\r\n")
                assert barrier.recv(4096)
                s.sendall(both[cut:])
                pages = [json.loads(a[2])["page"]["path"] for a in answers(read_all(s))]
                assert pages == ["/post", "/get"], cut
    assert total(alone) == 2 * (len(both) - 1)


def test_long_pipeline_is_answered_in_order_to_a_half_closed_client(alone):
    count = 500
    found = answers(alone.raw(b"".join(
        b"GET /hit?s=a&u=/%d HTTP/1.1\r\n" % i + HEAD + b"\r\n" for i in range(count))))
    assert [json.loads(a[2])["page"]["path"] for a in found] == [f"/{i}" for i in range(count)]
    assert json.loads(found[-1][2])["hits"]["total"] == count
    assert total(alone) == count


def test_nothing_after_a_last_request_is_counted(daemon):
    last = b"GET /hit?s=a HTTP/1.1\r\n" + HEAD + CLOSE + b"\r\n"
    assert [a[0] for a in talk(daemon, last + HIT)] == [200]
    assert total(daemon) == 1


def without_date(fields):
    return {k: v for k, v in fields.items() if k != "date"}


def test_head_says_what_get_would_and_counts_nothing(alone):
    end = b" HTTP/1.1\r\n" + HEAD + CLOSE + b"\r\n"
    for path in (b"/counts.json?s=a", b"/counts.txt?s=a", b"/thongke.js", b"/demo"):
        with connect(alone) as s:
            s.sendall(b"HEAD " + path + end)
            (head,) = answers(read_all(s), head=True)
        (get,) = talk(alone, b"GET " + path + end)
        assert head[0] == get[0] == 200 and head[2] == b"", path
        assert without_date(head[1]) == without_date(get[1]), path
    for path in (b"/hit?s=a", b"/hit.gif?s=a", b"/hit?s=a&q=1"):
        with connect(alone) as s:
            s.sendall(b"HEAD " + path + end)
            ((status, fields, body),) = answers(read_all(s), head=True)
        assert (status, body) == (204 if b"q=1" in path else 200, b""), path
    assert total(alone) == 0


def test_http_1_0_as_nginx_speaks_it(daemon):
    (plain,) = talk(daemon, b"GET /hit?s=a HTTP/1.0\r\n" + BROWSER_LINES + b"\r\n")
    assert plain[0] == 200 and plain[1]["connection"] == "close"
    (kept,) = talk(daemon, b"GET /hit?s=a HTTP/1.0\r\n" + HEAD + b"Connection: keep-alive\r\n\r\n")
    assert kept[0] == 200 and kept[1]["connection"] == "close"
    assert total(daemon) == 2


def test_options_and_methods(daemon):
    asked = b"OPTIONS /hit HTTP/1.1\r\n" + HEAD + b"Origin: https://a.example\r\n" + CLOSE + b"\r\n"
    ((status, fields, body),) = talk(daemon, asked)
    assert (status, body) == (204, b"")
    assert fields["access-control-allow-origin"] == "*"
    assert "POST" in fields["access-control-allow-methods"]
    assert fields["access-control-allow-headers"] == "content-type"
    assert "access-control-allow-credentials" not in fields and "content-length" not in fields
    (refused,) = talk(daemon, b"POST /counts.json?s=a HTTP/1.1\r\nHost: u\r\nContent-Length: 0\r\n\r\n")
    assert refused[0] == 405 and refused[1]["allow"] == "GET, HEAD, OPTIONS"
    assert daemon.request("OPTIONS", "/metrics", port=daemon.admin_port).status == 405


def test_quiet_hit_nonce_and_gif(daemon):
    quiet = daemon.get("/hit?s=a&q=1&n=one")
    assert (quiet.status, quiet.body) == (204, b"")
    again = daemon.get("/hit?s=a&n=one").json
    assert (again["counted"], again["reason"]) == (False, "duplicate")
    gif = daemon.get("/hit.gif?s=a&n=two")
    assert (gif.status, gif.headers["Content-Type"], len(gif.body)) == (200, "image/gif", 43)
    assert struct.unpack("<HH", gif.body[6:10]) == (1, 1) and gif.body[:6] == b"GIF89a"
    assert gif.headers["Cache-Control"] == "no-store"
    assert total(daemon) == 2


def test_the_script_is_sent_once(daemon):
    script = daemon.get("/thongke.js")
    etag = script.headers["ETag"]
    for field in (etag, "W/" + etag, '"other", ' + etag, "*"):
        again = daemon.get("/thongke.js", **{"If-None-Match": field})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag), field
    assert daemon.get("/thongke.js", **{"If-None-Match": '"other"'}).body == script.body


def test_the_script_is_sent_compressed_to_those_who_take_it(daemon):
    plain, packed = daemon.get("/thongke.js"), daemon.get("/thongke.js", **{"Accept-Encoding": "gzip, deflate, br"})
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) < len(plain.body)
    assert (plain.headers["Content-Encoding"], packed.headers["Content-Encoding"]) == (None, "gzip")
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]
    for accepts, sent in (("br, gzip;q=0", plain), ("identity", plain), ("gzip", packed)):
        answer = daemon.get("/thongke.js", **{"Accept-Encoding": accepts})
        assert answer.body == sent.body, accepts
        again = daemon.get("/thongke.js", **{"Accept-Encoding": accepts, "If-None-Match": sent.headers["ETag"]})
        assert (again.status, again.body, again.headers["Content-Encoding"]) == (304, b"", None), accepts
        assert again.headers["Vary"] == "Accept-Encoding" and again.headers["ETag"] == sent.headers["ETag"], accepts
    # One encoding's tag says nothing about the other's bytes.
    assert daemon.get("/thongke.js", **{"If-None-Match": packed.headers["ETag"]}).status == 200
    head = daemon.request("HEAD", "/thongke.js", headers={"Accept-Encoding": "gzip"})
    assert (head.headers["Content-Length"], head.headers["Content-Encoding"]) == (str(len(packed.body)), "gzip")


def test_what_is_sent_of_the_script_is_its_source_without_comments(daemon):
    source = (pathlib.Path(__file__).parents[2] / "client-js/thongke.js").read_text()
    lines = (re.sub(r"(^|\s)// .*", "", line).strip() for line in source.splitlines())
    assert daemon.get("/thongke.js").body.decode() == "".join(line + "\n" for line in lines if line)


def test_the_script_has_a_name_that_no_other_content_will_have(daemon):
    script = daemon.get("/thongke.js")
    name = "/thongke-%s.js" % script.headers["ETag"].strip('"')
    frozen = daemon.get(name)
    assert (frozen.status, frozen.body) == (200, script.body)
    assert frozen.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert script.headers["Cache-Control"] == "public, max-age=3600"
    again = daemon.get(name, **{"If-None-Match": frozen.headers["ETag"]})
    assert (again.status, again.headers["Cache-Control"]) == (304, frozen.headers["Cache-Control"])
    head = daemon.request("HEAD", name)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(script.body)))
    assert daemon.request("POST", name).status == 405
    for other in ("/thongke-0000000000000000.js", "/thongke-.js", name + "x", name.replace(".js", ".css")):
        assert daemon.get(other).status == 404, other


def test_demo_only_where_it_is_switched_on(daemon, alone):
    assert daemon.get("/demo").status == 404
    assert alone.get("/demo").status == 200


def test_base_path_works_stripped_or_not(world):
    daemon = world.thongked('base_path = "/thongke"\n').start()
    assert [daemon.get(path).status for path in
            ("/thongke/hit?s=a", "/hit?s=a", "/thongkehit?s=a", "/thongke", "/other/hit?s=a")] == [200, 200, 404, 404, 404]


def test_slow_clients_are_told_or_closed_and_others_are_served(daemon):
    begin = time.monotonic()
    slow = [connect(daemon, timeout=20) for _ in range(3)]
    slow[1].sendall(b"GET /hit?s=a HTTP/1.1\r\nHost:")
    slow[2].sendall(b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + b"Content-Length: 4\r\n\r\nu=")
    # Feeding it moves no deadline: five seconds are for the whole of a request.
    slow[1].settimeout(0.2)
    fed = b""
    while not fed and time.monotonic() - begin < 15:
        try:
            fed = slow[1].recv(4096)
        except TimeoutError:
            slow[1].sendall(b" ")
        assert daemon.get("/counts.json?s=a").status == 200
    seconds = time.monotonic() - begin
    assert 4.9 <= seconds < 8, seconds
    assert answers(fed)[0][0] == 408
    assert read_all(slow[0]) == b""
    assert [a[0] for a in answers(read_all(slow[2]))] == [408]
    assert total(daemon) == 0
    for s in slow:
        s.close()


def test_a_client_that_does_not_read_costs_little_and_gets_all_in_the_end(alone):
    body = alone.get("/demo").body
    count = (16 << 20) // len(body)  # more than the kernel's buffers take
    before = alone.metric("thongke_resident_memory_bytes")
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(10)
        s.connect(("127.0.0.1", alone.port))
        s.sendall((b"GET /demo HTTP/1.1\r\n" + HEAD + b"\r\n") * count)
        for _ in range(100):
            assert alone.get("/counts.json?s=a").status == 200
        assert alone.metric("thongke_resident_memory_bytes") - before < 4 << 20
        s.shutdown(socket.SHUT_WR)
        chunks = []
        while chunk := s.recv(1 << 20):
            chunks.append(chunk)
    assert b"".join(chunks).count(body) == count


def test_full_of_idle_connections_the_longest_idle_makes_room(world):
    daemon = world.thongked("workers = 1\nlimits { connections = 10 }\n").start()
    idle = []
    for _ in range(10):
        s = connect(daemon)
        s.sendall(HIT)
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
        idle.append(s)
    assert daemon.get("/hit?s=a").status == 200
    assert idle[0].recv(1) == b""
    for s in idle[2:]:
        s.sendall(HIT)
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
    assert daemon.metric("thongke_connections_closed_early_total") >= 1


def test_full_of_unfinished_requests_a_new_client_is_turned_away_then_let_in(world):
    daemon = world.thongked("workers = 1\nlimits { connections = 10 }\n").start()
    slow = [connect(daemon) for _ in range(10)]
    for s in slow:
        s.sendall(b"GET ")
    eventually(lambda: daemon.metric("thongke_connections") == 10)
    turned = daemon.get("/hit?s=a")
    assert turned.status == 503 and turned.headers["Retry-After"] == "1"
    eventually(lambda: daemon.get("/hit?s=a").status == 200, seconds=4)
    assert total(daemon) == 1


def test_out_of_descriptors_it_waits_without_spinning_and_recovers(world):
    daemon = world.thongked("workers = 1\n").start()
    pid = daemon.process.pid
    limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    open_now = len(os.listdir(f"/proc/{pid}/fd"))
    crowd = [connect(daemon) for _ in range(4)]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now + 2, limit[1]))
    try:
        crowd += [connect(daemon) for _ in range(8)]
        eventually(lambda: "accept_failed" in daemon.log())
        begin = time.monotonic()
        ticks = sum(map(int, open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11:13]))
        eventually(lambda: daemon.log().count("accept_failed") > 1 or time.monotonic() - begin > 1, seconds=5)
        used = sum(map(int, open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11:13])) - ticks
        assert used < 30 * (time.monotonic() - begin), used
        assert daemon.log().count("accept_failed") == 1
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
    for s in crowd:
        s.close()
    eventually(lambda: daemon.get("/hit?s=a").status == 200)


def test_reset_clients_do_no_harm(daemon):
    for data in (b"", b"GET ", HIT, HIT * 100, REFUSED["two lengths"][1]):
        for _ in range(10):
            s = connect(daemon)
            s.sendall(data)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
    assert daemon.get("/counts.json?s=a").status == 200
    eventually(lambda: daemon.metric("thongke_connections") <= 1)


def test_a_full_journal_refuses_hits_aloud_and_recovers(world):
    redis = world.redis()
    daemon = world.thongked("workers = 1\njournal { max_size = \"4MiB\" }\n", redis=redis).start()
    redis.stop()
    page = "/" + "x" * 400
    many = (b"GET /hit?s=a&q=1&u=%s HTTP/1.1\r\n" % page.encode() + HEAD + b"\r\n") * 100
    found = []
    while not found or found[-1][0] == 204:
        found += answers(daemon.raw(many))
        assert len(found) < 20000
    assert found[-1][0] == 503 and found[-1][1]["retry-after"] == "1"
    accepted = sum(a[0] == 204 for a in found)
    # Where no more of those fit, a few shorter ones may.
    while daemon.get("/hit?s=a&q=1").status == 204:
        accepted += 1
    refused = daemon.get("/hit?s=a&n=mine")
    assert refused.status == 503
    assert daemon.get("/counts.json?s=a").json["hits"]["total"] == accepted
    assert "hits_unavailable" in daemon.admin("/readyz").body.decode()
    redis.start()
    again = eventually(lambda: (a := daemon.get("/hit?s=a&n=mine")).status == 200 and a, seconds=30)
    assert again.json["counted"] is True
    eventually(lambda: redis.numbers().total("a") == accepted + 1)


def test_stopping_answers_what_is_under_way(world):
    daemon = world.thongked("workers = 1\n").start()
    idle, busy = connect(daemon), connect(daemon)
    idle.sendall(HIT)
    assert idle.recv(4096).startswith(b"HTTP/1.1 200")
    busy.sendall(HIT[:-2])
    assert daemon.get("/hit?s=a").status == 200
    process = daemon.process
    process.send_signal(signal.SIGTERM)
    assert idle.recv(1) == b""
    busy.sendall(HIT[-2:])
    found = answers(read_all(busy))
    assert [a[0] for a in found] == [200] and found[0][1]["connection"] == "close"
    assert process.wait(timeout=20) == 0
    with pytest.raises(ConnectionRefusedError):
        connect(daemon)
    daemon.start()
    assert total(daemon) == 3


def test_unix_socket_is_open_to_all_and_a_stale_one_is_replaced(world):
    path = world.path("front.sock")
    daemon = world.thongked()
    unix = ("-o", f"listen=unix:{path}")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    daemon.launch(*unix).wait_ready()
    umask = os.umask(0o22)
    os.umask(umask)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666 & ~umask
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(HIT[:-2] + CLOSE + b"\r\n")
        assert answers(read_all(s))[0][0] == 200
    other = world.thongked(name="u").launch(*unix)
    assert other.process.wait(timeout=10) == 1
    assert f"cannot listen on unix:{path}: another program already listens there" in other.log()
    daemon.stop()
    assert not os.path.exists(path)


def test_a_port_in_use_is_one_sentence(world, daemon):
    other = world.thongked(name="u").launch("-o", f"listen=127.0.0.1:{daemon.port}")
    assert other.process.wait(timeout=10) == 1
    assert other.log().strip().splitlines()[-1] == \
        f"thongked: cannot listen on 127.0.0.1:{daemon.port}: another program already listens there"
