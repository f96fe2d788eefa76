"""Loads the tools as the agent knows them, `rmote.tools.<name>`."""
import importlib
import os
import sys
import types
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TOOLS, "..", "..", "agent", "python"))


def load(name):
    """The module of a tool."""
    if "rmote.tools" not in sys.modules:
        package = sys.modules["rmote.tools"] = types.ModuleType("rmote.tools")
        package.__path__ = [TOOLS]
    return importlib.import_module("rmote.tools." + name)


def need(test, what, reason):
    """Skips a test whose means are missing; where everything is promised that is a failure."""
    if what:
        return
    if os.environ.get("RMOTE_TEST_REQUIRE") == "all":
        test.fail("cannot be tested here: " + reason)
    sys.stderr.write("SKIPPED %s: %s\n" % (test.id(), reason))
    raise unittest.SkipTest(reason)


def fails(test, kind, packages, call, *args, **options):
    """Calls what fails at packages: in this kind, and with all that concerns these. Returns the error's text."""
    with test.assertRaises(load("packages").PackageError) as caught:
        call(*args, **options)
    error = caught.exception
    test.assertEqual((error.kind, error.packages), (kind, packages), str(error))
    # What travels, and the manager's own words.
    test.assertEqual(error.args, (kind, packages, error.said))
    test.assertIn(error.said, str(error))
    return str(error)
