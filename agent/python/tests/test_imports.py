import ast
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap
import driver

MODULES = os.path.join(driver.SOURCES, "rmote")
# What the core may import as it starts: built into every Python, or loaded by it anyway.
CHEAP = {"_signal", "_thread", "builtins", "io", "os", "select", "_struct", "sys", "time"}
# What a module of the core imports when something asks for it.
LATER = {
    "agent": {"zlib"}, "loader": {"__future__", "site", "zlib"},
    "values": set(), "wire": set(), "output": set(), "failure": set(), "logs": set(), "arguments": set(), "seldom": set(), "further": set(),
}
# Modules that start later by themselves, or on demand, may import these.
OTHERS = {
    "children": {"_signal", "os", "time"},
    "columns": {"_operator", "_struct", "itertools", "sys"},
    "compression": {"time", "zlib"},
    "coroutines": {"_thread", "asyncio", "contextvars", "os", "sys"},
    "describe": {"inspect"},
    "ending": {"_signal", "os", "time"},
    "watcher": {"_signal", "_thread", "os", "select", "time"},
    "interrupt": {"_functools", "_operator", "_thread", "ctypes", "dis", "gc", "itertools", "sys"},
    "process": {"errno", "shlex", "os", "select", "signal", "subprocess", "threading", "time"},
    "protocol": {"subprocess", "sys"},
    "streams": {"_collections", "_thread", "asyncio", "io", "time", "zlib"},
    "steps": {"ast"},
    "template": {"ast"},
}
DEAR = ("asyncio", "collections", "dataclasses", "inspect", "logging", "re", "site", "subprocess", "threading")


def trees():
    names = sorted(name[:-3] for name in os.listdir(MODULES) if name.endswith(".py"))
    for name in names:
        text = driver.source("rmote/" + name).decode()
        yield name, ast.parse(text, name)


def imported(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.module


class Imports(unittest.TestCase):
    def test_allow_list(self):
        for name, tree in trees():
            own = {module for module in imported(ast.walk(tree)) if module.split(".")[0] != "rmote"}
            if name in OTHERS:
                self.assertLessEqual(own, OTHERS[name], name)
            else:
                self.assertLessEqual(own, CHEAP | LATER[name], name)

    def test_the_core_imports_only_what_is_cheap_at_once(self):
        for name, tree in trees():
            if name in driver.CORE + ("loader",):
                nodes = [node for outer in tree.body for node in ([outer] + getattr(outer, "body", []) if isinstance(outer, ast.Try) else [outer])]
                at_once = {module for module in imported(nodes) if not module.startswith("rmote")}
                self.assertLessEqual(at_once, CHEAP, name)

    def test_syntax_of_the_oldest_python(self):
        if sys.version_info >= (3, 8):
            for name, _ in trees():
                ast.parse(driver.source("rmote/" + name).decode(), name, feature_version=(3, 6))

    def test_nothing_dear_is_loaded_at_the_start(self):
        # What comes with the cheap ones: PyPy has some of them in Python.
        code = "import sys\nfor name in %r:\n try: __import__(name)\n except ImportError: pass\nprint(*sys.modules)"
        bare = set(subprocess.check_output([sys.executable, "-ESsc", code % sorted(CHEAP)]).decode().split())
        agent = driver.Agent(rate=None)
        agent.load("probe", "import sys\ndef names(): return sorted(sys.modules)\n")
        loaded = set(agent.run("probe:names"))
        agent.close()
        self.assertEqual(loaded.intersection(DEAR) - bare, set())
        own = {name for name in loaded if name.startswith("rmote.")}
        # The loader is there by itself.
        first = {"rmote.loader", "rmote.wire", "rmote.agent"}
        # Python 3.6 does not say by itself when it has forked; and where the machine is busy the watcher's first tick has come.
        if not hasattr(os, "register_at_fork") or "rmote.watcher" in own:
            first.add("rmote.seldom")
        self.assertEqual(own - {"rmote.watcher"}, first)


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
            agent = driver.Agent(python)
            agent.load("t", "import sys\ndef site(): return 'site' in sys.modules\ndef value():\n import fake_package\n return fake_package.value\n")
            before = agent.run("t:site")
            self.assertEqual(agent.run("t:value"), 5)
            self.assertEqual((before, agent.run("t:site")), (False, True))
            agent.close()
            agent = driver.Agent(python)
            self.assertEqual(agent.fails("fake_package.nothing").message, "fake_package.nothing: no attribute nothing")
            agent.close()
            agent = driver.Agent(python)
            agent.load("t", "def value():\n import fake_package\n return fake_package.value\n")
            ids = [agent.call("t:value") for _ in range(20)]
            self.assertEqual([agent.result(id) for id in ids], [5] * 20)
            agent.close()


if __name__ == "__main__":
    unittest.main()
