import os
import signal
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import Agent, alive, members, until

TOOL = """
import os, signal, subprocess, time

def nap(): time.sleep(1000)

async def dream():
    import asyncio
    await asyncio.sleep(1000)

def command(*words):
    from rmote.process import run
    return run(list(words)).signal

def groups():
    from rmote import agent
    return sorted(group for call in [agent.agent.session, *agent.agent.calls.values()] for group in call.groups)

def own_child(expression):
    return subprocess.Popen(["/bin/sh", "-c", expression]).pid

def orphan():
    return int(subprocess.check_output(["/bin/sh", "-c", "trap '' TERM; sleep 1000 >/dev/null & echo $!"]))

def fork(far):
    ready = os.pipe()
    pid = os.fork()
    if pid: return os.read(ready[0], 1) and pid
    if far: os.setsid()
    os.write(ready[1], b"x")
    while True: time.sleep(1000)

def stubborn():
    signal.pthread_sigmask(signal.SIG_BLOCK, [])
    pid = os.fork()
    if pid: return pid
    os.execv("/bin/sh", ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])

def spin():
    while True: pass

def swallow():
    while True:
        try:
            while True: time.sleep(0.001)
        except: pass

def busy_swallow():
    while True:
        try:
            while True: pass
        except: pass

def started(*words):
    subprocess.run(words)

async def started_async(*words):
    import asyncio
    await (await asyncio.create_subprocess_exec(*words)).wait()
"""


class End(unittest.TestCase):
    def start(self):
        agent = Agent()
        agent.load_own("process")
        agent.load("t", TOOL)
        return agent

    def test_idle(self):
        agent = self.start()
        agent.run("os.getpid")
        agent.close()

    def test_before_anything(self):
        self.start().close()

    def test_while_a_call_blocks(self):
        agent = self.start()
        for function in ("nap", "dream", "nap", "spin"):
            agent.call("t:" + function)
        agent.run("os.getpid")
        agent.close()

    def test_at_once_after_a_call_that_blocks(self):
        agent = self.start()
        agent.call("t:nap")
        agent.close()

    def test_commands_of_calls(self):
        agent = self.start()
        agent.call("t:command", "sleep", "1000")
        agent.call("t:command", "/bin/sh", "-c", "trap '' TERM; sleep 1000 & wait; sleep 1000")
        groups = until(lambda: len(agent.run("t:groups")) > 1 and agent.run("t:groups"))
        self.assertTrue(all(map(members, groups)))
        agent.close()
        self.assertFalse(any(map(members, groups)))

    def test_children_of_calls_however_they_were_started(self):
        agent = self.start()
        agent.call("t:started", "sleep", "1000")
        agent.call("t:started", "/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done")
        agent.call("t:started_async", "sleep", "1000")
        groups = until(lambda: len(agent.run("t:groups")) > 2 and agent.run("t:groups"))
        self.assertTrue(all(map(members, groups)))
        agent.close()
        self.assertFalse(any(map(members, groups)))

    def test_cancelled_calls_that_go_on(self):
        agent = self.start()
        agent.load_own("interrupt")
        for function in ("swallow", "busy_swallow", "spin", "nap"):
            id = agent.call("t:" + function)
            agent.run("os.getpid")
            agent.cancel(id)
        agent.run("os.getpid")
        agent.close()

    def test_term_while_calls_swallow_everything(self):
        agent = self.start()
        agent.call("t:swallow")
        agent.call("t:busy_swallow")
        agent.call("t:started", "sleep", "1000")
        groups = until(lambda: agent.run("t:groups"))
        os.kill(agent.pid, signal.SIGTERM)
        agent.rest()
        agent.close()
        self.assertFalse(any(map(members, groups)))

    def test_jobs_of_a_command_in_groups_of_their_own(self):
        agent = self.start()
        with tempfile.NamedTemporaryFile() as file:
            script = (
                "import os, sys, time\n"
                "if not os.fork():\n"
                "    os.setpgid(0, 0)\n"
                "    with open(sys.argv[1], 'w') as file: file.write(str(os.getpid()))\n"
                "time.sleep(1000)")
            agent.call("t:command", sys.executable, "-c", script, file.name)
            job = int(until(lambda: file.seek(0) or file.read()))
            self.assertEqual(os.getpgid(job), job)
        agent.close()
        self.assertFalse(alive(job))

    def test_a_command_that_is_being_started(self):
        for _ in range(10):
            agent = self.start()
            agent.call("t:command", "/bin/sh", "-c", "exec sleep 100%d" % agent.pid)
            agent.run("os.getpid")
            agent.close()
            word = b"100%d\0" % agent.pid
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open("/proc/%s/cmdline" % pid, "rb") as file:
                        self.assertFalse(file.read().endswith(word))
                except OSError:
                    pass

    def test_other_children(self):
        agent = self.start()
        children = [agent.run("t:own_child", "exec sleep 1000"), agent.run("t:orphan"), agent.run("t:fork", False), agent.run("t:stubborn")]
        self.assertTrue(all(map(alive, children)))
        # Its members are asserted to be gone there.
        agent.close()
        self.assertFalse(any(map(alive, children)))

    def test_a_forked_child_that_lingers_does_not_hold_the_link(self):
        agent = self.start()
        child = agent.run("t:fork", True)
        self.addCleanup(os.kill, child, signal.SIGKILL)
        agent.close()
        self.assertTrue(alive(child))

    def test_term_while_a_call_blocks(self):
        agent = self.start()
        agent.call("t:nap")
        agent.call("t:command", "sleep", "1000")
        agent.call("t:dream")
        groups = until(lambda: agent.run("t:groups"))
        os.kill(agent.pid, signal.SIGTERM)
        agent.rest()
        agent.close()
        self.assertFalse(any(map(members, groups)))

    def test_the_controller_reads_no_more(self):
        agent = self.start()
        for _ in range(8):
            agent.call("builtins.bytes", 1 << 20)
        agent.process.stdout.close()
        agent.process.stdin.close()
        self.assertEqual(agent.process.wait(90), 0)
        agent.process.stderr.close()
        self.assertEqual(members(agent.pid), [])


if __name__ == "__main__":
    unittest.main()
