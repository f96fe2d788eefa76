import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

exec_ = load("exec")
Exec = exec_.Exec


class Command(unittest.TestCase):
    def test_result(self):
        done = Exec.command("/bin/sh", "-c", "printf out; printf err >&2")
        self.assertEqual(done.type_name, "Completed")
        self.assertEqual(dict(done), dict(
            args=["/bin/sh", "-c", "printf out; printf err >&2"], code=0, signal=None, stdout=b"out", stderr=b"err",
            truncated=False, held=False))

    def test_no_arguments(self):
        with self.assertRaises(ValueError):
            Exec.command()

    def test_failure_says_what_and_why(self):
        with self.assertRaises(exec_.CommandFailed) as caught:
            Exec.command("/bin/sh", "-c", "echo first >&2; echo 'no such thing' >&2; echo out; exit 3")
        error = caught.exception
        self.assertIsInstance(error, subprocess.CalledProcessError)
        self.assertEqual((error.returncode, error.stdout, error.stderr), (3, b"out\n", b"first\nno such thing\n"))
        self.assertEqual(
            str(error),
            "/bin/sh -c 'echo first >&2; echo '\"'\"'no such thing'\"'\"' >&2; echo out; exit 3': exit code 3\n"
            "first\nno such thing")
        self.assertEqual(error.args[0], 3)

    def test_signal_is_no_exit_code(self):
        with self.assertRaises(exec_.CommandFailed) as caught:
            Exec.shell("kill -KILL $$")
        self.assertTrue(str(caught.exception).endswith(": killed by signal SIGKILL"), caught.exception)
        self.assertEqual(caught.exception.returncode, -9)
        done = Exec.shell("kill -TERM $$", check=False)
        self.assertEqual((done.code, done.signal), (None, 15))
        done = Exec.shell("exit 137", check=False)
        self.assertEqual((done.code, done.signal), (137, None))

    def test_last_lines_of_stderr(self):
        with self.assertRaises(exec_.CommandFailed) as caught:
            Exec.shell("i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; printf '\\377' >&2; exit 1")
        text = str(caught.exception)
        self.assertLess(len(text), 6000)
        self.assertTrue(text.endswith("line 2999\n\\xff"), text[-100:])

    def test_check(self):
        self.assertEqual(Exec.command("false", check=False).code, 1)
        self.assertEqual(Exec.shell("exit 7", check=False).code, 7)

    def test_program_that_is_missing(self):
        with self.assertRaises(FileNotFoundError) as caught:
            Exec.command("no-such-program", env={"PATH": "/a:/b"})
        self.assertIn("'no-such-program'", str(caught.exception))
        self.assertIn("(/a:/b)", str(caught.exception))

    def test_stdin(self):
        self.assertEqual(Exec.command("cat").stdout, b"")
        self.assertEqual(Exec.command("cat", stdin="\u00e4\udcff").stdout, b"\xc3\xa4\xff")
        self.assertEqual(Exec.command("cat", stdin=b"\0").stdout, b"\0")

    def test_environment_is_merged(self):
        os.environ["RMOTE_TEST_A"] = "a"
        self.addCleanup(os.environ.pop, "RMOTE_TEST_A")
        show = "echo ${RMOTE_TEST_A-none} ${RMOTE_TEST_B-none} ${HOME+home}"
        env = {"RMOTE_TEST_B": "b", "HOME": "/"}
        self.assertEqual(Exec.shell(show, env=env).stdout, b"a b home\n")
        self.assertEqual(Exec.shell(show, env={"RMOTE_TEST_A": None, "HOME": None}).stdout, b"none none\n")
        self.assertEqual(Exec.shell(show, env={"RMOTE_TEST_B": "b"}, clear_env=True).stdout, b"none b\n")
        self.assertEqual(Exec.shell(show, clear_env=True).stdout, b"none none\n")

    def test_cwd(self):
        self.assertEqual(Exec.command("pwd", cwd="/").stdout, b"/\n")
        with self.assertRaises(FileNotFoundError) as caught:
            Exec.command("pwd", cwd="/no-such-directory")
        self.assertEqual(caught.exception.filename, "/no-such-directory")

    def test_time_out(self):
        start = time.monotonic()
        with self.assertRaises(exec_.CommandTimedOut) as caught:
            Exec.shell("echo so far; echo stuck >&2; sleep 60", timeout=0.3)
        self.assertLess(time.monotonic() - start, 30)
        error = caught.exception
        self.assertIsInstance(error, subprocess.TimeoutExpired)
        self.assertIsInstance(error, TimeoutError)
        self.assertEqual((error.stdout, error.stderr, error.timeout), (b"so far\n", b"stuck\n", 0.3))
        self.assertIn("timed out after 0.3 s, killed by signal SIGTERM\nstuck", str(error))

    def test_limit(self):
        done = Exec.shell("printf 0123456789; printf 0123456789 >&2", limit=4)
        self.assertEqual((done.stdout, done.stderr, done.truncated), (b"0123", b"6789", True))

    def test_backgrounded_process_does_not_hold_the_call(self):
        start = time.monotonic()
        done = Exec.shell("sleep 30 & echo $!")
        self.assertLess(time.monotonic() - start, 20)
        self.assertEqual((done.held, done.code), (True, 0))
        os.kill(int(done.stdout), 9)

    def test_names_that_are_not_utf8(self):
        done = Exec.command("printf", "%s", "\udcff")
        self.assertEqual((done.stdout, done.args), (b"\xff", ["printf", "%s", "\udcff"]))


if __name__ == "__main__":
    unittest.main()
