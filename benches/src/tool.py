"""What the comparison calls through rmote."""
import time


def ping(x):
    return x


def cpu():
    return time.process_time()


def peak():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])


def size(stream):
    return sum(map(len, stream))


def chunks(path, size):
    with open(path, "rb", 0) as file:
        while True:
            part = file.read(size)
            if not part:
                break
            yield part
