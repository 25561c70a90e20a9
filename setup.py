"""A shim for tools that still call it; the metadata live in pyproject.toml."""

from setuptools import setup

setup()
