import ast
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import Agent

from rmote import protocol
from rmote.protocol import Template, Tool, process, render_template

MODULES = os.path.join(os.path.dirname(bootstrap.HERE), "rmote")


class Tools(unittest.TestCase):
    def test_methods_of_all_kinds(self):
        class One(Tool):
            @staticmethod
            def static():
                return 1

            @classmethod
            def of_class(cls):
                return cls

            def plain(self):
                return 3

        class Two(One):
            pass

        self.assertEqual((One.static(), Two.of_class(), Two().plain()), (1, Two, 3))

    def test_no_init(self):
        with self.assertRaises(TypeError):
            class Bad(Tool):
                def __init__(self):
                    pass

    def test_names(self):
        from rmote import template

        self.assertIs(Template, template.Template)
        self.assertIs(protocol.render_template, template.render_template)
        self.assertEqual(render_template("${x}", x=1), "1")
        with self.assertRaises(AttributeError):
            protocol.missing

    def test_the_engine_is_loaded_on_demand(self):
        code = "import sys; sys.path[:0] = [%r]; from rmote.protocol import Tool, process; " % os.path.dirname(bootstrap.HERE)
        code += "print([m for m in ('rmote.template', 'rmote.process', 'subprocess') if m in sys.modules])"
        self.assertEqual(subprocess.check_output([sys.executable, "-S", "-c", code]).strip(), b"[]")


class Process(unittest.TestCase):
    def test_without_capture(self):
        done = process("sh", "-c", "echo out; echo err >&2")
        self.assertIsInstance(done, subprocess.CompletedProcess)
        self.assertEqual(
            (done.args, done.returncode, done.stdout, done.stderr), (("sh", "-c", "echo out; echo err >&2"), 0, None, None))

    def test_with_capture(self):
        done = process("sh", "-c", "printf 'a\\r\\nb'; echo err >&2; exit 3", capture_output=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (3, b"a\r\nb", b"err\n"))
        done = process("sh", "-c", "printf 'a\\r\\nb\\r\\303\\244\\377'", capture_output=True, text=True)
        self.assertEqual((done.stdout, done.stderr), ("a\nb\n\u00e4\udcff", ""))

    def test_stdin(self):
        self.assertEqual(process("cat", capture_output=True).stdout, b"")
        self.assertEqual(process("cat", capture_output=True, stdin=b"x").stdout, b"x")
        self.assertEqual(process("cat", capture_output=True, stdin="\u00e4", text=True).stdout, "\u00e4")

    def test_environment_is_replaced(self):
        done = process("/usr/bin/env", capture_output=True, env={"A": "b"})
        self.assertEqual(done.stdout, b"A=b\n")
        self.assertEqual(process("/usr/bin/env", capture_output=True, env={}).stdout, b"")
        self.assertIn(b"PATH=", process("/usr/bin/env", capture_output=True).stdout)

    def test_shell(self):
        self.assertEqual(process("echo $((1+1)) | cat", shell=True, capture_output=True).stdout, b"2\n")
        self.assertEqual(process("echo $0 $1", "name", "one", shell=True, capture_output=True).stdout, b"name one\n")

    def test_check(self):
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            process("echo out; echo why >&2; exit 3", shell=True, check=True)
        error = caught.exception
        self.assertEqual((error.returncode, error.stdout, error.stderr), (3, None, None))
        self.assertEqual(error.__notes__, ["stderr: why"])
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            process("echo out; echo why >&2; exit 3", shell=True, check=True, capture_output=True, text=True)
        self.assertEqual((caught.exception.stdout, caught.exception.stderr), ("out\n", "why\n"))
        self.assertFalse(hasattr(caught.exception, "__notes__"))
        self.assertEqual(process("kill -KILL $$", shell=True).returncode, -9)
        with self.assertRaises(FileNotFoundError):
            process("no-such-program")

    def test_large_output_without_capture(self):
        self.assertEqual(process("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2", shell=True).returncode, 0)

    def test_cwd_and_time_out(self):
        self.assertEqual(process("pwd", cwd="/", capture_output=True).stdout, b"/\n")
        with self.assertRaises(subprocess.TimeoutExpired) as caught:
            process("echo so far; sleep 60", shell=True, capture_output=True, timeout=0.2)
        self.assertEqual(caught.exception.stdout, b"so far\n")


class Source(unittest.TestCase):
    def test_syntax_of_the_oldest_python(self):
        if sys.version_info < (3, 8):
            return
        for name in os.listdir(MODULES):
            if name.endswith(".py"):
                with open(os.path.join(MODULES, name), encoding="utf-8") as file:
                    ast.parse(file.read(), name, feature_version=(3, 6))


class Old(unittest.TestCase):
    """A tool file as they were written for rmote 0.3."""

    SOURCE = """
from rmote.protocol import Tool, process, Template, render_template

GREETING = Template("Hello, ${name}!\\n% for x in xs\\n- ${x}\\n% endfor\\n")

class Host(Tool):
    users = []

    @staticmethod
    def run(*words):
        done = process(*words, capture_output=True, text=True, check=True)
        return done.stdout

    @staticmethod
    async def wait(seconds):
        import asyncio
        await asyncio.sleep(seconds)
        return "waited"

    @classmethod
    async def add(cls, name):
        cls.users.append(name)
        return cls.users

    @staticmethod
    def greet(name, xs):
        return GREETING.render(name=name, xs=xs) + render_template("${1 + 1}")

    @staticmethod
    def whole():
        return process("echo out; exit 3", shell=True, capture_output=True)
"""

    def test_runs_unchanged(self):
        agent = Agent()
        self.addCleanup(agent.close)
        agent.load_own("protocol", "process", "steps", "template")
        agent.load("host", self.SOURCE)
        self.assertEqual(agent.run("host:Host.run", "echo", "hi"), "hi\n")
        self.assertEqual(agent.run("host:Host.wait", 0.01), "waited")
        self.assertEqual(agent.run("host:Host.add", "a"), ["a"])
        self.assertEqual(agent.run("host:Host.add", "b"), ["a", "b"])
        self.assertEqual(agent.run("host:Host.greet", "you", [1, 2]), "Hello, you!\n- 1\n- 2\n2")
        done = agent.run("host:Host.whole")
        self.assertEqual((done.type_name, done["returncode"], done["stdout"]), ("CompletedProcess", 3, b"out\n"))
        error = agent.fails("host:Host.run", "sh", "-c", "exit 4")
        self.assertEqual((error.type, error.module), ("CalledProcessError", "subprocess"))
        self.assertIn("SubprocessError", error.bases[1])


if __name__ == "__main__":
    unittest.main()
