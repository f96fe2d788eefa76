import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import Agent, members, until

TOOL = """
import logging, os, subprocess, sys

def size(stream): return sum(map(len, stream))

def prints():
    print("hello")
    logging.warning("careful")
    return subprocess.check_output(["echo", "out"])

def fails(path: str): open(path)

def nap():
    import time
    time.sleep(0.05)

async def waits():
    import asyncio
    await asyncio.sleep(0)
    return 5

def count(n): yield from range(n)

reader, writer = os.pipe()

def wait(): return os.read(reader, 1)

def wake(): os.write(writer, b"x")
"""


class Rest(unittest.TestCase):
    """The rest of the agent follows its first answer: a first call that needs it asks, waits for it and goes on."""

    def start(self):
        agent = Agent(whole=False)
        self.addCleanup(agent.close)
        agent.load("t", TOOL)
        return agent

    def test_a_first_call_that_needs_it(self):
        agent = self.start()
        id = agent.call("t:prints")
        self.assertEqual(agent.result(id), b"out\n")
        self.assertEqual(agent.printed(id), b"hello\n")
        self.assertEqual([log[1:] for log in agent.logs], [(30, "root", "careful")])

    def test_first_calls_that_need_it_at_once(self):
        agent = self.start()
        calls = [agent.call("t:" + name) for name in ("waits", "nap", "waits", "prints") * 5]
        self.assertEqual([agent.result(id) for id in calls], [5, None, 5, b"out\n"] * 5)
        self.assertEqual(agent.asked, 1)

    def test_a_first_call_that_holds_the_reader_up(self):
        agent = self.start()
        waiting = agent.call("t:wait")
        while not agent.asked:
            agent.serve()
        self.assertIsNone(agent.run("t:wake"))
        self.assertEqual(agent.result(waiting), b"x")
        self.assertEqual(agent.asked, 1)

    def test_a_first_call_that_fails(self):
        self.assertEqual(self.start().fails("t:fails", "/nowhere").type, "FileNotFoundError")

    def test_streams_of_a_first_call(self):
        agent = self.start()
        id = agent.call("t:size", None, streams={0: 9})
        agent.put(9, b"abc")
        agent.end(9)
        items = agent.stream("t:count", 1000)
        self.assertEqual(agent.result(id), 3)
        self.assertEqual(agent.all(items), list(range(1000)))

    def test_a_module_that_is_nowhere(self):
        agent = self.start()
        self.assertEqual(agent.fails("rmote.nothing:f").type, "NoSuchFunction")
        self.assertEqual(agent.fails("rmote.nothing:f").type, "NoSuchFunction")

    def test_the_end_before_it_came(self):
        agent = Agent(whole=False)
        agent.load("t", "import os\ndef child():\n    if not os.fork(): os.execvp('sleep', ['sleep', '1000'])\n")
        agent.call("t:child")
        # Nobody answers its hello; all that it has started ends with it.
        agent.take(43)
        agent.process.stdin.close()
        agent.rest()
        self.assertEqual(agent.process.wait(), 0)
        until(lambda: not members(agent.pid))
        agent.process.stdout.close()
        agent.process.stderr.close()


if __name__ == "__main__":
    unittest.main()
