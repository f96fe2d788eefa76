"""A session that has a tool of the test's own."""
import unittest

from driver import Agent

# Calls that wait at a gate, or for each other; the tools of several tests begin with it.
GATES = '''
import os, sys, time, _thread
gates = {}
lock = _thread.allocate_lock()
count = 0

def gate(name):
    return gates.setdefault(name, _thread.allocate_lock())

def block(name, *prints):
    """Prints one, waits, and prints the next."""
    for word in prints:
        gate(name).acquire()
        print(word)
    gate(name).acquire()
    return name

def open_gate(name):
    try:
        gate(name).acquire(False)
        gate(name).release()
    except RuntimeError:
        # Who waited for it has it, but does not know yet.
        pass

def meet(number):
    """Waits until so many are here."""
    global count
    with lock:
        count += 1
    end = time.monotonic() + 60
    while count < number and time.monotonic() < end:
        time.sleep(0.01)
    return count >= number
'''


class Case(unittest.TestCase):
    # The source of the module `t`.
    tool = GATES

    def start(self, *own, **options):
        agent = Agent(**options)
        agent.load_own(*own)
        agent.load("t", self.tool)
        self.addCleanup(agent.close)
        return agent
