"""rpyc, on this machine alone: there it is no peer that needs nothing installed, but its calls are quick.

Over ssh it copies itself to the host's disk first, which takes a second and more, and every message above 3,000 bytes is
compressed: its starts and its bulk reads are left out.
"""
import os
import sys
from collections import deque

import driver
import rpyc
import rpyc.utils.classic
from driver import CASE, now

HERE = os.path.dirname(os.path.abspath(__file__))


def connect():
    connection = rpyc.utils.classic.connect_subproc(os.path.join(sys.prefix, "bin", "rpyc_classic"))
    with open(os.path.join(HERE, "host_functions.py")) as source:
        connection.execute(source.read())
    return connection


def sequential():
    ping = connect().namespace["ping"]
    seconds = []
    for i in range(-200, CASE["n"]):
        began = now()
        ping(i)
        if i >= 0:
            seconds.append(now() - began)
    driver.latencies(seconds)


def pipelined():
    connection = connect()
    ping = rpyc.async_(connection.namespace["ping"])
    waiting = deque()
    there = connection.namespace["cpu"]()
    here = driver.cpu()
    began = now()
    for i in range(CASE["n"]):
        if len(waiting) >= CASE["in_flight"]:
            waiting.popleft().value
        waiting.append(ping(i))
    while waiting:
        waiting.popleft().value
    seconds = now() - began
    here = driver.cpu() - here
    driver.pipelined(CASE["n"], seconds, here, connection.namespace["cpu"]() - there)


globals()[CASE["case"]]()
