"""Calls that say how far they have come, to be cancelled there."""
import sys
import unittest

from driver import Agent, until

# PyPy cannot raise an exception in another thread.
INTERRUPTS = sys.implementation.name == "cpython"
# The tools of the tests begin with it.
MARKS = '''
import os, sys, time, _thread

marks = []

def mark(word):
    """Says that a call has come so far."""
    marks.append(word)

def seen():
    return list(marks)

gate = _thread.allocate_lock()
gate.acquire()

def busy():
    mark("begun")
    while True: pass

def open_gate():
    gate.release()

def count(n):
    total = 0
    for x in range(n): total += x
    return total
'''


def start(tool):
    agent = Agent()
    agent.load_own("interrupt")
    agent.load("t", tool)
    return agent


class Case(unittest.TestCase):
    # The source of the module `t`.
    tool = MARKS

    def setUp(self):
        self.agent = start(self.tool)
        self.addCleanup(self.agent.close)

    def begin(self, function, *args, **kwargs):
        """Starts a call and waits until it is on its way."""
        id = self.agent.call(function, *args, **kwargs)
        until(lambda: "begun" in self.agent.run("t:seen"))
        return id

    def cancelled(self, id):
        self.agent.cancel(id)
        error = self.agent.error(id)
        self.assertEqual((error.by, error.type, error.message), ("cancelled", "Cancelled", "the call was cancelled"))
        self.assertNotIn("builtins.Exception", error.bases)
        self.assertEqual(self.agent.run("builtins.abs", -5), 5)
        return error
