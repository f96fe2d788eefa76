import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap
import driver
from driver import Agent, members, until

TOOL = '''
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

class State:
    number = 0
    things = []

    def __init__(self):
        self.mine = 0
        State.made = getattr(State, "made", 0) + 1

    def instance(self):
        self.mine += 1
        return self.mine

    def made_instances(self):
        return State.made

    @classmethod
    def of_class(cls):
        cls.number += 1
        return cls.number

    @staticmethod
    def static(thing):
        State.things.append(thing)
        return State.things

    class Inner:
        @staticmethod
        def deep():
            return "deep"

def wrapped(function):
    import functools
    @functools.wraps(function)
    def inner(*args): return [function(*args)]
    return inner

class Decorated:
    @wrapped
    def method(self, x): return x

def whole(a, b=2, *rest, c, **more): return [a, b, list(rest), c, more]
'''


class Case(unittest.TestCase):
    def start(self, *own, **options):
        agent = Agent(**options)
        agent.load_own(*own)
        agent.load("t", TOOL)
        self.addCleanup(agent.close)
        return agent


class Calls(Case):
    def test_importable_functions_and_names(self):
        agent = self.start()
        self.assertEqual(agent.run("os.path.join", "a", "b"), "a/b")
        self.assertEqual(agent.run("os:path.join", "a", "b"), "a/b")
        self.assertEqual(agent.run("t:State.Inner.deep"), "deep")
        self.assertEqual(agent.run("t.State.Inner.deep"), "deep")
        self.assertEqual(agent.run("builtins.max", [1, 3, 2]), 3)
        self.assertEqual(agent.run("t:whole", 1, c=3, d=4), [1, 2, [], 3, {"d": 4}])
        self.assertEqual(agent.run("t:whole", 1, 5, 6, 7, c=[8]), [1, 5, [6, 7], [8], {}])

    def test_what_is_no_function(self):
        agent = self.start()
        for name, words in (
            ("nothing.at.all", "no module"), ("nothing:x", "no module"), ("plain", "no module"), ("", "no module"), (":", "no module"), ("..", "no module"),
            ("t:nope", "no attribute nope"), ("t:State.nope", "no attribute nope"), ("t:", "no attribute"), ("os.nope", "no attribute nope"), ("t.x.y", "no attribute x"),
        ):
            error = agent.fails(name)
            self.assertEqual((error.by, error.type, error.traceback), ("agent", "NoSuchFunction", []), name)
            self.assertIn(words, error.message)
        for name in ("t:gates", "os:path"):
            self.assertEqual((agent.fails(name).by, agent.fails(name).type), ("agent", "TypeError"))

    def test_arguments_that_do_not_fit(self):
        agent = self.start()
        for args, kwargs in (((), {}), ((1,), {}), ((1,), {"c": 1, "a": 2})):
            error = agent.fails("t:whole", *args, **kwargs)
            self.assertEqual((error.by, error.type, error.traceback), ("agent", "TypeError", []))
        agent.write(driver.frame(driver.CALL, 1000, b"\5\1x"))
        self.assertEqual(agent.error(1000).by, "agent")
        agent.write(driver.frame(driver.CALL, 1001, b"\xff"))
        self.assertEqual(agent.error(1001).by, "agent")

    def test_state(self):
        agent = self.start()
        self.assertEqual([agent.run("t:State.instance") for _ in range(3)], [1, 2, 3])
        self.assertEqual(agent.run("t.State.instance"), 4)
        self.assertEqual(agent.run("t:State.made_instances"), 1)
        self.assertEqual([agent.run("t:State.of_class") for _ in range(3)], [1, 2, 3])
        self.assertEqual([agent.run("t:State.static", n) for n in (1, 2)], [[1], [1, 2]])
        self.assertEqual(agent.run("t:Decorated.method", 5), [5])

    def test_one_instance_for_calls_at_once(self):
        agent = self.start()
        agent.load("slow", "import time\nclass T:\n made = 0\n def __init__(self):\n  T.made += 1\n  time.sleep(0.05)\n" + "".join(
            " def m%d(self): return id(self), T.made\n" % n for n in range(8)))
        results = {agent.result(id) for id in [agent.call("slow:T.m%d" % n) for n in range(8)]}
        self.assertEqual(len(results), 1)
        self.assertEqual(results.pop()[1], 1)

    def test_modules_of_modules(self):
        agent = self.start()
        agent.load("base", "class Base:\n kept = []\n def put(self, x):\n  self.kept.append(x)\n  return self.kept, self.name()\n def name(self): return 'base'\n")
        agent.load("derived", "from base import Base\nclass T(Base):\n def name(self): return 'derived'\n")
        agent.load("other", "from base import Base\nclass T(Base):\n def name(self): return 'other'\n")
        self.assertEqual(agent.run("derived:T.put", 1), ([1], "derived"))
        self.assertEqual(agent.run("other:T.put", 2), ([1, 2], "other"))
        self.assertEqual(agent.run("base:Base.put", 3), ([1, 2, 3], "base"))

    def test_packages(self):
        agent = self.start()
        agent.load("pack", "from . import stat\nfrom .deep import value\nimport stat as own\n", package=True)
        agent.load("pack.stat", "def who(): return __name__, __file__, __package__\n")
        agent.load("pack.deep", "value = 5\ndef get():\n from pack import own\n return own.__name__\n")
        self.assertEqual(agent.run("pack.stat.who"), ("pack.stat", "pack/stat.py", "pack"))
        self.assertEqual(agent.run("pack.deep:get"), "stat")

    def test_a_tool_named_like_one_of_pythons_modules(self):
        agent = self.start()
        agent.load("json", "import json as real\nclass T:\n @staticmethod\n def who(): return __name__, hasattr(real, 'dumps')\n def where(self): return __file__\n")
        agent.load("stat", "class T:\n def who(self): return __file__\ndef fails(): raise ValueError\n")
        agent.load("uses", "import json, stat\ndef both(): return json.dumps([1]), stat.S_ISDIR(0)\n")
        self.assertEqual(agent.run("json:T.who"), ("json", True))
        self.assertEqual(agent.run("json:T.where"), "json.py")
        self.assertEqual(agent.run("stat:T.who"), "stat.py")
        self.assertEqual(agent.run("uses:both"), ("[1]", False))
        self.assertEqual(agent.fails("stat:fails").traceback, [("stat.py", 3, "fails", "def fails(): raise ValueError")])
        if sys.version_info >= (3, 7):
            agent.load("csv", "import dataclasses\n@dataclasses.dataclass\nclass P:\n x: int\ndef make(): return P(1)\n")
            self.assertEqual(agent.run("csv:make").type_name, "P")

    def test_a_source_loaded_twice_stays(self):
        agent = self.start()
        agent.load("twice", "def f(): return 1\n")
        agent.load("twice", "def f(): return 2\n")
        self.assertEqual(agent.run("twice:f"), 1)

    def test_a_source_that_fails(self):
        agent = self.start()
        agent.load("bad", "x = 1\nx y\n")
        agent.load("raises", "import nothing_of_that_name\n")
        error = agent.fails("bad:f")
        self.assertEqual((error.by, error.type), ("function", "SyntaxError"))
        self.assertIn("bad.py", error.message)
        for name in ("raises:f", "raises.f"):
            error = agent.fails(name)
            self.assertEqual((error.by, error.type, error.message), ("function", "ModuleNotFoundError", "No module named 'nothing_of_that_name'"))
            self.assertEqual(error.traceback[-1], ("raises.py", 1, "<module>", "import nothing_of_that_name"))

    def test_annotations_of_newer_pythons(self):
        agent = self.start()
        if sys.version_info >= (3, 7):
            agent.load("new", "def f(x: int | None, y: list[int] = ()) -> str | None: return x\n")
            self.assertEqual(agent.run("new:f", 5), 5)

    def test_results_that_are_no_data(self):
        agent = self.start()
        agent.load("bad", "def f(): return {'items': [0, {'callback': lambda: 1}]}\ndef deep():\n x = []\n for _ in range(100000): x = [x]\n return x\n"
                          "def odd():\n class C:\n  def __fspath__(self): raise KeyboardInterrupt\n return C()\n")
        error = agent.fails("bad:f")
        self.assertEqual((error.by, error.type, error.message), ("agent", "NotData", "result.items[1].callback: function is not data"))
        self.assertEqual((agent.fails("bad:deep").by, agent.fails("bad:deep").type), ("limit", "TooLarge"))
        self.assertEqual((agent.fails("bad:odd").by, agent.fails("bad:odd").type), ("agent", "KeyboardInterrupt"))

    def test_results_over_the_limit(self):
        agent = self.start(frame_limit=100000)
        self.assertEqual(len(agent.run("builtins.bytes", 99000)), 99000)
        error = agent.fails("builtins.bytes", 100000)
        self.assertEqual((error.by, error.type), ("limit", "TooLarge"))
        self.assertEqual(len(agent.run("builtins.bytes", 100000 - 6 - 4)), 100000 - 10)
        agent.load("big", "def raises(): raise ValueError('x' * 60000) from KeyError('x' * 60000)\ndef prints(): print('x' * 300000)\n")
        error = agent.fails("big:raises")
        self.assertEqual((error.by, error.type), ("function", "ValueError"))
        id = agent.call("big:prints")
        agent.result(id)
        self.assertEqual(agent.printed(id), b"x" * 300000 + b"\n")

    def test_large_values_both_ways(self):
        agent = self.start()
        data = os.urandom(1 << 20) * 20
        self.assertTrue(agent.run("builtins.bytes", data) == data)

    def test_ping_while_idle(self):
        agent = self.start()
        agent.write(driver.frame(driver.PING, payload=b"abc"))
        while agent.pongs != [b"abc"]:
            agent.serve()


