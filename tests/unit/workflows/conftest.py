"""The factory definitions, loaded once."""

import functools

import pytest

from workflows import loader

FACTORY = loader.read_all()


@functools.cache
def _workflow(key):
    return loader.load(FACTORY[key])


@pytest.fixture(scope="session")
def workflow():
    return _workflow
