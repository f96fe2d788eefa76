"""execnet. Variants: `exec` is one remote_exec a call, which is a function call as with the others; `echo` is a loop on
one channel, without any dispatch.
"""
import os
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import driver
import execnet
from driver import CASE, now

HERE = os.path.dirname(os.path.abspath(__file__))
ECHO = """
while 1:
    x = channel.receive()
    if x is None:
        break
    channel.send(x)
"""
READ = """
path, size = channel.receive()
with open(path, "rb") as file:
    while 1:
        part = file.read(size)
        if not part:
            break
        channel.send(part)
"""
group = execnet.Group()


def connect():
    if CASE["over"] == "ssh":
        spec = "ssh=%s//ssh_config=%s//python=%s" % (CASE["host"], CASE["config"], CASE["python"])
    else:
        spec = "popen//python=" + " ".join(CASE["via"] + [CASE["python"]])
    return group.makegateway(spec)


def ping(gateway, i):
    return gateway.remote_exec("channel.send(%d)" % i)


def ask(gateway, function, *args):
    """Calls one of the host's functions and waits."""
    with open(os.path.join(HERE, "host_functions.py")) as source:
        text = source.read()
    call = "\nchannel.send(%s(*channel.receive()))\n" % function
    channel = gateway.remote_exec(text + call)
    channel.send(args)
    return channel.receive()


def start():
    seconds = []
    for _ in range(CASE["n"]):
        began = now()
        gateway = connect()
        assert ping(gateway, 1).receive() == 1
        seconds.append(now() - began)
        gateway.exit()
        gateway._io.wait()
    driver.starts(seconds)


def wire():
    began = now()
    gateway = connect()
    assert ping(gateway, 1).receive() == 1
    first = time.monotonic()
    seconds = now() - began
    group.terminate(1)
    driver.first_result(seconds, first)


def sequential():
    gateway = connect()
    channel = gateway.remote_exec(ECHO)
    seconds = []
    for i in range(-200, CASE["n"]):
        began = now()
        if CASE["variant"] == "echo":
            channel.send(i)
            channel.receive()
        else:
            ping(gateway, i).receive()
        if i >= 0:
            seconds.append(now() - began)
    driver.latencies(seconds)


def pipelined():
    gateway = connect()
    there = ask(gateway, "cpu")
    here = driver.cpu()
    began = now()
    if CASE["variant"] == "echo":
        channel = gateway.remote_exec(ECHO)
        waiting = 0
        for i in range(CASE["n"]):
            if waiting >= CASE["in_flight"]:
                channel.receive()
                waiting -= 1
            channel.send(i)
            waiting += 1
        for _ in range(waiting):
            channel.receive()
        channel.send(None)
    else:
        queue = deque()
        for i in range(CASE["n"]):
            if len(queue) >= CASE["in_flight"]:
                queue.popleft().receive()
            queue.append(ping(gateway, i))
        while queue:
            queue.popleft().receive()
    seconds = now() - began
    here = driver.cpu() - here
    driver.pipelined(CASE["n"], seconds, here, ask(gateway, "cpu") - there)


def bulk():
    gateway = connect()
    ping(gateway, 1).receive()
    count = 0
    began = now()
    for _ in range(CASE["n"]):
        channel = gateway.remote_exec(READ)
        channel.send((CASE["file"], CASE["chunk"]))
        for part in channel:
            count += len(part)
    driver.bulk(count, now() - began, ask(gateway, "peak"))


def values(name):
    gateway = connect()
    with open(os.path.join(HERE, "host_functions.py")) as source:
        text = source.read()
    # Made in the same code, since nothing stays between two of them; and timed from the word to go.
    channel = gateway.remote_exec(text + "\nmake(channel.receive())\nchannel.send(1)\nchannel.receive()\n"
                                         "channel.send(%s())\n" % name)
    channel.send(CASE["n"])
    channel.receive()
    began = now()
    channel.send(1)
    found = channel.receive()
    driver.items(len(found), now() - began)


def records():
    values("records")


def paths():
    values("paths")


def sessions():
    used = driver.cpu()
    began = now()

    def one(i):
        gateway = connect()
        assert ping(gateway, i).receive() == i
        return gateway
    with ThreadPoolExecutor(32) as threads:
        held = list(threads.map(one, range(CASE["n"])))
    assert len(held) == CASE["n"]
    group.terminate(5)
    driver.sessions(now() - began, driver.cpu() - used)


globals()[CASE["case"]]()
