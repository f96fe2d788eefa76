import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import until
from tool_case import GATES, Case

TOOL = GATES + '''
async def async_block(name, word=None):
    import asyncio
    while name not in gates:
        await asyncio.sleep(0.001)
    if word: print(word)
    return name

async def async_meet(number):
    import asyncio
    global count
    count += 1
    while count < number:
        await asyncio.sleep(0.001)
    return True

async def forever():
    import asyncio
    try:
        print("begun")
        await asyncio.sleep(1000)
    finally:
        print("cleaned")

async def stubborn():
    import asyncio
    print("begun")
    while "stubborn" not in gates:
        try:
            await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            pass
    return "finished"

async def command(*words):
    import asyncio
    process = await asyncio.create_subprocess_exec(*words, stdout=subprocess_pipe())
    out, _ = await process.communicate()
    return out, process.returncode

def subprocess_pipe():
    import subprocess
    return subprocess.PIPE

class Held(dict):
    """Holds the main thread up where that looks whether there are calls."""
    held = False
    gate = _thread.allocate_lock()

    def __len__(self):
        if not self.held and sys._getframe(1).f_code.co_name == "listen":
            self.held = True
            self.gate.acquire()
        return dict.__len__(self)

def hold_main():
    """Wakes the main thread, and returns when it is held up."""
    from rmote import agent
    agent.agent.calls = calls = Held(agent.agent.calls)
    calls.gate.acquire()
    agent.agent.parked.release()
    while not calls.held: time.sleep(0.001)

def loop_is_made():
    from rmote import agent
    with agent.agent.lock:
        return agent.agent.loop is not None

def parked_again():
    from rmote import agent
    return agent.agent.parked.locked()

def let_main_go():
    Held.gate.release()

def refuse_a_thread():
    from rmote import coroutines
    start = coroutines.start_new_thread

    def refuse(*args):
        coroutines.start_new_thread = start
        raise RuntimeError("can't start new thread")

    coroutines.start_new_thread = refuse

def listens():
    """Whether a thread sees that the controller lives."""
    for frame in sys._current_frames().values():
        while frame:
            if frame.f_code.co_name == "listen" and frame.f_code.co_filename == "rmote/seldom.py":
                return True
            frame = frame.f_back
    return False

async def fails():
    raise KeyError("x")
'''


class Concurrency(Case):
    tool = TOOL

    def test_coroutines_beside_functions(self):
        agent = self.start()
        coroutines = [agent.call("t:async_meet", 30) for _ in range(20)]
        functions = [agent.call("t:meet", 30) for _ in range(10)]
        self.assertEqual([agent.result(id) for id in coroutines + functions], [True] * 30)

    def test_output_of_concurrent_coroutines(self):
        agent = self.start()
        ids = {name: agent.call("t:async_block", name, name) for name in "abc"}
        for name in "cab":
            agent.run("t:open_gate", name)
            agent.result(ids[name])
            agent.run("os.getpid")
        for name, id in ids.items():
            # Python 3.6 cannot tell coroutines apart.
            printed = agent.printed(id) if sys.version_info >= (3, 7) else agent.output()
            self.assertEqual(printed.count(name.encode()), 1)

    def test_coroutines_run_however_late_the_main_thread_wakes(self):
        agent = self.start()
        agent.run("t:hold_main")
        id = agent.call("t:async_meet", 0)
        until(lambda: agent.run("t:loop_is_made"))
        # Nobody else may take what is to wake it, even if there is time enough.
        for _ in range(100):
            if agent.run("t:parked_again"):
                break
        agent.run("t:let_main_go")
        self.assertEqual(agent.result(id), True)

    def test_the_link_is_watched_beside_coroutines_as_soon_as_there_is_a_thread_for_it(self):
        agent = self.start()
        agent.run("t:refuse_a_thread")
        self.assertEqual(agent.run("t:async_meet", 0), True)
        until(lambda: agent.run("t:listens"))

    def test_coroutines_start_processes(self):
        agent = self.start()
        self.assertEqual(agent.run("t:command", "echo", "x"), (b"x\n", 0))

    def test_coroutines_that_fail(self):
        agent = self.start()
        error = agent.fails("t:fails")
        self.assertEqual((error.by, error.type), ("function", "KeyError"))
        self.assertEqual(error.traceback[-1][2:], ("fails", 'raise KeyError("x")'))


class Cancel(Case):
    tool = TOOL

    def test_a_coroutine(self):
        agent = self.start()
        id = agent.call("t:forever")
        while b"begun" not in agent.output():
            agent.serve()
        agent.cancel(id)
        error = agent.error(id)
        self.assertEqual((error.by, error.type), ("cancelled", "CancelledError"))
        self.assertEqual(agent.output(), b"begun\ncleaned\n")

    def test_coroutines_at_any_time(self):
        agent = self.start()
        agent.run("t:async_meet", 0)
        for number in range(200):
            id = agent.call("t:forever")
            if number % 2:
                agent.run("os.getpid")
            agent.cancel(id)
            error = agent.error(id)
            self.assertEqual(error.by, "cancelled")
            # One that has waited for a thread until then is never begun.
            self.assertIn(error.type, ("CancelledError",) if agent.printed(id) else ("CancelledError", "Cancelled"))

    def test_a_coroutine_that_will_not(self):
        agent = self.start()
        id = agent.call("t:stubborn")
        while b"begun" not in agent.output():
            agent.serve()
        agent.cancel(id)
        agent.run("t:open_gate", "stubborn")
        self.assertEqual(agent.result(id), "finished")

    def test_deadline_of_a_coroutine(self):
        agent = self.start()
        self.assertEqual(agent.fails("t:forever", deadline=30).by, "cancelled")
        # Long enough for the watcher to doze meanwhile.
        self.assertEqual(agent.fails("t:forever", deadline=400).by, "cancelled")
        self.assertEqual(agent.run("t:async_meet", 0, deadline=60000), True)
        self.assertEqual(agent.run("os.getpid", deadline=1 << 62), agent.pid)
        self.assertEqual(agent.fails("os.getpid", deadline=1 << 2000).by, "agent")


if __name__ == "__main__":
    unittest.main()
