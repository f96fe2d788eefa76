"""A person at a terminal: runs `rmote-cli` on a pty, types, looks, and says what went wrong.

terminal.py RMOTE-CLI CASE WORD..., where the words are the options and the target.
"""
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

# Only a hang lasts that long.
PATIENCE = 60


class Terminal:
    """The terminal, and the program that runs on it."""

    def __init__(self, *words):
        self.seen = b""
        self.master, self.slave = os.openpty()
        self.resize(24, 80)
        # As in a person's session: this process leads it, and its signals come from the terminal.
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        self.modes = termios.tcgetattr(self.slave)
        environment = dict(os.environ, TERM="xterm", PS1="$ ", SHELL="/bin/sh", LC_ALL="C")
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self.slave)
        self.process = subprocess.Popen(words, env=environment, **streams)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def look(self, wait):
        if select.select([self.master], [], [], wait)[0]:
            self.seen += os.read(self.master, 1 << 16)

    def expect(self, pattern):
        """Waits for a text that matches, forgets what came before its end, and returns the match."""
        end = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern.encode(), self.seen, re.S)
            if found:
                self.seen = self.seen[found.end():]
                return found.group(0).decode()
            if time.monotonic() > end or self.process.poll() is not None and not select.select([self.master], [], [], 0)[0]:
                raise AssertionError("no %s in %r, exit status %s" % (pattern, self.seen, self.process.poll()))
            self.look(0.05)

    def prod(self, key, pattern):
        """Types a key and says whether what is on its way by now matches."""
        self.type(key)
        self.look(0.2)
        return re.search(pattern.encode(), self.seen, re.S)

    def code(self):
        """The exit code; the terminal must be as it was before."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, "it does not end: %r" % self.seen
            self.look(0.05)
        assert termios.tcgetattr(self.slave) == self.modes, "the terminal's modes have changed"
        return self.process.returncode

    def ready(self):
        """Waits until the shell reads what is typed."""
        self.type("stty -echo; echo ready=$((6*7))\r")
        self.expect("ready=42\r\n")

    def ask(self, expression, pattern=r"[^\r]*"):
        """What an expression gives in the shell."""
        self.type('echo "<%s>"\r' % expression)
        return self.expect("<%s>" % pattern)[1:-1]


def until(what, message):
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, message
        time.sleep(0.01)


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def equal(got, wanted):
    assert got == wanted, "%r instead of %r" % (got, wanted)


def shell(*words):
    """A shell is of the terminal's size, also when that changes, and its exit code is ours."""
    terminal = Terminal(rmote, "shell", *words)
    terminal.ready()
    equal(terminal.ask("$TERM $(stty size)"), "xterm 24 80")
    assert terminal.ask("$0", r"-[a-z]+"), "it is no login shell"
    terminal.resize(50, 132)
    # It may take a moment to get there.
    until(lambda: terminal.ask("$(stty size)") == "50 132", "the new size never arrived")
    # Ctrl-C is the command's, not ours. What prints has the foreground already.
    terminal.type("sh -c 'echo now; exec sleep 1000'\r")
    terminal.expect("now\r\n")
    terminal.type("\x03")
    equal(terminal.ask("$?"), "130")
    terminal.type("sh -c 'echo now; exec cat'\r")
    terminal.expect("now\r\n")
    terminal.type("x\r")
    terminal.expect("x\r\n")
    terminal.type("\x04")
    equal(terminal.ask("$?"), "0")
    terminal.type("exit 7\r")
    equal(terminal.code(), 7)


def screen(*words):
    """A program that draws on the whole screen does so, follows the size, and quits."""
    script = (
        "import curses\n"
        "def main(screen):\n"
        "    while True:\n"
        "        screen.clear()\n"
        "        screen.addstr(2, 4, 'size %d %d.' % screen.getmaxyx())\n"
        "        screen.refresh()\n"
        "        key = screen.getch()\n"
        "        if key == ord('q'): return\n"
        "        if key == curses.KEY_UP:\n"
        "            screen.addstr(3, 4, 'arrow')\n"
        "            screen.refresh()\n"
        "            screen.getch()\n"
        "curses.wrapper(main)\n")
    terminal = Terminal(rmote, "exec", "--tty", *words, "--", "python3", "-c", script)
    terminal.expect(re.escape("\x1b[?1049h"))
    terminal.expect(r"size 24 80\.")
    terminal.resize(30, 100)
    # It may have looked for the size just before; any key has it look again.
    until(lambda: terminal.prod("x", r"30 100|30.*100\."), "the new size is never drawn")
    terminal.type("\x1bOA")
    terminal.expect("arrow")
    terminal.type("xq")
    terminal.expect(re.escape("\x1b[?1049l"))
    equal(terminal.code(), 0)


