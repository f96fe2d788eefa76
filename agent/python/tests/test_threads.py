import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import driver
from tool_case import GATES, Case

TOOL = GATES + '''
def dots():
    from rmote import agent
    for _ in range(3):
        # Also when all has been quiet for long.
        while not agent.agent.dozing:
            time.sleep(0.001)
        print(".", end="")
    print("!", end="", file=sys.stderr)
    gate("dots").acquire()
    gate("dots").acquire()
    print("done")
    return "dots"
'''


class Concurrency(Case):
    tool = TOOL

    def test_forty_at_once(self):
        agent = self.start()
        ids = [agent.call("t:meet", 40) for _ in range(40)]
        self.assertEqual([agent.result(id) for id in ids], [True] * 40)

    def test_many_more_than_there_are_threads(self):
        agent = self.start()
        ids = [agent.call("time.sleep", 0.01) for _ in range(1500)]
        self.assertEqual({agent.result(id) for id in ids}, {None})

    def test_a_blocked_tool_blocks_nobody(self):
        agent = self.start()
        # The gate is open for the first.
        self.assertEqual(agent.run("t:block", "x"), "x")
        blocked = [agent.call("t:block", "x") for _ in range(3)]
        for number in range(50):
            self.assertEqual(agent.run("builtins.abs", -number), number)
            agent.write(driver.frame(driver.PING, payload=b"%d" % number))
        while len(agent.pongs) < 50:
            agent.serve()
        for id in blocked:
            self.assertNotIn(id, agent.returned)
        while not all(id in agent.returned for id in blocked):
            agent.run("t:open_gate", "x")
        self.assertEqual([agent.result(id) for id in blocked], ["x"] * 3)

    def test_a_module_that_blocks_while_it_loads(self):
        agent = self.start()
        agent.load("blocks", "import t\nt.gate('load').acquire()\nt.gate('load').acquire()\ndef f(): return 1\n")
        id = agent.call("blocks:f")
        self.assertEqual(agent.run("os.getpid"), agent.pid)
        agent.run("t:open_gate", "load")
        self.assertEqual(agent.result(id), 1)

    def test_a_quick_call_may_be_slow_at_times(self):
        agent = self.start()
        for seconds in (0, 0.05, 0, 0.05, 0, 0):
            self.assertIsNone(agent.run("time.sleep", seconds))

    def test_output_of_concurrent_calls(self):
        agent = self.start()
        gates = ("a", "b", "c")
        ids = {name: agent.call("t:block", name, *(name * 3)) for name in gates}
        while not all(id in agent.returned for id in ids.values()):
            for name in gates:
                agent.run("t:open_gate", name)
        for name, id in ids.items():
            self.assertEqual(agent.printed(id), (name + "\n").encode() * 3)

    def test_a_line_that_is_not_finished_comes_while_the_call_runs(self):
        agent = self.start()
        id = agent.call("t:dots")
        while agent.printed(id) + agent.printed(id, 2) != b"...!":
            agent.serve()
        self.assertNotIn(id, agent.returned)
        agent.run("t:open_gate", "dots")
        self.assertEqual(agent.result(id), "dots")
        self.assertEqual(agent.printed(id), b"...done\n")


class Cancel(Case):
    def test_before_the_call_starts(self):
        agent = self.start()
        agent.run("time.sleep", 0.05)
        # All threads are taken, so the last call waits.
        ids = [agent.call("time.sleep", 1) for _ in range(600)]
        agent.cancel(ids[-1])
        error = agent.error(ids[-1])
        self.assertEqual((error.by, error.message), ("cancelled", "the call was cancelled"))
        self.assertEqual({agent.result(id) for id in ids[:-1]}, {None})

    def test_unknown_calls(self):
        agent = self.start()
        agent.cancel(77)
        agent.cancel(agent.call("os.getpid"))
        self.assertEqual(agent.result(1), agent.pid)


if __name__ == "__main__":
    unittest.main()
