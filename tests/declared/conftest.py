"""A user's modules, written and imported by a test."""

import importlib.util
import itertools
import sys
import textwrap

import pytest

PRELUDE = """
import abc, array, collections, contextlib, dataclasses, datetime, decimal, enum, functools, itertools, logging
import operator, random, re, struct, sys, threading, types, typing, uuid
import numpy as np
import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite._declared import Declared
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a user's module, under a new file name, and imports it."""
    numbers = itertools.count()

    def load(text, name="usermod"):
        path = tmp_path / f"m{next(numbers)}.py"
        path.write_text(PRELUDE + textwrap.dedent(text))
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load
