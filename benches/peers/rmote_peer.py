"""rmote 0.3.0 and 0.7.5, whichever is installed.

Variants: `thread` is a plain method, which runs in a thread on the host; `coroutine` an async one; `inline` is 0.7.5's
@inline. For bulk and values of 0.7.5, `raw` turns its compression off.
"""
import asyncio
import subprocess
import time
from importlib.metadata import version

import driver
from driver import CASE, now
from rmote.protocol import Protocol

if version("rmote").startswith("0.3"):
    from rmote_03_tool import Bench
else:
    from rmote_07_tool import Bench

OLD = not hasattr(Protocol, "from_command")
# The one that users write without a thought, where the case is not about it.
function = getattr(Bench, CASE["variant"] if hasattr(Bench, CASE["variant"]) else "thread")


async def opened():
    if OLD:
        process = await asyncio.create_subprocess_exec(
            *CASE["via"], CASE["python"], "-qui",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        session = await Protocol.from_subprocess(process)
        session.process_of_ours = process
    else:
        session = await Protocol.from_command(*CASE["via"], python=CASE["python"])
    await session.__aenter__()
    return session


async def closed(session):
    await session.__aexit__(None, None, None)
    if OLD:
        await session.process_of_ours.wait()


async def start():
    seconds = []
    for _ in range(CASE["n"]):
        began = now()
        session = await opened()
        assert await session(function, 1) == 1
        seconds.append(now() - began)
        await closed(session)
    driver.starts(seconds)


async def wire():
    began = now()
    session = await opened()
    assert await session(function, 1) == 1
    first = time.monotonic()
    seconds = now() - began
    await closed(session)
    driver.first_result(seconds, first)


async def sequential():
    session = await opened()
    seconds = []
    for i in range(-200, CASE["n"]):
        began = now()
        await session(function, i)
        if i >= 0:
            seconds.append(now() - began)
    driver.latencies(seconds)


async def pipelined():
    session = await opened()
    await session(function, 1)
    numbers = iter(range(CASE["n"]))

    async def caller():
        for i in numbers:
            assert await session(function, i) == i
    there = await session(Bench.cpu)
    here = driver.cpu()
    began = now()
    await asyncio.gather(*(caller() for _ in range(CASE["in_flight"])))
    seconds = now() - began
    here = driver.cpu() - here
    driver.pipelined(CASE["n"], seconds, here, await session(Bench.cpu) - there)


async def bulk():
    session = await opened()
    await session(Bench.peak)
    call = session.uncompressed if CASE["variant"] == "raw" else session
    count = 0
    began = now()
    for _ in range(CASE["n"]):
        async for part in call(Bench.chunks, CASE["file"], CASE["chunk"]):
            count += len(part)
    driver.bulk(count, now() - began, await session(Bench.peak))


async def values(method):
    session = await opened()
    await session(Bench.make, CASE["n"])
    call = session.uncompressed if CASE["variant"] == "raw" else session
    began = now()
    found = await call(method)
    driver.items(len(found), now() - began)


async def records():
    await values(Bench.records)


async def paths():
    await values(Bench.paths)


async def sessions():
    used = driver.cpu()
    began = now()

    async def one(i):
        session = await opened()
        assert await session(function, i) == i
        return session
    held = await asyncio.gather(*(one(i) for i in range(CASE["n"])))
    await asyncio.gather(*(closed(session) for session in held))
    driver.sessions(now() - began, driver.cpu() - used)


asyncio.run(globals()[CASE["case"]]())
