import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import Agent, members, until
from tool_case import Case

TOOL = '''
import time

def run(*words):
    from rmote.process import run
    done = run(list(words))
    if done.signal: raise RuntimeError("signal %d" % done.signal)
    return done.code

def groups():
    from rmote import agent
    return sorted(group for call in agent.agent.calls.values() for group in call.groups)

def late_run():
    """Starts a command when the call is already cancelled."""
    from rmote import agent
    end = time.monotonic() + 60
    while not agent.agent.current().cancelled and time.monotonic() < end:
        pass
    return run("sleep", "1000")

def left_group():
    from rmote import children
    import subprocess
    pid = subprocess.Popen(["sleep", "1000"], start_new_session=True).pid
    children.adopt(pid)
    return pid
'''


class Cancel(Case):
    tool = TOOL

    def test_a_command(self):
        agent = self.start("process")
        id = agent.call("t:run", "/bin/sh", "-c", "sleep 1000 & wait")
        groups = until(lambda: agent.run("t:groups"))
        agent.cancel(id)
        error = agent.error(id)
        self.assertEqual((error.by, error.type), ("cancelled", "Cancelled"))
        until(lambda: not members(groups[0]))

    def test_a_command_that_ignores_term(self):
        agent = self.start("process")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "begun")
            id = agent.call("t:run", "/bin/sh", "-c", "trap '' TERM; echo > %s; while :; do sleep 1; done" % path)
            until(lambda: os.path.exists(path))
        groups = until(lambda: agent.run("t:groups"))
        agent.cancel(id)
        error = agent.error(id)
        self.assertEqual((error.by, error.type), ("cancelled", "Cancelled"))
        until(lambda: not members(groups[0]))

    def test_before_the_command_starts(self):
        agent = self.start("process")
        id = agent.call("t:late_run")
        agent.run("os.getpid")
        agent.cancel(id)
        error = agent.error(id)
        self.assertEqual((error.by, error.type), ("cancelled", "Cancelled"))

    def test_deadline_of_a_command(self):
        agent = self.start("process")
        error = agent.fails("t:run", "sleep", "1000", deadline=300)
        self.assertEqual((error.by, error.type), ("cancelled", "Cancelled"))

    def test_a_group_outlives_its_call_but_not_the_link(self):
        agent = Agent()
        agent.load_own("children")
        agent.load("t", TOOL)
        group = agent.run("t:left_group")
        agent.run("os.getpid")
        self.assertEqual(members(group), [group])
        agent.close()
        self.assertEqual(members(group), [])


if __name__ == "__main__":
    unittest.main()
