"""What peers call on the host. mitogen sends this module there, rpyc executes its text."""
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


def make(n):
    """Makes what `records` and `paths` give, so that this is not measured."""
    global RECORDS, PATHS
    RECORDS = [
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
    PATHS = [record["path"] for record in RECORDS]


def records():
    return RECORDS


def paths():
    return PATHS


def serve_file(path, router=None):
    """Starts mitogen's FileService here, so that the controller can fetch from it."""
    import mitogen.service
    pool = mitogen.service.get_or_create_pool(router=router)
    service = mitogen.service.FileService(router)
    pool.add(service)
    service.register(path)


try:
    import mitogen.core
    serve_file = mitogen.core.takes_router(serve_file)
except ImportError:
    pass
