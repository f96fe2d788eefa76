import os
import queue
import re
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

child = load("child")
# Only a hang lasts that long.
PATIENCE = 60


def until(what):
    end = time.monotonic() + PATIENCE
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError("it never happened")
        time.sleep(0.005)


def name(pid):
    with open("/proc/%d/comm" % pid) as file:
        return file.read().strip()


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Input:
    """Stands in for a stream that is read: what is put into it, up to `end` or `cut`."""

    def __init__(self, *items):
        self.items = queue.Queue()
        for item in items:
            self.items.put(item)

    def put(self, *items):
        for item in items:
            self.items.put(item)
        return self

    def end(self):
        return self.put(StopIteration())

    def __iter__(self):
        return self

    def __next__(self):
        item = self.items.get(timeout=PATIENCE)
        if isinstance(item, BaseException):
            raise item
        return item


class Output:
    """Stands in for a stream that is written. It takes nothing while its gate is shut."""

    closed = False

    def __init__(self):
        self.data = bytearray()
        self.gate = threading.Event()
        self.gate.set()

    def write(self, data):
        if not self.gate.wait(PATIENCE):
            raise AssertionError("the gate stayed shut")
        self.data += data
        return len(data)

    def close(self):
        self.closed = True

    def wait_for(self, text):
        until(lambda: text in self.data)


class Run(threading.Thread):
    """A command that runs: its process id, then how it ended."""

    pid = ended = error = None

    def __init__(self, argv, *streams, **options):
        threading.Thread.__init__(self, daemon=True)
        self.streams, self.options = (argv,) + streams, options
        self.start()
        until(lambda: self.pid or not self.is_alive())

    def run(self):
        try:
            self.ended = child.spawn(*self.streams, started=self, **self.options)
        except BaseException as error:
            self.error = error

    def send(self, pid):
        self.pid = pid

    def result(self):
        self.join(PATIENCE)
        if self.is_alive():
            raise AssertionError("it does not end")
        if self.error:
            raise self.error
        return self.ended


def run(argv, *streams, **options):
    return Run(argv, *streams, **options).result()


def shell(script, *streams, **options):
    return run(["/bin/sh", "-c", script], *streams, **options)


TERMINAL = {"term": "dumb", "rows": 24, "columns": 80}


