"""The tool of rmote 0.7.5 that runs on the host."""
from rmote.protocol import Tool, inline


class Bench(Tool):
    @staticmethod
    def thread(x):
        return x

    @staticmethod
    async def coroutine(x):
        return x

    @staticmethod
    @inline
    def inline(x):
        return x

    @staticmethod
    def cpu():
        import time
        return time.process_time()

    @staticmethod
    def peak():
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])

    @staticmethod
    async def chunks(path, size):
        with open(path, "rb") as file:
            while True:
                part = file.read(size)
                if not part:
                    break
                yield part

    @staticmethod
    def make(n):
        Bench.RECORDS = [
            {
                "id": i,
                "name": "file-%06d.txt" % i,
                "path": "/srv/data/%03d/file-%06d.txt" % (i % 1000, i),
                "size": i * 37 % 1000003,
                "mtime": 1.7e9 + i / 8,
                "active": i % 3 == 0,
                "owner": None if i % 5 == 0 else "user%d" % (i % 50),
            }
            for i in range(n)
        ]
        Bench.PATHS = [record["path"] for record in Bench.RECORDS]

    @staticmethod
    def records():
        return Bench.RECORDS

    @staticmethod
    def paths():
        return Bench.PATHS
