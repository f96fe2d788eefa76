"""Loads the tools for tests that change the machine they run on: they run in containers made for them alone."""
import os
import sys

if os.environ.get("RMOTE_TEST_DISPOSABLE") != "yes":
    raise RuntimeError("these tests change the machine: they run in containers, from `cargo test -p rmote-tools`")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.modules.pop("bootstrap", None)
from bootstrap import fails, load, need  # noqa: E402,F401
