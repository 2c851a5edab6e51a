# SPDX-License-Identifier: BSD-2-Clause
"""Redis away: hits go on being accepted and shown; Redis back: everything arrives."""
import os
import signal

from world import eventually, today


def test_hits_of_an_outage_arrive_afterwards(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    daemon.hits(10)
    eventually(lambda: redis.numbers().total("a") == 10)
    redis.stop()
    assert daemon.hits(30)["hits"]["total"] == 40
    assert eventually(lambda: daemon.counts()["age"] >= 2)
    assert daemon.counts()["hits"]["total"] == 40
    assert "degraded" in daemon.admin("/readyz").body.decode()
    redis.start()
    eventually(lambda: redis.numbers().total("a") == 40)
    assert redis.numbers().day("a", today()) == 40
    eventually(lambda: daemon.counts()["age"] == 0)
    assert daemon.counts()["hits"]["total"] == 40
    daemon.stop()


def test_frozen_redis_delays_no_answer(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    daemon.hits(5)
    redis.process.send_signal(signal.SIGSTOP)
    try:
        assert daemon.hits(200)["hits"]["total"] == 205
    finally:
        redis.process.send_signal(signal.SIGCONT)
    eventually(lambda: redis.numbers().total("a") == 205)
    assert daemon.counts()["hits"]["total"] == 205


def test_start_without_redis_shows_the_last_numbers_with_their_age(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    daemon.hits(12)
    eventually(lambda: redis.numbers().total("a") == 12)
    daemon.stop()
    redis.stop()
    daemon.start()
    counts = daemon.counts()
    assert counts["hits"]["total"] == 12
    assert eventually(lambda: daemon.counts()["age"] > 0)
    assert daemon.hits(3)["hits"]["total"] == 15
    daemon.kill()
    daemon.start()
    assert daemon.counts()["hits"]["total"] == 15
    redis.start()
    eventually(lambda: redis.numbers().total("a") == 15)
    eventually(lambda: daemon.counts()["age"] == 0)
    assert daemon.counts()["hits"]["total"] == 15


def test_start_with_neither_redis_nor_snapshot_knows_nothing_rather_than_zero(world):
    redis = world.redis()
    first = world.thongked(redis=redis).start()
    first.hits(9)
    eventually(lambda: redis.numbers().total("a") == 9)
    first.stop()
    redis.stop()
    other = world.thongked(redis=redis, name="u").launch()
    other.wait_ready(503)
    counts = other.counts()
    assert counts["hits"]["total"] is None
    assert counts["rows"][0]["value"] is None
    assert "0" not in counts["rows"][0]["text"]
    assert other.hit()["counted"] is True
    redis.start()
    eventually(lambda: redis.numbers().total("a") == 10)
    other.wait_ready(200)
    eventually(lambda: other.counts()["hits"]["total"] == 10)


def test_two_daemons_on_one_redis_show_each_others_hits(world):
    redis = world.redis()
    one, two = [world.thongked(redis=redis, name=name).start() for name in ("one", "two")]
    one.hits(4)
    two.hits(5)
    for daemon in (one, two):
        eventually(lambda: daemon.counts()["hits"]["total"] == 9)
    assert redis.numbers().total("a") == 9


def test_script_cache_flushed_and_connections_dropped(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    client = redis.numbers().client
    for step in range(1, 6):
        daemon.hits(10)
        client.script_flush()
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        eventually(lambda: redis.numbers().total("a") == 10 * step)
    assert daemon.counts()["hits"]["total"] == 50


def test_full_redis_refuses_and_nothing_is_lost(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    client = redis.numbers().client
    daemon.hits(3)
    eventually(lambda: redis.numbers().total("a") == 3)
    client.config_set("maxmemory", "1")
    assert daemon.hits(7)["hits"]["total"] == 10
    eventually(lambda: daemon.counts()["age"] >= 1)
    assert redis.numbers().total("a") == 3
    client.config_set("maxmemory", "0")
    eventually(lambda: redis.numbers().total("a") == 10)
    assert daemon.counts()["hits"]["total"] == 10
    assert os.path.exists(os.path.join(daemon.state, "journal"))
