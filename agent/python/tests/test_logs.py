import itertools
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import LOG, OUTPUT, RETURN, Agent, until

TOOL = """
import logging

log = logging.getLogger("own")

def flood(n, done):
    for i in range(n):
        log.warning("%d %s", i, "x" * 1000)
    open(done, "w").close()
    return n

def mixed(n):
    for i in range(n):
        print(i)
        log.warning("%d", i)

def later():
    import os, threading
    def wait(call):
        while not call.done:
            pass
        log.warning("later")
    from rmote import agent
    threading.Thread(target=wait, args=(agent.agent.current(),)).start()

def trace():
    from rmote.process import run
    run(["echo", "a b"], input="secret")
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.agent = Agent()
        self.agent.load("t", TOOL)
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def tearDown(self):
        self.agent.close()


class Records(unittest.TestCase):
    SOURCE = """
import logging
class Odd:
    def __str__(self): raise ValueError("no text")
def log(level, text, *args): logging.getLogger("a.b").log(level, text, *args)
def odd(): logging.warning(Odd()); logging.warning("%s", Odd()); logging.warning("%d", "x"); logging.warning("\\udc80"); logging.warning("x" * 100000)
def trace():
    try: 1 / 0
    except ZeroDivisionError: logging.exception("caught")
def basic(): logging.basicConfig(level=logging.DEBUG); logging.error("after")
"""

    def test_records_arrive_from_their_level_on(self):
        agent = Agent(log_level=30)
        self.addCleanup(agent.close)
        agent.load("l", self.SOURCE)
        first = agent.call("l:log", 20, "dropped")
        agent.result(first)
        second = agent.call("l:log", 30, "kept %s", "x")
        agent.result(second)
        self.assertEqual(agent.logs, [(second, 30, "a.b", "kept x")])

    def test_odd_records(self):
        agent = Agent(log_level=30)
        self.addCleanup(agent.close)
        agent.load("l", self.SOURCE)
        agent.run("l:odd")
        self.assertEqual(len(agent.logs), 5)
        self.assertEqual(agent.logs[3][3], "\udc80")
        self.assertEqual(len(agent.logs[4][3]), 65536)
        agent.run("l:trace")
        self.assertIn("caught\nTraceback", agent.logs[5][3])
        self.assertIn("try: 1 / 0", agent.logs[5][3])
        agent.run("l:basic")
        self.assertEqual(agent.logs[6][3], "after")
        self.assertEqual(agent.output(), b"")


class Flood(Case):
    def test_a_link_that_is_not_read(self):
        # Nothing is read before the call has ended: one that waited for the link would never do so.
        done = os.path.join(self.folder, "done")
        id = self.agent.call("t:flood", 20000, done)
        until(lambda: os.path.exists(done))
        self.assertEqual(self.agent.result(id), 20000)
        came = [log for log in self.agent.logs if log[0] == id]
        self.assertEqual(len(came) + self.agent.dropped, 20000)
        # 256 KiB wait with the call, as much again to be written, and the pipe holds some.
        self.assertLess(sum(len(log[3]) for log in came), 1 << 20)

    def test_a_slow_link_has_less_on_its_way(self):
        for rate, most in ((1 << 10, 1 << 18), (1, 1 << 17)):
            self.agent.grant(0, rate)
            done = os.path.join(self.folder, "done%d" % rate)
            before = len(self.agent.logs)
            id = self.agent.call("t:flood", 1000, done)
            until(lambda: os.path.exists(done))
            self.agent.result(id)
            self.assertLess(sum(len(log[3]) for log in self.agent.logs[before:]), most)


class Trace(Case):
    def test_commands(self):
        self.agent.load_own("logs")
        self.agent.run("t:trace")
        self.assertEqual(self.agent.logs, [])
        self.assertEqual(self.agent.run("rmote.logs:set_level", 10), 20)
        id = self.agent.call("t:trace")
        self.agent.result(id)
        self.assertEqual([log[:3] for log in self.agent.logs], [(id, 10, "rmote.process")] * 2)
        self.assertTrue(self.agent.logs[0][3].endswith(" started: echo 'a b'"))
        self.assertIn(" ended: exit code 0, after 0.", self.agent.logs[1][3])


class Order(Case):
    def test_records_are_among_what_is_printed(self):
        id = self.agent.call("t:mixed", 50)
        self.agent.result(id)
        # A line may come in two parts.
        kinds = [kind for kind, _ in itertools.groupby(kind for kind, its in self.agent.order if its == id)]
        self.assertEqual(kinds, [OUTPUT, LOG] * 50 + [RETURN])

    def test_after_its_call(self):
        id = self.agent.call("t:later")
        self.agent.result(id)
        while not self.agent.logs:
            self.agent.serve()
        self.assertEqual([log[0] for log in self.agent.logs], [0])


if __name__ == "__main__":
    unittest.main()
