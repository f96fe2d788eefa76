"""Facts beside a file system whose server holds every question and answers none."""
import ctypes
import os
import threading
import unittest

from bootstrap import load

findings = load("findings")
F = load("facts").Facts
LIBC = ctypes.CDLL(None, use_errno=True)


class DeadMount(unittest.TestCase):
    def mount(self, path):
        os.makedirs(path, exist_ok=True)
        server = os.open("/dev/fuse", os.O_RDWR)
        options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % server
        self.assertEqual(LIBC.mount(b"dead", path.encode(), b"fuse", 0, options), 0, os.strerror(ctypes.get_errno()))
        self.addCleanup(LIBC.umount2, path.encode(), 2)
        return server

    def test_it_is_told_and_nothing_else_is_missing(self):
        servers = [self.mount("/mnt/%d" % number) for number in range(3)]
        before = threading.active_count()
        for _ in range(4):
            section = F.storage(timeout=0.1)
            mounts = {mount.path: mount for mount in section.mounts}
            for number in range(3):
                dead = mounts["/mnt/%d" % number]
                self.assertEqual((dead.type, dead.size), ("fuse", None))
                self.assertIn("did not tell its size", dead.error)
            self.assertGreater(mounts["/"].size, 0)
            self.assertIsNone(mounts["/"].error)
            # Who waits already is not joined by others.
            self.assertEqual(threading.active_count(), before + 3)
        threads = list(findings.stuck.values())
        for server in servers:
            os.close(server)
        for thread in threads:
            thread.join()
        mounts = {mount.path: mount for mount in F.storage().mounts}
        self.assertIn("not connected", mounts["/mnt/0"].error)
        self.assertEqual(findings.stuck, {})

    def test_a_folder_of_programs_on_it_makes_engines_unknown_and_hangs_nothing(self):
        folders = findings.FOLDERS
        self.addCleanup(setattr, findings, "FOLDERS", folders)
        findings.FOLDERS = ("/mnt/bin",)
        server = self.mount("/mnt/bin")
        for _ in range(2):
            section = F.containers(timeout=0.1)
            self.assertEqual((section.engines, section.inside, section.kind), (None, True, "docker"))
        thread, = findings.stuck.values()
        os.close(server)
        thread.join()
        findings.FOLDERS = folders
        self.assertEqual(F.containers().engines, [])


if __name__ == "__main__":
    unittest.main()
