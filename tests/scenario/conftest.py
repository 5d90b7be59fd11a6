"""What scenario tests share: the real binaries, and hubs that end with their test."""

import itertools

import pytest

import hubs
from hubs import PATIENCE as WAIT_S  # noqa: F401, for the tests
from hubs import Hub, run_kith  # noqa: F401, for the tests
from machines import Machines
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


@pytest.fixture
def make_machines():
    made = []

    def make(*families):
        made.append(Machines(families or (4,)))
        return made[-1]

    yield make
    for machines in made:
        machines.gone()


@pytest.fixture
def place(start_hub, make_person):
    """A hub, alice and bob on three machines."""

    def put(machines, *options):
        everywhere = "[::]:0" if machines.families[0] == 6 else "0.0.0.0:0"
        hub = start_hub(*options, listen=everywhere, prefix=machines.hub.inside)
        return (hub, *(make_person(name, f"{machines.hub_address(number)}:{hub.port}", m.inside)
                       for number, (name, m) in enumerate([("alice", machines.a), ("bob", machines.b)], 1)))

    return put
