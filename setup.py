"""The packages: those that lie in the checkout's ``hybridmem/``, and the shelf of adapters, which lies beside it and
travels within it. pyproject.toml cannot say both."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["hybridmem", "hybridmem.*"]), "hybridmem.shelf"])
