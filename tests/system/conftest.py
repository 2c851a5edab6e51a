# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the system tests: a world of their own for each test, shown in full when the test fails."""
import pytest

import clock as clocks
import world as worlds


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    world = item.funcargs.get("world") if hasattr(item, "funcargs") else None
    if world and report.when == "call" and report.failed:
        for daemon in world.daemons:
            report.sections.append((f"log of {daemon.dir}", daemon.log()[-8000:]))


@pytest.fixture
def world():
    here = worlds.World()
    yield here
    here.close()


@pytest.fixture
def daemon(world):
    """One thongked with its private Redis and the site "a", ready."""
    return world.thongked().start()


@pytest.fixture
def clock(world):
    if not clocks.LIBRARY:
        pytest.skip("libfaketime is not installed")
    return clocks.Clock(world.path("clock"))
