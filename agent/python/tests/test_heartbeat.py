import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import PING, Agent, frame, members, until

TOOL = """
import subprocess, sys, time

def idle():
    from rmote import agent
    return agent.agent.idle

def nap(): time.sleep(1000)

def flood():
    while True: sys.stdout.write("x" * 100000 + "\\n")

def child(): subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"]).wait()

def groups():
    from rmote import agent
    return sorted(group for call in agent.agent.calls.values() for group in call.groups)
"""


def state(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rpartition(")")[2].split()[0]


class Heartbeat(unittest.TestCase):
    def start(self, heartbeat):
        agent = Agent(heartbeat=heartbeat)
        agent.load_own("process")
        agent.load("t", TOOL)
        self.addCleanup(self.bury, agent)
        return agent

    def bury(self, agent):
        if not agent.process.stdin.closed:
            agent.process.kill()
            agent.wait()

    def ended(self, agent):
        """Waits for the end of an agent whose link stays open, and says with which status."""
        return until(lambda: agent.process.poll() is not None and [agent.process.returncode])

    def test_silence_ends_the_agent(self):
        # Idle it is asked thirty times more rarely.
        agent = self.start(20)
        self.assertEqual(self.ended(agent), [0])
        self.assertEqual(members(agent.pid), [])

    def test_a_call_after_a_rest_brings_the_patience_back(self):
        agent = self.start(100)
        until(lambda: agent.run("t:idle"))
        agent.call("t:nap")
        rested = self.start(50)
        # It rests, and ends after six seconds; the other is to be gone by then.
        self.assertEqual(self.ended(agent), [0])
        self.assertIsNone(rested.process.poll())

    def test_silence_ends_what_calls_do_and_have_started(self):
        agent = self.start(300)
        agent.call("t:nap")
        agent.call("t:child")
        group = until(lambda: agent.run("t:groups"))[0]
        self.assertTrue(members(group))
        self.assertEqual(self.ended(agent), [0])
        self.assertEqual(members(agent.pid) + members(group), [])

    def test_an_agent_that_cannot_write_ends_too(self):
        agent = self.start(20)
        agent.call("t:flood")
        # Nobody reads what it prints.
        self.assertEqual(self.ended(agent), [0])

    def test_pings_keep_an_idle_agent(self):
        agent = self.start(300)
        for number in range(20):
            agent.write(frame(PING, payload=b"%d" % number))
            while len(agent.pongs) <= number:
                agent.serve()
            # Far more than three heartbeats in all.
            agent.run("time.sleep", 0.1)
        agent.close()

    def test_without_a_heartbeat_silence_is_nothing(self):
        agent = self.start(0)
        # Another's patience is the clock.
        self.ended(self.start(20))
        self.assertEqual(agent.run("os.getpid"), agent.pid)
        agent.close()

    def test_a_stopped_agent_looks_at_its_input_before_it_gives_up(self):
        agent = self.start(100)
        for number in range(5):
            os.kill(agent.pid, signal.SIGSTOP)
            until(lambda: state(agent.pid) == "T")
            agent.write(frame(PING, payload=b"%d" % number))
            # As long as the agent's patience, by the clock of another agent.
            clock = self.start(100)
            clock.call("t:nap")
            self.ended(clock)
            os.kill(agent.pid, signal.SIGCONT)
            while len(agent.pongs) <= number:
                agent.serve()
        self.assertEqual(agent.run("os.getpid"), agent.pid)


if __name__ == "__main__":
    unittest.main()
