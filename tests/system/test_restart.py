# SPDX-License-Identifier: BSD-2-Clause
"""Ends and new starts of thongked and of its private Redis: nothing lost, nothing twice, never two servers."""
import os
import signal

from world import alive, eventually


def test_second_start_shows_the_earlier_counts(daemon):
    daemon.hits(7)
    daemon.stop()
    daemon.start()
    assert daemon.counts()["hits"]["total"] == 7
    assert daemon.hit()["hits"]["total"] == 8
    eventually(lambda: daemon.numbers().total("a") == 8)


def test_kill_of_the_daemon_loses_no_answered_hit(daemon):
    total = 0
    for _ in range(4):
        daemon.hits(150)
        total += 150
        daemon.kill()
        daemon.start()
        assert daemon.counts()["hits"]["total"] == total
    eventually(lambda: daemon.numbers().total("a") == total)


def test_nonce_is_remembered_over_a_kill(daemon):
    daemon.hit(n="abc")
    daemon.kill()
    daemon.start()
    assert daemon.hit(n="abc")["counted"] is False
    assert daemon.counts()["hits"]["total"] == 1


def test_private_redis_is_started_again(daemon):
    daemon.hits(50)
    pid = daemon.numbers().pid()
    os.kill(pid, signal.SIGKILL)
    assert daemon.hits(50)["hits"]["total"] == 100
    eventually(lambda: daemon.numbers().pid() != pid, seconds=30)
    eventually(lambda: daemon.numbers().total("a") == 100, seconds=30)
    assert daemon.counts()["hits"]["total"] == 100
    eventually(lambda: daemon.counts()["age"] == 0)


def test_private_redis_ends_with_its_daemon(daemon):
    pid = daemon.numbers().pid()
    daemon.kill()
    eventually(lambda: not alive(pid), what="redis-server ended after kill -9 of thongked")
    daemon.start()
    pid = daemon.numbers().pid()
    daemon.stop()
    assert not alive(pid)


def test_one_daemon_per_state_directory(world, daemon):
    pid = daemon.numbers().pid()
    other = world.thongked(name="u")
    with open(other.conf) as f:
        text = f.read()
    with open(other.conf, "w") as f:
        f.write(text.replace(other.state, daemon.state))
    other.launch()
    assert other.process.wait(timeout=20) != 0
    assert daemon.state in other.log()
    assert daemon.numbers().pid() == pid
    assert daemon.hit()["hits"]["total"] == 1


def test_first_sigterm_answers_what_has_arrived(daemon):
    daemon.hits(20)
    pid = daemon.numbers().pid()
    daemon.stop()
    assert not alive(pid)
    daemon.start()
    assert daemon.numbers().total("a") == 20


def test_sync_always_and_no(world):
    for sync in ["always", "no"]:
        daemon = world.thongked(f'journal {{ sync = "{sync}" }}', name=sync).start()
        daemon.hits(20)
        daemon.kill()
        daemon.start()
        assert daemon.counts()["hits"]["total"] == 20
        daemon.stop()
