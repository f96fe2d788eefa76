import os
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401

from rmote import children, process
from rmote.process import run


def sh(expression, **options):
    return run(["/bin/sh", "-c", expression], **options)


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        if os.path.isdir("/proc/self"):
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def descriptors():
    return len(os.listdir("/dev/fd"))


class Case(unittest.TestCase):
    def setUp(self):
        self.groups = []
        self.adopted = []
        self.addCleanup(setattr, children, "adopt", children.adopt)
        self.addCleanup(setattr, children, "release", children.release)
        children.adopt = lambda pid: (self.adopted.append(pid), self.groups.append(pid))
        children.release = lambda pid: self.groups.remove(pid)
        self.before = descriptors()

    def tearDown(self):
        self.assertEqual(self.groups, [])
        until = time.monotonic() + 5
        while descriptors() != self.before and time.monotonic() < until:
            time.sleep(0.01)
        self.assertEqual(descriptors(), self.before)
        self.assertRaises(ChildProcessError, os.waitpid, -1, os.WNOHANG)


class Run(Case):
    def test_own_group_and_session_registered(self):
        done = sh("ps -o pgid=,sid= -p $$ 2>/dev/null; echo $$")
        self.assertEqual(int(done.stdout.split()[-1]), self.adopted[0])
        self.assertEqual({int(word) for word in done.stdout.split()}, {self.adopted[0]})

    def test_large_input_and_outputs_do_not_deadlock(self):
        data = os.urandom(1 << 20) * 8
        done = sh("tee /dev/stderr", input=data)
        self.assertEqual((done.stdout == data, done.stderr == data), (True, True))
        self.assertFalse(done.truncated or done.held or done.timed_out)

    def test_input_that_nobody_reads(self):
        self.assertEqual(sh("exit 3", input=b"x" * (1 << 20)).code, 3)
        self.assertEqual(sh("exec <&-; echo x", input=b"x" * (1 << 20)).stdout, b"x\n")
        self.assertEqual(run(["cat"], input=b"").stdout, b"")

    def test_head_of_stdout_and_tail_of_stderr(self):
        done = sh("head -c 300000 /dev/zero; echo end; head -c 300000 /dev/zero >&2; echo end >&2", limit=100000)
        self.assertTrue(done.truncated)
        self.assertEqual(done.stdout, b"\0" * 100000)
        self.assertEqual(done.stderr, b"\0" * 99996 + b"end\n")
        done = sh("echo out; echo err >&2", limit=0)
        self.assertEqual((done.stdout, done.stderr, done.truncated), (b"", b"", True))
        done = sh("printf 1234", limit=4)
        self.assertEqual((done.stdout, done.truncated), (b"1234", False))

    def test_stdout_to_the_null_device(self):
        done = sh("echo out; echo err >&2", stdout=False)
        self.assertEqual((done.stdout, done.stderr), (b"", b"err\n"))

    def test_outputs_closed_early(self):
        start = time.monotonic()
        done = sh("exec >&- 2>&-; sleep 0.3; exit 4")
        self.assertEqual(done.code, 4)
        self.assertGreater(time.monotonic() - start, 0.29)
        done = sh("exec >&- 2>&-; sleep 30", timeout=0.2)
        self.assertEqual((done.timed_out, done.signal), (True, signal.SIGTERM))

    def test_time_out_ends_the_group(self):
        done = sh("sleep 300 & echo $!; wait", timeout=0.2)
        self.assertEqual((done.timed_out, done.signal, done.held), (True, signal.SIGTERM, False))
        self.assertFalse(alive(int(done.stdout)))

    def test_time_out_kills_who_ignores_term(self):
        start = time.monotonic()
        # The shell obeys, its child does not.
        done = sh("sh -c 'trap \"\" TERM; echo $$; sleep 300' & wait", timeout=0.3)
        self.assertEqual((done.timed_out, done.held), (True, False))
        self.assertGreater(time.monotonic() - start, 1.9)
        # KILL has been sent; the kernel may take a moment to end it.
        until = time.monotonic() + 20
        while alive(int(done.stdout)) and time.monotonic() < until:
            time.sleep(0.01)
        self.assertFalse(alive(int(done.stdout)))
        start = time.monotonic()
        done = sh("trap '' TERM; while :; do sleep 0.1; done", timeout=0.3)
        self.assertEqual((done.timed_out, done.signal), (True, signal.SIGKILL))
        self.assertGreater(time.monotonic() - start, 1.9)

    def test_output_on_the_way_out_is_kept(self):
        done = sh("trap 'echo bye; exit 5' TERM; echo hello; while :; do sleep 0.05; done", timeout=0.3)
        self.assertEqual((done.timed_out, done.stdout, done.code), (True, b"hello\nbye\n", 5))

    def test_time_out_does_not_wait_for_foreign_holders(self):
        start = time.monotonic()
        done = run([sys.executable, "-c", (
            "import os, time\n"
            "if os.fork(): time.sleep(100)\n"
            "os.setsid(); os.write(1, b'%d' % os.getpid()); time.sleep(100)")], timeout=0.7)
        took = time.monotonic() - start
        os.kill(int(done.stdout), signal.SIGKILL)
        self.assertEqual((done.timed_out, done.held), (True, True))
        self.assertLess(took, 20)

    def test_background_process_lives_on_and_may_write(self):
        flag = os.path.join("/tmp", "rmote-test-%d" % os.getpid())
        self.addCleanup(lambda: os.path.exists(flag) and os.unlink(flag))
        done = sh("(sleep 4; echo late; echo late >&2; head -c 300000 /dev/zero; echo ok > %s) & echo x" % flag)
        self.assertEqual((done.held, done.code, done.stdout), (True, 0, b"x\n"))
        until = time.monotonic() + 30
        while not os.path.exists(flag) and time.monotonic() < until:
            time.sleep(0.02)
        self.assertTrue(os.path.exists(flag))
        self.assertEqual(self.groups, [])

    def test_background_output_within_the_grace_is_kept(self):
        done = sh("(sleep 0.2; echo late) & echo first")
        self.assertEqual((done.stdout, done.held), (b"first\nlate\n", False))

    def test_signals_are_the_default_ones(self):
        # As the agent has it, since PyPy's subprocess restores nothing.
        self.addCleanup(signal.signal, signal.SIGPIPE, signal.signal(signal.SIGPIPE, lambda *_: None))
        self.assertEqual(sh("kill -PIPE $$").signal, signal.SIGPIPE)

    def test_descriptors_are_not_inherited(self):
        read, write = os.pipe()
        os.set_inheritable(write, True)
        done = sh("ls /dev/fd | wc -l; echo x >&%d" % write)
        os.close(read)
        os.close(write)
        self.assertNotEqual(done.code, 0)

    def test_programs_that_cannot_start(self):
        for argv, kind, words in (
            (["no-such-program"], FileNotFoundError, ("'no-such-program'", "PATH (%s)" % os.environ["PATH"])),
            (["/no/such/program"], FileNotFoundError, ("'/no/such/program'",)),
            (["/"], PermissionError, ("'/'",)),
        ):
            with self.assertRaises(kind) as caught:
                run(argv)
            for word in words:
                self.assertIn(word, str(caught.exception))
        with self.assertRaises(FileNotFoundError) as caught:
            run(["sh"], clear_env=True, env={"PATH": "/nowhere"})
        self.assertIn("(/nowhere)", str(caught.exception))
        for argv, kind in (([], ValueError), ("ls", TypeError), (["a\0b"], ValueError), ([1], TypeError)):
            with self.assertRaises(kind):
                run(argv)
        self.assertEqual(self.adopted, [])

    def test_interpreter_that_is_missing(self):
        path = os.path.join("/tmp", "rmote-test-script-%d" % os.getpid())
        with open(path, "w") as file:
            file.write("#!/no/such/interpreter\n")
        self.addCleanup(os.unlink, path)
        os.chmod(path, 0o755)
        with self.assertRaises(FileNotFoundError) as caught:
            run([path])
        self.assertIn("interpreter", str(caught.exception))

    def test_words_of_other_types(self):
        class Path:
            def __fspath__(self):
                return "/bin/echo"

        self.assertEqual(run([Path(), b"\xff", "\udcfe"]).stdout, b"\xff \xfe\n")

    def test_killed_from_outside_as_a_cancel_does(self):
        killer = threading.Timer(0.3, lambda: os.killpg(self.groups[0], signal.SIGTERM))
        killer.start()
        done = sh("sleep 100 & sleep 100")
        killer.join()
        self.assertEqual((done.signal, done.timed_out, done.held), (signal.SIGTERM, False, False))

    def test_an_error_inside_stops_the_group(self):
        class Stop(BaseException):
            pass

        def adopt(pid):
            self.groups.append(pid)
            raise Stop

        children.adopt = adopt
        with self.assertRaises(Stop):
            sh("sleep 100 & sleep 100")

    def test_many_at_once(self):
        results = {}

        def work(number):
            data = b"%d " % number * 20000
            results[number] = run(["cat"], input=data).stdout == data

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, {number: True for number in range(16)})

    def test_describe_and_tail(self):
        self.assertEqual(process.describe(sh("exit 2")), "exit code 2")
        self.assertEqual(process.describe(sh("kill -KILL $$")), "killed by signal SIGKILL")
        done = process.Finished([])
        self.assertIn("still running", process.describe(done))
        done.signal = 99
        self.assertEqual(process.describe(done), "killed by signal 99")
        self.assertEqual(process.tail(b"a\n" * 100 + b"b\xff\n"), "a\n" * 19 + "b\\xff")

    def test_no_busy_waiting(self):
        before = time.process_time()
        sh("sleep 0.6 & sleep 0.5")
        sh("trap '' TERM; sleep 1; exit 0", timeout=0.2)
        self.assertLess(time.process_time() - before, 0.6)


if __name__ == "__main__":
    unittest.main()
