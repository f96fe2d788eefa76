import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import driver
from tool_case import GATES, Case

TOOL = GATES + '''
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


class Calls(Case):
    tool = TOOL

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


class Describe(Case):
    tool = TOOL

    def test_lists_tools(self):
        agent = self.start("describe")
        tools = agent.run("rmote.describe.describe", ["t"])
        by_name = {tool["name"]: [method["name"] for method in tool["methods"]] for tool in tools}
        self.assertEqual(by_name["State"], ["instance", "made_instances", "of_class", "static"])
        self.assertEqual(by_name["block"], [""])


if __name__ == "__main__":
    unittest.main()