class Pipes(unittest.TestCase):
    def test_streams_are_apart_and_the_end_has_a_code(self):
        out, err = Output(), Output()
        ended = shell("cat; echo oops >&2; exit 3", Input(b"in", b"put").end(), out, err)
        self.assertEqual((bytes(out.data), bytes(err.data)), (b"input", b"oops\n"))
        self.assertEqual((ended.type_name, dict(ended)), ("Ended", dict(code=3, signal=None, held=False)))

    def test_null_devices(self):
        self.assertEqual(shell("cat && echo lost && echo lost >&2").code, 0)

    def test_both_directions_at_once(self):
        # More than all pipes hold together: whoever waits for one end of it only hangs.
        size = 1 << 20
        out = Output()
        ended = run(["cat"], Input(*[os.urandom(1) * size for _ in range(16)]).end(), out)
        self.assertEqual((ended.code, len(out.data)), (0, 16 * size))

    def test_output_is_live(self):
        out, stdin = Output(), Input()
        running = Run(["/bin/sh", "-c", "printf first; read line; printf $line"], stdin, out)
        out.wait_for(b"first")
        self.assertTrue(running.is_alive())
        stdin.put(b"second\n")
        self.assertEqual((running.result().code, bytes(out.data)), (0, b"firstsecond"))

    def test_a_reader_that_is_slow_holds_the_command_up(self):
        out, control = Output(), Input()
        out.gate.clear()
        running = Run([sys.executable, "-c", "import os\nwhile True: os.write(1, bytes(4096))"], None, out, None, control)

        def written():
            with open("/proc/%d/io" % running.pid) as file:
                return int(file.read().split("wchar: ")[1].split()[0])

        def blocked():
            with open("/proc/%d/stat" % running.pid) as file:
                return file.read().rpartition(")")[2].split()[0] == "S" and written()

        stopped = until(blocked)
        # What is read ahead and what the pipe holds.
        self.assertLessEqual(stopped, 1 << 19)
        out.gate.set()
        until(lambda: written() > 1 << 22)
        # Signals reach it all the same.
        out.gate.clear()
        control.put(("signal", signal.SIGKILL))
        until(lambda: not alive(running.pid))
        out.gate.set()
        self.assertEqual(running.result().signal, signal.SIGKILL)

    def test_all_that_was_printed_comes_however_late(self):
        out = Output()
        out.gate.clear()
        running = Run(["/bin/sh", "-c", "head -c 60000 /dev/zero"], None, out)
        until(lambda: not alive(running.pid))
        out.gate.set()
        ended = running.result()
        self.assertEqual((len(out.data), ended.held), (60000, False))

    def test_input_that_nobody_reads(self):
        # Too much for the pipe, and the command ends without a look at it.
        control = Input()
        running = Run(["sleep", "1000"], Input(bytes(1 << 20)), None, None, control)
        control.put(("signal", signal.SIGTERM))
        self.assertEqual(running.result().signal, signal.SIGTERM)
        out = Output()
        ended = run(["head", "-c1"], Input(*[b"x" * 65536] * 64).end(), out)
        self.assertEqual((ended.code, bytes(out.data)), (0, b"x"))

    def test_input_that_breaks_off_never_looks_whole(self):
        out = Output()
        running = Run(["/bin/sh", "-c", "cat; echo all of it"], Input(b"half", OSError("gone")), out)
        with self.assertRaisesRegex(OSError, "gone"):
            running.result()
        self.assertNotIn(b"all of it", out.data)

    def test_signals_go_to_the_group(self):
        out, control = Output(), Input()
        running = Run(["/bin/sh", "-c", "trap 'echo caught' USR1; sleep 1000 & echo $!; wait; exit 5"], None, out, None, control)
        out.wait_for(b"\n")
        pid = int(out.data.split()[0])
        # Before that it is a copy of the shell, whose trap would take the signal.
        until(lambda: name(pid) == "sleep")
        control.put(("resize", 1, 1), ("signal", signal.SIGUSR1))
        self.assertEqual(running.result().code, 5)
        self.assertIn(b"caught", out.data)
        until(lambda: not alive(pid))

    def test_what_stays_in_the_background_holds_the_call_shortly(self):
        out = Output()
        ended = shell("sleep 1000 & echo $!", None, out)
        self.assertEqual((ended.code, ended.held), (0, True))
        pid = int(out.data)
        self.assertTrue(alive(pid))
        os.kill(pid, signal.SIGKILL)

    def test_a_talkative_background_process_holds_it_no_longer(self):
        out = Output()
        ended = shell("while :; do echo y; sleep 0.01; done & echo $!", None, out)
        self.assertEqual((ended.code, ended.held), (0, True))
        pid = int(next(line for line in out.data.split() if line != b"y"))
        # Its pipe is read on, so that it lives.
        self.assertTrue(alive(pid))
        os.kill(pid, signal.SIGKILL)

    def test_environment_and_directory(self):
        out = Output()
        show = "echo ${HOME-none} $B; pwd"
        shell(show, None, out, env={"HOME": None, "B": "b"}, cwd="/")
        self.assertEqual(bytes(out.data), b"none b\n/\n")
        out = Output()
        shell("/usr/bin/env | grep -v ^PWD= | grep -v ^_= | grep -v ^SHLVL=", None, out, env={"B": "b"}, clear_env=True)
        self.assertEqual(bytes(out.data), b"B=b\n")

    def test_a_program_that_is_missing(self):
        for options in {}, {"pty": TERMINAL}:
            with self.assertRaises(FileNotFoundError) as caught:
                run(["no-such-program"], Input(), Output(), env={"PATH": "/a:/b"}, **options)
            self.assertIn("no such program in PATH (/a:/b)", str(caught.exception))
        with self.assertRaises(ValueError):
            run([])

    def test_an_error_inside_ends_the_command(self):
        pids = []

        class Started:
            def send(self, pid):
                pids.append(pid)
                raise KeyError(pid)

        with self.assertRaises(KeyError):
            child.spawn(["sleep", "1000"], Input(), Output(), Output(), Input(), Started())
        self.assertFalse(alive(pids[0]))

    def test_the_end_of_an_output_comes_before_the_commands(self):
        out, err, control = Output(), Output(), Input()
        running = Run(["/bin/sh", "-c", "exec >&-; sleep 1000"], None, out, err, control)
        until(lambda: out.closed)
        self.assertTrue(running.is_alive())
        self.assertFalse(err.closed)
        control.put(("signal", 9))
        self.assertEqual((running.result().signal, err.closed), (9, True))


