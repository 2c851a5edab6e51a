# SPDX-License-Identifier: BSD-2-Clause
"""Redis or the state directory goes back in time: the numbers are right, or it is said aloud."""
import shutil

from world import SITE, eventually, shard


def settled(daemon, redis, total):
    eventually(lambda: redis.numbers().total("a") == total and daemon.counts()["hits"]["total"] == total,
               seconds=30, what=f"{total} in Redis and shown")


def is_degraded(daemon):
    return "degraded" in daemon.admin("/readyz").body.decode()


def copy(of, to):
    """All but sockets."""
    shutil.copytree(of, to, ignore=shutil.ignore_patterns("*.sock"))


def restart_with(redis, files):
    """Stops the server and puts `files` in the place of what it had."""
    redis.stop()
    shutil.rmtree(redis.dir)
    if files:
        copy(files, redis.dir)
    else:
        redis.__init__(redis.dir)
    redis.start()


def test_flushed_redis_is_filled_again_from_the_journals(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    daemon.hits(20)
    settled(daemon, redis, 20)
    daemon.stop()
    daemon.start()
    daemon.hits(20)
    settled(daemon, redis, 40)
    redis.numbers().client.flushall()
    eventually(lambda: redis.numbers().total("a") == 40, seconds=30)
    daemon.hits(2)
    settled(daemon, redis, 42)


def test_flush_without_the_old_journals_is_a_reported_gap(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    daemon.hits(20)
    settled(daemon, redis, 20)
    daemon.stop()
    shutil.rmtree(daemon.state + "/journal")
    daemon.start()
    daemon.hits(5)
    settled(daemon, redis, 25)
    redis.numbers().client.flushall()
    eventually(lambda: redis.numbers().total("a") == 5, seconds=30)
    eventually(lambda: is_degraded(daemon), what="/readyz is degraded")
    eventually(lambda: daemon.metric("thongke_gap_hits_total") == 20, what="gap_hits is 20")
    daemon.hits(2)
    settled(daemon, redis, 7)


def test_restored_older_redis_files_are_caught_up(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    daemon.hits(20)
    settled(daemon, redis, 20)
    redis.stop()
    copy(redis.dir, world.path("backup"))
    redis.start()
    daemon.hits(30)
    settled(daemon, redis, 50)
    restart_with(redis, world.path("backup"))
    settled(daemon, redis, 50)
    assert daemon.hit()["hits"]["total"] == 51
    settled(daemon, redis, 51)


def test_empty_redis_in_place_of_the_old_one(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    daemon.hits(20)
    settled(daemon, redis, 20)
    restart_with(redis, None)
    settled(daemon, redis, 20)


def test_restored_older_state_directory_counts_nothing_twice(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    daemon.hits(20)
    settled(daemon, redis, 20)
    daemon.kill()
    copy(daemon.state, world.path("backup"))
    daemon.start()
    daemon.hits(30)
    settled(daemon, redis, 50)
    daemon.kill()
    shutil.rmtree(daemon.state)
    copy(world.path("backup"), daemon.state)
    daemon.start()
    settled(daemon, redis, 50)
    daemon.hits(5)
    settled(daemon, redis, 55)


def test_restored_private_redis_is_caught_up_from_the_journals(world):
    daemon = world.thongked().start()
    daemon.hits(20)
    eventually(lambda: daemon.numbers().total("a") == 20)
    daemon.stop()
    copy(daemon.state + "/redis", world.path("backup"))
    daemon.start()
    daemon.hits(30)
    eventually(lambda: daemon.numbers().total("a") == 50)
    daemon.stop()
    shutil.rmtree(daemon.state + "/redis")
    copy(world.path("backup"), daemon.state + "/redis")
    daemon.start()
    eventually(lambda: daemon.numbers().total("a") == 50 and daemon.counts()["hits"]["total"] == 50, seconds=30)


def test_a_foreign_value_stops_its_own_shard_alone(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis, site=SITE + 'site "b" { hosts = {"b.example"} }').start()
    daemon.hits(5)
    daemon.hits(5, site="b")
    settled(daemon, redis, 5)
    key, client = f"thongke:{{{shard('a')}}}:streams", redis.numbers().client
    client.pipeline().rename(key, "away").set(key, "foreign").execute()
    daemon.hits(3)
    daemon.hits(3, site="b")
    eventually(lambda: redis.numbers().total("b") == 8, what="the other shard goes on")
    eventually(lambda: daemon.metric("thongke_blocked_shards") == 1)
    assert is_degraded(daemon) and key in daemon.admin("/readyz").body.decode()
    assert redis.numbers().total("a") == 5 and daemon.counts()["hits"]["total"] == 8
    assert "redis_foreign_position" in daemon.log()
    daemon.stop()
    daemon.start()
    daemon.hits(2)
    daemon.hits(2, site="b")
    eventually(lambda: redis.numbers().total("b") == 10)
    assert redis.numbers().total("a") == 5 and daemon.counts()["hits"]["total"] == 10
    client.rename("away", key)
    settled(daemon, redis, 10)
    eventually(lambda: not is_degraded(daemon))
    assert daemon.metric("thongke_blocked_shards") == 0
