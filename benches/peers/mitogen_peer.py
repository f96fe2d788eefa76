"""mitogen. Over ssh it asks for ssh's compression; the variant `nozip` does not."""
import os
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import driver
import host_functions
import mitogen.core
import mitogen.master
import mitogen.service
import mitogen.utils
from driver import CASE, now


def connect(router):
    if CASE["over"] == "ssh":
        more = {"compression": False} if CASE["variant"] == "nozip" else {}
        return router.ssh(hostname=CASE["host"], ssh_args=["-F", CASE["config"]], check_host_keys="ignore",
                          connect_timeout=60, python_path=CASE["python"], **more)
    if CASE["over"] == "docker":
        return router.docker(container=CASE["container"], python_path=CASE["python"])
    return router.local(python_path=CASE["via"] + [CASE["python"]] if CASE["via"] else CASE["python"])


def start(router):
    seconds = []
    for _ in range(CASE["n"]):
        began = now()
        context = connect(router)
        assert context.call(host_functions.ping, 1) == 1
        seconds.append(now() - began)
        context.shutdown(wait=True)
    driver.starts(seconds)


def wire(router):
    began = now()
    context = connect(router)
    assert context.call(host_functions.ping, 1) == 1
    first = time.monotonic()
    seconds = now() - began
    context.shutdown(wait=True)
    driver.first_result(seconds, first)


def sequential(router):
    context = connect(router)
    seconds = []
    for i in range(-200, CASE["n"]):
        began = now()
        context.call(host_functions.ping, i)
        if i >= 0:
            seconds.append(now() - began)
    driver.latencies(seconds)


def pipelined(router):
    context = connect(router)
    there = context.call(host_functions.cpu)
    waiting = deque()
    here = driver.cpu()
    began = now()
    for i in range(CASE["n"]):
        if len(waiting) >= CASE["in_flight"]:
            waiting.popleft().get().unpickle()
        waiting.append(context.call_async(host_functions.ping, i))
    while waiting:
        waiting.popleft().get().unpickle()
    seconds = now() - began
    here = driver.cpu() - here
    driver.pipelined(CASE["n"], seconds, here, context.call(host_functions.cpu) - there)


def bulk(router):
    """The way that mitogen is fastest: a FileService, here in the child."""
    context = connect(router)
    context.call(host_functions.serve_file, CASE["file"])

    class Counter:
        count = 0

        def write(self, part):
            self.count += len(part)
    counter = Counter()
    began = now()
    for _ in range(CASE["n"]):
        fine, _ = mitogen.service.FileService.get(context, CASE["file"], counter)
        assert fine
    seconds = now() - began
    driver.bulk(counter.count, seconds, context.call(host_functions.peak))


def values(router, function):
    context = connect(router)
    context.call(host_functions.make, CASE["n"])
    began = now()
    found = context.call(function)
    driver.items(len(found), now() - began)


def records(router):
    values(router, host_functions.records)


def paths(router):
    values(router, host_functions.paths)


def sessions(router):
    used = driver.cpu()
    began = now()

    def one(i):
        context = connect(router)
        assert context.call(host_functions.ping, i) == i
        return context
    with ThreadPoolExecutor(32) as threads:
        held = list(threads.map(one, range(CASE["n"])))
    assert len(held) == CASE["n"]
    router.broker.shutdown()
    router.broker.join()
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    driver.sessions(now() - began, driver.cpu() - used)


globals()[CASE["case"]](mitogen.master.Router(mitogen.master.Broker()))
