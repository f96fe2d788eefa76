import ast
import glob
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap
import driver
from driver import CALL, HELLO, MARK, Agent, Link, argv, core, frame

from rmote.wire import encode

FRAMES = frame(HELLO, payload=encode({"version": 1, "frame_limit": 1 << 20, "log_level": 30})) + frame(CALL, 1, encode(("os.getpid", 0, [], {})))


def python2():
    found = [shutil.which("python2")] + glob.glob(os.path.join(os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")), "versions", "2.7*", "bin", "python2"))
    for program in found:
        if program and subprocess.call([program, "-c", "import sys; sys.exit(sys.version_info[0] != 2)"], stderr=subprocess.DEVNULL) == 0:
            return program


class FirstStage(unittest.TestCase):
    def test_safe_in_every_shell(self):
        stage = driver.first_stage()
        for character in "'\"\\!\n":
            self.assertEqual(stage.count(character), stage.count('"') if character == '"' else 0, character)
        # Between single quotes only these three could do harm.
        for character in "'\\!\n":
            self.assertNotIn(character, stage)
        ast.parse(stage.replace("~", "\n"))
        self.assertLess(len(stage), 900)

    def test_python_2_says_that_it_is_too_old(self):
        program = python2()
        bootstrap.need(self, program, "there is no Python 2")
        link = Link(argv(program))
        status, errors = link.process.wait(driver.PATIENCE), b""
        self.assertRegex(link.rest(), MARK + br"O2\.7\.\d+ \n")
        self.assertEqual((status, link.wait()[1]), (96, b""))

    def test_python_2_goes_on_to_the_next(self):
        program = python2()
        bootstrap.need(self, program, "there is no Python 2")
        link = Link(argv(program, rest=[program, sys.executable, "never reached"]))
        link.write(core() + FRAMES)
        self.assertEqual(link.take(33), MARK + b"P")
        self.assertEqual(link.wait(), (0, b""))

    def test_end_of_input(self):
        for sent in (b"", core()[:-1]):
            link = Link(argv())
            link.write(sent)
            link.process.stdin.close()
            link.process.stdin = None
            self.assertEqual(link.rest(), MARK + b"E\n")
            self.assertEqual(link.wait(), (94, b""))

    def test_terminal(self):
        master, slave = pty.openpty()
        process = subprocess.Popen(argv(), stdin=slave, stdout=subprocess.PIPE)
        os.close(slave)
        out, _ = process.communicate(timeout=driver.PATIENCE)
        os.close(master)
        self.assertEqual((out, process.returncode), (MARK + b"T\n", 95))

    def test_byte_by_byte(self):
        link = Link(argv())
        data = core() + FRAMES
        for at in range(len(data)):
            os.write(link.process.stdin.fileno(), data[at:at + 1])
        self.assertEqual(link.take(33), MARK + b"P")
        link.take(10)
        self.assertEqual(link.wait(), (0, b""))

    def test_input_that_does_not_block(self):
        read, write = os.pipe()
        os.set_blocking(read, False)
        process = subprocess.Popen(argv(), stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        data = core() + FRAMES
        os.write(write, data[:100])
        # It waits for more.
        self.assertEqual(select.select([process.stdout], [], [], 0.2)[0], [])
        os.write(write, data[100:])
        self.assertEqual(process.stdout.read(33), MARK + b"P")
        self.assertTrue(process.stdout.read(10))
        os.close(write)
        out, errors = process.communicate(timeout=driver.PATIENCE)
        os.close(read)
        self.assertEqual((process.returncode, errors), (0, b""))

    def test_output_that_does_not_block(self):
        read, write = os.pipe()
        os.set_blocking(write, False)
        process = subprocess.Popen(argv(), stdin=subprocess.PIPE, stdout=write, stderr=subprocess.PIPE, bufsize=0)
        os.close(write)
        process.stdin.write(core() + FRAMES + frame(CALL, 2, encode(("builtins.bytes", 0, [1 << 19], {}))))
        got = b""
        while len(got) < 1 << 19:
            self.assertTrue(select.select([read], [], [], driver.PATIENCE)[0])
            got += os.read(read, 5000)
        process.stdin.close()
        self.assertEqual((process.wait(driver.PATIENCE), process.stderr.read()), (0, b""))
        process.stderr.close()
        os.close(read)

    def test_user_files_have_no_part(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("json.py", "sitecustomize.py", "start.py", "struct.py"):
                with open(os.path.join(folder, name), "w") as file:
                    file.write("raise SystemExit('a file of the user was run')")
            agent = Agent(cwd=folder, env=dict(os.environ, PYTHONSTARTUP=os.path.join(folder, "start.py"), PYTHONPATH=folder))
            self.assertEqual(agent.run("json.dumps", [1]), "[1]")
            agent.close()

    def test_closed_standard_error(self):
        words = ["sh", "-c", 'exec "$@" 2>&-', "sh"] + argv()
        link = Link(words)
        link.write(core() + FRAMES)
        self.assertEqual(link.take(33), MARK + b"P")
        link.take(10)
        self.assertEqual(link.wait(), (0, b""))

    def test_few_descriptors(self):
        agent = Agent(preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NOFILE, (64, 64)))
        self.assertEqual(agent.run("os.getpid"), agent.pid)
        agent.close()

    def test_hello(self):
        agent = Agent()
        agent.run("os.getpid")
        hello = agent.hello
        self.assertEqual(set(hello), {"version", "frame_limit", "python", "implementation", "executable", "platform", "hostname", "pid"})
        self.assertEqual((hello["version"], hello["frame_limit"], hello["pid"]), (1, (1 << 27) + 6, agent.pid))
        self.assertEqual((hello["python"], hello["implementation"]), (tuple(sys.version_info[:3]), sys.implementation.name))
        agent.close()

    def test_another_version(self):
        agent = Agent(version=2)
        error = agent.fails("os.getpid")
        self.assertEqual((error.by, error.message), ("agent", "the controller speaks protocol 2, this agent 1"))
        agent.close()


class Streams(unittest.TestCase):
    """What ends a link says why."""

    def ends(self, data, words):
        agent = Agent()
        agent.run("os.getpid")
        agent.write(data)
        self.assertEqual(agent.rest(), b"")
        status, errors = agent.wait()
        self.assertEqual(status, 1)
        self.assertTrue(errors.startswith(b"rmote agent: "), errors)
        self.assertIn(words, errors.decode())

    def test_damaged_streams(self):
        self.ends(frame(10), "unknown kind 10")
        self.ends(frame(driver.PING, flags=1), "kind 5 with unknown flags 1")
        self.ends(frame(CALL, 1, flags=2), "kind 3 with unknown flags 2")
        self.ends(frame(driver.LOAD, flags=3), "kind 2 with unknown flags 3")
        self.ends(b"\5\0\0\0" + b"\0" * 10, "frame of 5 bytes")
        self.ends(b"\xff" * 10, "frame of 4294967295 bytes")
        self.ends(frame(driver.LOAD, payload=b"\5\1"), "cut off")
        self.ends(frame(HELLO, payload=encode({})), "version")

    def test_close_says_bye(self):
        agent = Agent()
        agent.write(frame(driver.CLOSE))
        while not agent.bye:
            agent.serve()
        self.assertEqual(agent.rest(), b"")
        agent.close()

    def test_hup_and_term(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            agent = Agent()
            agent.run("os.getpid")
            os.kill(agent.pid, number)
            self.assertEqual(agent.rest(), b"")
            agent.close()


if __name__ == "__main__":
    unittest.main()
