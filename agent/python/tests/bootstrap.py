"""Puts the agent's modules in reach of its tests."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))


def need(test, what, reason):
    """Skips a test whose means are missing; where everything is promised that is a failure."""
    if what:
        return
    if os.environ.get("RMOTE_TEST_REQUIRE") == "all":
        test.fail("cannot be tested here: " + reason)
    sys.stderr.write("SKIPPED %s: %s\n" % (test.id(), reason))
    raise unittest.SkipTest(reason)
