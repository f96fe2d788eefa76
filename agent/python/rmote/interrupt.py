"""Raises Cancelled in the thread of a call, between two of its instructions, where Python can do so.

Python sets a mark for a thread, and the thread raises the exception when it next looks: at the beginning of a function,
after a call, at the end of a loop's turn. Hence the following.

Only a function of a tool may be hit. The agent's own code could leave a torn frame or a lock behind, and so could an
import or `logging`. So the mark is set when none of these is on the thread's stack. What it runs next is the tool's or
the beginning of another function, where nothing has been done yet; or the agent's `run`, which takes the mark back.

Between the look at the stack and the setting of the mark the thread must not run on. `strike` looks and sets within one
call of C functions alone, which Python does not part. It makes sure that the frame that was judged is still the
thread's newest and that the thread is still in this call. A frame that has not been left since has the same callers.

The compiler of CPython 3.12 and later leaves the jump back of some loops out of the `try` around them. What is raised there
passes by its `finally`, so the thread is awaited elsewhere, though not for ever: some loops look nowhere else. Up to 3.12
a thread that was stopped at a look raises the exception there, later ones at the next look.

Once only: `call.bell()` is a lock that is free once for each cancelled call. Who takes it, `time.sleep` or a function of
the agent or this module, is the only one to raise.
"""
import gc
import sys
from _thread import get_ident
from itertools import compress

from rmote.agent import Cancelled, monotonic, sleep

# Often a thread lets others run just where the agent's own code writes, so one look a tick might never find it elsewhere.
LOOKS = 8
# Seconds after which a loop is interrupted even where its `finally` is passed by.
PATIENCE = 1.0
# What an instruction does: it goes on, the thread looks for a mark at it, it does so uncovered by its `try`, it returns.
PASSES, LOOKS_THERE, LEFT_OUT, RETURNS = range(4)
FLOWS = {}
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


def cancel(agent, call):
    """Stops a call, as far as it goes; called again at each tick until there is nothing more to do."""
    again = call.cancelled
    if not again:
        call.cancelled = True
        call.bell().release()
    # First this: what waits for a process is to raise when that has ended.
    interrupt(agent, call)
    if again:
        return
    for stream in call.streams:
        stream.notify()
    if agent.loop:
        agent.loop.cancel(call)
    if call.groups:
        call.killed = True
        from rmote.children import doom
        doom(*call.groups)


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
    interval, collects = sys.getswitchinterval(), gc.isenabled()
    # Python's own lock on its list of threads is held while the frames are listed. A finalizer that ran just then could let
    # another thread run, which waits for that lock when it starts or ends: for ever.
    gc.disable()
    try:
        for _ in range(LOOKS):
            thread = call.thread
            frame = newest(thread)
            at = frame and frame.f_lasti
            if frame and not (monotonic() < call.deadline + PATIENCE and passes_by(frame)):
                bell = call.bell()
                if not bell.acquire(False) or strike(call, thread, frame, at):
                    return
                bell.release()
            # The thread runs on, for a moment.
            sys.setswitchinterval(1e-5)
            sleep(0)
            sys.setswitchinterval(interval)
        agent.deadlines.add(call)
    finally:
        if collects:
            gc.enable()
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


def passes_by(frame):
    """Whether an exception that is set now may be raised at a jump that its `try` does not cover."""
    if sys.version_info < (3, 12):
        return False
    steps, at = flow(frame.f_code), frame.f_lasti
    if sys.version_info < (3, 13):
        # It is raised where the thread stands.
        return steps.get(at, (PASSES, ()))[0] is LEFT_OUT
    seen = set()
    while frame and frame.f_code.co_filename != "rmote/agent.py":
        # Where the thread can be when it next looks, here or, having returned, in the caller.
        steps, returns = flow(frame.f_code), False
        open = list(steps.get(frame.f_lasti, (PASSES, ()))[1])
        while open:
            at = open.pop()
            kind, following = steps.get(at, (LOOKS_THERE, ()))
            if kind is LEFT_OUT:
                return True
            returns = returns or kind is RETURNS
            if kind is PASSES and (frame, at) not in seen:
                seen.add((frame, at))
                open += following
        if not returns:
            return False
        frame = frame.f_back
    return False


def flow(code):
    """What each instruction of a function does, by its offset: the kind, and the offsets of those that may follow."""
    if code not in FLOWS:
        from dis import get_instructions, hasjabs, hasjrel

        # Start, length, target and depth of each entry, in units of two bytes: groups of six bits, the highest first.
        numbers, number = [], 0
        for byte in code.co_exceptiontable:
            number = number << 6 | byte & 63
            if not byte & 64:
                numbers.append(2 * number)
                number = 0
        ranges = [(start, start + size) for start, size in zip(numbers[::4], numbers[1::4])]
        steps = {}
        instructions = list(get_instructions(code))
        for instruction, after in zip(instructions, instructions[1:] + [None]):
            name, at = instruction.opname, instruction.offset
            following = [after.offset] if after else []
            kind = PASSES
            if instruction.opcode in hasjrel or instruction.opcode in hasjabs:
                target = instruction.argval
                if name.startswith("JUMP_"):
                    following = []
                following.append(target)
                if name == "JUMP_BACKWARD":
                    covers = [[start <= each < end for start, end in ranges] for each in (at, target)]
                    kind = LEFT_OUT if any(covers[1]) and not any(covers[0]) else LOOKS_THERE
            elif name.startswith(("CALL", "RESUME", "INSTRUMENTED")):
                kind = LOOKS_THERE
            elif name.startswith(("RETURN", "YIELD")):
                kind = RETURNS
            elif name in ("RERAISE", "RAISE_VARARGS"):
                following = []
            steps[at] = kind, following
        if len(FLOWS) > 100:
            FLOWS.clear()
        FLOWS[code] = steps
    return FLOWS[code]


def strike(call, thread, frame, at):
    """Sets the mark, if the thread is in this call and this frame is its newest and where it was; says whether it did."""
    target = c_ulong(thread)
    # C, too: a function of Python's would be hit at its beginning.
    call.settle = partial(SET, target, py_object())
    frames = map(itemgetter(thread), iter(sys._current_frames, None))
    threads = map(attrgetter("thread"), (call,))
    places = map(attrgetter("f_lasti"), (frame,))
    same = map(and_, map(is_, frames, (frame,)), map(and_, map(eq, threads, (thread,)), map(eq, places, (at,))))
    try:
        # The collector is off: a finalizer would be a function of Python's in between.
        return bool(list(map(SET, compress((target,), same), (py_object(Cancelled),))))
    except LookupError:
        # The thread is gone.
        return False
