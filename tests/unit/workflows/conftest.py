"""The factory definitions, loaded once."""

import functools

import pytest

from workflows import loader


@functools.cache
def _workflow(key):
    return loader.load(loader.read_all()[key])


@pytest.fixture(scope="session")
def workflow():
    return _workflow
