"""The examples in the docstrings of ``learn.nets``: they need torch, so they are run here and not where they stand."""

import doctest
import importlib
import io
import pkgutil

import pytest

from zounds_lite.learn import nets

MODULES = [nets.__name__, *(module.name for module in pkgutil.walk_packages(nets.__path__, f"{nets.__name__}."))]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_module_run(name):
    said = io.StringIO()
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name)):
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.write)
    assert said.getvalue() == ""