class Concurrency(Case):
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

    def test_deadline_of_a_coroutine(self):
        agent = self.start()
        self.assertEqual(agent.fails("t:forever", deadline=30).by, "cancelled")
        # Long enough for the watcher to doze meanwhile.
        self.assertEqual(agent.fails("t:forever", deadline=400).by, "cancelled")
        self.assertEqual(agent.run("t:async_meet", 0, deadline=60000), True)
        self.assertEqual(agent.run("os.getpid", deadline=1 << 62), agent.pid)
        self.assertEqual(agent.fails("os.getpid", deadline=1 << 2000).by, "agent")

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


class SitePackages(unittest.TestCase):
    def test_loaded_when_a_tool_asks(self):
        with tempfile.TemporaryDirectory() as folder:
            python = os.path.join(folder, "bin", "python3")
            os.mkdir(os.path.dirname(python))
            os.symlink(os.path.realpath(sys.executable), python)
            with open(os.path.join(folder, "pyvenv.cfg"), "w") as file:
                file.write("home = %s\n" % os.path.dirname(os.path.realpath(sys.executable)))
            names = ["lib/python%d.%d/site-packages" % sys.version_info[:2], "lib/pypy%d.%d/site-packages" % sys.version_info[:2], "site-packages"]
            for name in names:
                os.makedirs(os.path.join(folder, name))
                with open(os.path.join(folder, name, "fake_package.py"), "w") as file:
                    file.write("value = 5\n")
            code = "import fake_package"
            works = subprocess.call([python, "-c", code], stderr=subprocess.DEVNULL) == 0
            bootstrap.need(self, works, "no environment can be made by hand for this Python")
            agent = Agent(python)
            agent.load("t", "import sys\ndef site(): return 'site' in sys.modules\ndef value():\n import fake_package\n return fake_package.value\n")
            before = agent.run("t:site")
            self.assertEqual(agent.run("t:value"), 5)
            self.assertEqual((before, agent.run("t:site")), (False, True))
            agent.close()
            agent = Agent(python)
            self.assertEqual(agent.fails("fake_package.nothing").message, "fake_package.nothing: no attribute nothing")
            agent.close()
            agent = Agent(python)
            agent.load("t", "def value():\n import fake_package\n return fake_package.value\n")
            ids = [agent.call("t:value") for _ in range(20)]
            self.assertEqual([agent.result(id) for id in ids], [5] * 20)
            agent.close()


class Describe(Case):
    def test_lists_tools(self):
        agent = self.start("describe")
        tools = agent.run("rmote.describe.describe", ["t"])
        by_name = {tool["name"]: [method["name"] for method in tool["methods"]] for tool in tools}
        self.assertEqual(by_name["State"], ["instance", "made_instances", "of_class", "static"])
        self.assertEqual(by_name["block"], [""])


if __name__ == "__main__":
    unittest.main()
