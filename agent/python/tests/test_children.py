import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import Agent, alive, members, until

from rmote import children

TOOL = """
import os, subprocess, sys, time

pids = []

def started():
    return list(pids)

def groups():
    from rmote import agent
    return sorted(group for call in [agent.agent.session, *agent.agent.calls.values()] for group in call.groups)

def keep(process):
    pids.append(process.pid)
    return process

def popen():
    keep(subprocess.Popen(["/bin/sh", "-c", "sleep 1000 & wait"])).wait()

def popen_and_sleep():
    keep(subprocess.Popen(["sleep", "1000"]))
    time.sleep(1000)

def stubborn():
    keep(subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"])).wait()

def positions():
    keep(subprocess.Popen(["sleep", "1000"], -1, None, None, None, None)).wait()

def whole():
    class Kept(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            keep(self)
    subprocess.Popen, own = Kept, subprocess.Popen
    try:
        subprocess.run(["sleep", "1000"])
    finally:
        subprocess.Popen = own

def shell():
    pipe = os.popen("echo $$; exec sleep 1000")
    pids.append(int(pipe.readline()))
    pipe.read()

async def coroutine():
    import asyncio
    process = keep(await asyncio.create_subprocess_exec("sleep", "1000"))
    await process.wait()

def own_session():
    keep(subprocess.Popen(["sleep", "1000"], start_new_session=True))
    time.sleep(1000)

def own_group():
    keep(subprocess.Popen(["sleep", "1000"], preexec_fn=os.setpgrp))
    time.sleep(1000)

def ends(*words):
    return subprocess.check_output(words)

async def ends_async(*words):
    import asyncio
    process = await asyncio.create_subprocess_exec(*words)
    return await process.wait()

def background():
    return int(subprocess.check_output(["/bin/sh", "-c", "sleep 1000 >/dev/null & echo $!"]))

def late():
    from rmote.protocol import Cancelled, cancelled
    try:
        pids.append(0)
        while not cancelled(): time.sleep(0.001)
    except Cancelled:
        pass
    process = keep(subprocess.Popen(["sleep", "1000"]))
    return process.wait()

def fork():
    pid = os.fork()
    if not pid:
        # No call's: it has no link.
        child = subprocess.Popen(["true"])
        os._exit(child.wait() or os.getsid(0) == os.getpid())
    return os.waitpid(pid, 0)[1]

def missing():
    try:
        subprocess.Popen(["/no/such/program"])
    except FileNotFoundError:
        return groups()
"""


class Children(unittest.TestCase):
    def setUp(self):
        self.agent = Agent()
        self.addCleanup(self.agent.close)
        self.agent.load_own("interrupt", "process", "protocol")
        self.agent.load("t", TOOL)

    def begin(self, function):
        id = self.agent.call("t:" + function)
        return id, until(lambda: self.agent.run("t:started"))[-1]

    def over(self, id):
        self.assertEqual(self.agent.error(id).by, "cancelled")

    def test_end_when_their_call_is_cancelled(self):
        for function in ("popen", "popen_and_sleep", "stubborn", "positions", "whole", "shell", "coroutine"):
            if function == "coroutine" and sys.version_info < (3, 7):
                # Without contexts it cannot be told which call a coroutine is of when there are several.
                continue
            with self.subTest(function):
                self.setUp()
                id, pid = self.begin(function)
                self.assertEqual(os.getsid(pid), pid)
                until(lambda: members(pid))
                self.agent.cancel(id)
                self.over(id)
                until(lambda: not members(pid))

    def test_end_at_their_calls_deadline(self):
        self.over(self.agent.call("t:popen", deadline=2000))
        pid = self.agent.run("t:started")[0]
        until(lambda: not members(pid))

    def test_that_a_cancelled_call_starts(self):
        id, _ = self.begin("late")
        self.agent.cancel(id)
        self.assertEqual(self.agent.error(id).by, "cancelled")

    def test_with_a_session_or_group_of_their_own_choice_are_left(self):
        for function in ("own_session", "own_group"):
            id, pid = self.begin(function)
            self.addCleanup(os.kill, pid, signal.SIGKILL)
            self.assertNotIn(pid, self.agent.run("t:groups"))
            self.agent.cancel(id)
            self.agent.error(id)
            self.assertTrue(alive(pid))
            self.setUp()

    def test_are_forgotten_once_they_have_ended(self):
        self.assertEqual(self.agent.run("t:ends", "echo", "x"), b"x\n")
        self.assertEqual(self.agent.run("t:ends_async", "true"), 0)
        self.assertEqual(self.agent.fails("t:ends", "false").type, "CalledProcessError")
        self.assertEqual(self.agent.run("t:missing"), [])
        self.assertEqual(self.agent.run("t:groups"), [])

    def test_what_they_leave_behind_ends_with_the_link(self):
        agent = Agent()
        agent.load_own("process")
        agent.load("t", TOOL)
        pid = agent.run("t:background")
        group = os.getpgid(pid)
        self.assertEqual((agent.run("t:groups"), alive(pid)), ([group], True))
        agent.close()
        self.assertFalse(alive(pid))

    def test_what_they_leave_behind_is_forgotten_when_it_has_ended(self):
        pid = self.agent.run("t:background")
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.agent.run("t:ends", "true") == b"" and not self.agent.run("t:groups"))

    def test_of_a_forked_process_are_not_the_agents(self):
        self.assertEqual(self.agent.run("t:fork"), 0)


class Numbers(unittest.TestCase):
    def test_a_group_that_lost_its_leader_is_not_taken_for_another_of_its_number(self):
        # No kernel gives a number again at will: this one was never given to anyone else.
        stranger = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        try:
            self.assertEqual(children.living([stranger.pid]), [stranger.pid])
            children.orphans.add(stranger.pid)
            self.assertEqual(children.living([stranger.pid]), [])
            self.assertFalse(children.signal_its(stranger.pid, signal.SIGKILL))
            self.assertTrue(alive(stranger.pid))
            children.leave(stranger.pid)
            self.assertNotIn(stranger.pid, children.orphans)
        finally:
            stranger.kill()
            stranger.wait()


if __name__ == "__main__":
    unittest.main()
