"""What scenario tests share: the real binaries, and hubs that end with their test."""

import itertools

import pytest

import hubs
from hubs import PATIENCE as WAIT_S  # noqa: F401, for the tests
from hubs import Hub, run_kith  # noqa: F401, for the tests
from persons import Person


@pytest.fixture(scope="session")
def build():
    folder = hubs.build()
    assert (folder / "kithd").exists(), f"there is no kithd in {folder}"
    return folder


@pytest.fixture
def start_hub(tmp_path):
    """Starts as many hubs as wanted; all end in good order, and their logs are shown with a
    failure."""
    started = []
    numbers = itertools.count(1)

    def start(*options, **how):
        hub = Hub(tmp_path / f"hub-{next(numbers)}", *options, **how)
        started.append(hub)
        return hub

    yield start
    try:
        for hub in started:
            hub.stop()
    finally:
        for hub in started:
            hub.kill()
            print(f"--- the log of hub {hub.pid} ---\n{hub.log()[-10000:]}")


@pytest.fixture
def hub(start_hub):
    """A hub as it is without options."""
    return start_hub()


@pytest.fixture
def make_person(build, tmp_path):
    persons = []

    def make(name, where, prefix=()):
        persons.append(Person(build, tmp_path, name, where, prefix))
        return persons[-1]

    yield make
    for person in persons:
        person.close()


@pytest.fixture
def alice(hub, make_person):
    return make_person("alice", hub.where)


@pytest.fixture
def bob(hub, make_person):
    return make_person("bob", hub.where)
