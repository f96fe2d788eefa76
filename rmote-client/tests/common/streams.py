import asyncio
import threading

STATE = {"made": 0}
FREE = threading.Event()


def count(n):
    for i in range(n):
        yield i
    return "done"


async def acount(n):
    for i in range(n):
        yield i


def blocks(n, size):
    for i in range(n):
        STATE["made"] += 1
        yield bytes([i % 256]) * size


def how_many():
    return STATE["made"]


def guarded(name):
    try:
        i = 0
        while True:
            yield i
            i += 1
    finally:
        STATE[name] = True


async def aguarded(name):
    try:
        i = 0
        while True:
            yield i
            i += 1
            await asyncio.sleep(0)
    finally:
        STATE[name] = True


def told(name):
    return STATE.get(name, False)


def broken():
    yield 1
    raise ValueError("no more")


def plain():
    return 7


def total(stream):
    return sum(stream)


def size(stream):
    return len(stream.read())


async def asize(stream):
    size = 0
    async for item in stream:
        size += len(item)
    return size


def sizes(first, *, stream):
    return [first] + [len(item) for item in stream]


def first(stream):
    return next(stream)


def first_then_wait(stream):
    size = len(next(stream))
    FREE.wait()
    return size


def release():
    FREE.set()


def echo(stream):
    for item in stream:
        yield item


async def aecho(stream):
    async for item in stream:
        yield item


def write(out, n, *, log):
    for i in range(n):
        out.write(b"x" * 10000)
        log.send(i)
    return n


def write_and_fail(out):
    out.write(b"half")
    raise ValueError("no more")


def wait(stream, out):
    out.write(b"begun")
    return len(stream.read())
