"""Raises Cancelled in the thread of a call, between two of its instructions, where Python can do so.

Python sets a mark for a thread, and the thread raises the exception when it next looks: at the beginning of a function,
after a call, at the end of a loop's turn. Hence the following.

Only a function of a tool may be hit. The agent's own code could leave a torn frame or a lock behind, and so could an
import or `logging`. So the mark is set when none of these is on the thread's stack. What it runs next is the tool's or
the beginning of another function, where nothing has been done yet; or the agent's `run`, which takes the mark back.

Between the look at the stack and the setting of the mark the thread must not run on. `strike` looks and sets within one
call of C functions alone, which Python does not part. It makes sure that the frame that was judged is still the
thread's newest and that the thread is still in this call. A frame that has not been left since has the same callers.

Once only: `call.bell()` is a lock that is free once for each cancelled call. Who takes it, `time.sleep` or a function of
the agent or this module, is the only one to raise.
"""
import gc
import sys
from _thread import get_ident
from itertools import compress

from rmote.agent import Cancelled, sleep

# Often a thread lets others run just where the agent's own code writes, so one look a tick might never find it elsewhere.
LOOKS = 8
# The functions that run a tool's, from below.
RUNNERS = {("rmote/agent.py", "run"), ("rmote/streams.py", "run")}

try:
    from _functools import partial
    from _operator import and_, attrgetter, eq, is_, itemgetter
    from ctypes import c_int, c_ulong, py_object, pythonapi

    SET = pythonapi.PyThreadState_SetAsyncExc
    SET.argtypes = c_ulong, py_object
    SET.restype = c_int
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        # Without a global lock the thread runs on whatever is done here.
        SET = None
except Exception:
    # PyPy has no such function, and ctypes may be missing or forbidden: the call runs on.
    SET = None


def interrupt(agent, call):
    """Raises Cancelled in a call, or sees to it that the watcher comes back at its next tick."""
    # Who does little but print is seldom anywhere else, so there it is asked.
    call.check = lambda: check(call)
    if not SET or call.done or call.task:
        return
    if not call.thread:
        # It is about to begin: its module is being imported.
        agent.deadlines.add(call)
        return
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(LOOKS):
            thread = call.thread
            frame = newest(thread)
            if frame:
                bell = call.bell()
                if not bell.acquire(False) or strike(call, thread, frame):
                    return
                bell.release()
            # The thread runs on.
            sleep(0)
        agent.deadlines.add(call)
    finally:
        sys.setswitchinterval(interval)


def check(call):
    """Raises Cancelled if this is a cancelled call's thread and nothing else has."""
    if call.thread == get_ident() and call.bell().acquire(False):
        raise Cancelled


def newest(thread):
    """The newest frame of a thread, if all on top of its runner is a tool's."""
    frame = top = sys._current_frames().get(thread)
    while frame:
        code = frame.f_code
        file = code.co_filename
        if (file, code.co_name) in RUNNERS:
            return None if frame is top else top
        if file.startswith("rmote/") and not file.startswith("rmote/tools/") or "<frozen importlib" in file or file.endswith("/logging/__init__.py"):
            return None
        frame = frame.f_back


def strike(call, thread, frame):
    """Sets the mark, if the frame is still the newest of the thread and the thread is in this call; says whether it did."""
    target = c_ulong(thread)
    # C, too: a function of Python's would be hit at its beginning.
    call.settle = partial(SET, target, py_object())
    frames = map(itemgetter(thread), iter(sys._current_frames, None))
    threads = map(attrgetter("thread"), (call,))
    same = map(and_, map(is_, frames, (frame,)), map(partial(eq, thread), threads))
    collects = gc.isenabled()
    # A finalizer would be a function of Python's in between.
    gc.disable()
    try:
        return bool(list(map(SET, compress((target,), same), (py_object(Cancelled),))))
    except LookupError:
        # The thread is gone.
        return False
    finally:
        if collects:
            gc.enable()