def vi(*words):
    """An editor writes a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        terminal = Terminal(rmote, "shell", *words)
        terminal.ready()
        terminal.type("vi -u NONE %s\r" % path)
        terminal.expect("file")
        terminal.type("ihello\x1b")
        terminal.expect("hello")
        terminal.type(":wq\r")
        # It throws away what is typed before its end.
        terminal.expect(re.escape("\x1b[?1049l") + ".*[#$] ")
        equal(terminal.ask("$?"), "0")
        with open(path) as file:
            equal(file.read(), "hello\n")
        terminal.type("exit\r")
        equal(terminal.code(), 0)


def hang_up(*words):
    """A tilde and a dot at the start of a line leave, and end the shell with its jobs."""
    terminal = Terminal(rmote, "shell", *words)
    terminal.ready()
    pids = [int(terminal.ask("$$", r"\d+"))]
    terminal.type("sleep 1000 &\r")
    pids.append(int(terminal.ask("$!", r"\d+")))
    terminal.type("~~ ~.\r~.")
    terminal.expect("hung up")
    equal(terminal.code(), 255)
    if "local" in words:
        until(lambda: not any(map(alive, pids)), "something is left on the host")


def told_to_end(*words):
    """A signal ends us in order: the terminal is as before."""
    for number in signal.SIGTERM, signal.SIGHUP:
        terminal = Terminal(rmote, "shell", *words)
        terminal.ready()
        terminal.process.send_signal(number)
        terminal.expect("interrupted")
        equal(terminal.code(), 130)
        fcntl.ioctl(terminal.slave, termios.TIOCNOTTY)


def killed(*words):
    """Nothing is left on the host when we are gone without a word."""
    terminal = Terminal(rmote, "shell", *words)
    terminal.ready()
    pids = [int(terminal.ask("$$", r"\d+"))]
    terminal.type("sleep 1000 &\r")
    pids.append(int(terminal.ask("$!", r"\d+")))
    terminal.type("sleep 1001\r")
    assert all(map(alive, pids))
    terminal.process.kill()
    terminal.process.wait()
    until(lambda: not any(map(alive, pids)), "something is left on the host")


def lost(*words):
    """A host that is gone is an error, and the terminal is as before."""
    terminal = Terminal(rmote, "shell", *words)
    terminal.ready()
    agent = int(terminal.ask("$PPID", r"\d+"))
    os.kill(agent, signal.SIGKILL)
    terminal.expect("error: ")
    equal(terminal.code(), 255)


def interrupt(*words):
    """Without a terminal on the host Ctrl-C is handed on, and a second one ends the command."""
    terminal = Terminal(rmote, "exec", *words, "--", "/bin/sh", "-c", "echo now; exec sleep 1000")
    terminal.expect("now")
    terminal.type("\x03")
    equal(terminal.code(), 130)
    fcntl.ioctl(terminal.slave, termios.TIOCNOTTY)
    script = "trap 'echo caught' INT; echo pid=$$.; while :; do sleep 0.01; done"
    terminal = Terminal(rmote, "exec", *words, "--", "/bin/sh", "-c", script)
    pid = int(terminal.expect(r"pid=\d+\.")[4:-1])
    terminal.type("\x03")
    terminal.expect("caught")
    terminal.type("\x03")
    equal(terminal.code(), 130)
    if "local" in words:
        until(lambda: not alive(pid), "the command is left on the host")


def typed(*words):
    """Without a terminal on the host the lines that are typed here are its input."""
    terminal = Terminal(rmote, "exec", *words, "--", "cat", "-n")
    terminal.type("one\r")
    terminal.expect("1\tone\r\n")
    terminal.type("\x04")
    equal(terminal.code(), 0)


if __name__ == "__main__":
    os.setsid()
    # The terminal's signals are for the program; handlers and not "ignore", which it would inherit.
    for signals in signal.SIGINT, signal.SIGHUP, signal.SIGTSTP:
        signal.signal(signals, lambda *_: None)
    rmote, case = sys.argv[1:3]
    globals()[case](*sys.argv[3:])