class Terminal(unittest.TestCase):
    def test_it_is_the_controlling_terminal(self):
        out = Output()
        ended = shell("test -t 0 && test -t 1 && test -t 2 && echo $TERM && stty size </dev/tty", None, out, pty=TERMINAL)
        self.assertEqual((ended.code, bytes(out.data)), (0, b"dumb\r\n24 80\r\n"))

    def test_resize_interrupt_and_exit_code(self):
        out, stdin, control = Output(), Input(), Input()
        script = "trap 'stty size' WINCH; trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.01; done"
        running = Run(["/bin/sh", "-c", script], stdin, out, None, control, pty=TERMINAL)
        out.wait_for(b"ready")
        control.put(("resize", 40, 132))
        out.wait_for(b"40 132")
        stdin.put(b"\x03")
        out.wait_for(b"interrupted")
        self.assertEqual(running.result().code, 9)

    def test_the_end_of_input_is_the_end_of_the_file(self):
        for text in b"line\n", b"no line":
            out = Output()
            ended = run(["cat"], Input(text).end(), out, pty=TERMINAL)
            self.assertEqual(ended.code, 0)
            self.assertEqual(out.data.count(text.strip()), 2, out.data)

    def test_a_program_that_reads_keys_gets_no_end_of_the_file(self):
        import tty

        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        self.assertEqual(child.Child.end_of_file(None, master), b"\x04")
        tty.setraw(slave)
        self.assertEqual(child.Child.end_of_file(None, master), b"")

    def test_all_output_comes_before_the_end(self):
        out = Output()
        ended = shell("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done", None, out, pty=TERMINAL)
        self.assertEqual(ended.code, 0)
        self.assertTrue(out.data.endswith(b"line 4999\r\n"), out.data[-50:])
        self.assertEqual(out.data.count(b"\n"), 5000)

    def test_a_full_screen_program(self):
        script = """
import curses, signal
def main(screen):
    screen.addstr(0, 0, "size %d %d" % screen.getmaxyx())
    screen.refresh()
    while True:
        key = screen.getch()
        if key == ord("q"):
            return
        if key == curses.KEY_RESIZE:
            screen.clear()
            screen.addstr(1, 0, "then %d %d" % screen.getmaxyx())
        elif key == curses.KEY_UP:
            screen.addstr(2, 0, "arrow")
        screen.refresh()
curses.wrapper(main)
"""
        try:
            import curses  # noqa: F401
        except ImportError:
            from bootstrap import need

            need(self, False, "this Python has no curses")
        out, stdin, control = Output(), Input(), Input()
        terminal = {"term": "xterm", "rows": 24, "columns": 80}
        running = Run([sys.executable, "-c", script], stdin, out, None, control, pty=terminal)
        out.wait_for(b"size 24 80")
        control.put(("resize", 30, 100))
        out.wait_for(b"then 30 100")
        stdin.put(b"\x1bOA")
        out.wait_for(b"arrow")
        stdin.put(b"q")
        self.assertEqual(running.result().code, 0)
        # The alternate screen is entered and left.
        self.assertLess(out.data.index(b"\x1b[?1049h"), out.data.index(b"\x1b[?1049l"))

    def test_a_shell_that_ignores_term_hangs_up_with_its_jobs(self):
        out, stdin, control = Output(), Input(), Input()
        running = Run(["/bin/sh", "-i"], stdin, out, None, control, pty=TERMINAL, env={"PS1": "$ "})
        stdin.put(b"sleep 1000 & echo job $!.\n")
        pid = int(until(lambda: re.search(rb"job (\d+)\.", out.data)).group(1))
        self.assertTrue(alive(pid))
        self.assertNotEqual(os.getpgid(pid), running.pid)
        control.put(InterruptedError("cancelled"))
        running.result()
        until(lambda: not alive(pid))

    def test_the_login_shell(self):
        os.environ["SHELL"] = "/bin/sh"
        out, stdin = Output(), Input()
        running = Run(None, stdin, out, pty=TERMINAL)
        stdin.put(b"echo shell=$0; exit 7\n")
        self.assertEqual(running.result().code, 7)
        self.assertIn(b"shell=-sh\r\n", out.data)

    def test_the_login_shell_is_found(self):
        for given, path in ("/no/such/shell", "/bin/sh"), ("/bin/cat", "/bin/cat"):
            os.environ["SHELL"] = given
            self.assertEqual(child.login_shell(), path)
        del os.environ["SHELL"]
        self.assertTrue(os.access(child.login_shell(), os.X_OK))

    def setUp(self):
        before = os.environ.get("SHELL")
        self.addCleanup(lambda: os.environ.pop("SHELL", None) if before is None else os.environ.update(SHELL=before))


class Leaks(unittest.TestCase):
    def test_no_descriptor_and_no_thread_is_left(self):
        import gc

        def one():
            shell("cat", Input(b"x").end(), Output(), Output(), Input().end())
            run(["true"], Input().end(), Output(), None, Input().end(), pty=TERMINAL)

        def state():
            gc.collect()
            return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

        one()
        before = until(state)
        for _ in range(5):
            one()
        until(lambda: state() <= before)


if __name__ == "__main__":
    unittest.main()
