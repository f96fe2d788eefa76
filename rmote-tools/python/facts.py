"""What is known of the host."""
from rmote.values import Record

SECTIONS = (
    "system", "python", "cpu", "memory", "network", "storage", "packages", "service_manager", "users", "containers"
)
TIMEOUT = 3.0


class Facts:
    """Tells what the host is, by sections.

    Each section is a record. What is not known is None and never guessed; `available` says whether anything is known
    at all, so that it can be told from what is empty; `error` is the text of what went wrong, while the rest is there.
    No section fails or hangs because of another. Most of it is read from files, and nothing is changed. An ordinary user
    sees nearly all of it. A host without /proc has less. Systems with musl or apk, RPM on another host than
    Debian, and macOS could not be tried.
    """

    @staticmethod
    def gather(*sections, raw=False, timeout=TIMEOUT):
        """Tells several sections at once, by default all of them; a section that was not asked for is None.

        `raw` and `timeout` are those of the sections' own methods. An unknown section is a ValueError.
        """
        wrong = [repr(name) for name in sections if name not in SECTIONS]
        if wrong:
            raise ValueError("no such section: %s; there are %s" % (", ".join(wrong), ", ".join(SECTIONS)))
        _check(timeout)
        options = {"packages": {"raw": raw}, "storage": {"timeout": timeout}, "service_manager": {"timeout": timeout}}
        options["containers"] = options["storage"]
        facts = Record("HostFacts")
        for name in SECTIONS:
            wanted = not sections or name in sections
            facts[name] = _told(name, options.get(name, {})) if wanted else None
        return facts

    @staticmethod
    def system():
        """Tells the kernel, the distribution, names, times, and what the host runs on."""
        from rmote.tools.facts_system import system

        return system()

    @staticmethod
    def python():
        """Tells which Python the agent runs in."""
        from rmote.tools.facts_system import python

        return python()

    @staticmethod
    def cpu():
        """Tells the processors and their load."""
        from rmote.tools.facts_hardware import cpu

        return cpu()

    @staticmethod
    def memory():
        """Tells memory and swap space, in bytes."""
        from rmote.tools.facts_hardware import memory

        return memory()

    @staticmethod
    def network():
        """Tells interfaces with their addresses, routes and name servers."""
        from rmote.tools.facts_network import network

        return network()

    @staticmethod
    def storage(*, timeout=TIMEOUT):
        """Tells mounts with their sizes, and block devices.

        File systems of the kernel's own (proc, sysfs and such) are left out. A mount that does not tell its size within
        `timeout` seconds, such as one whose server is gone, has an `error`.
        """
        from rmote.tools.facts_storage import storage

        _check(timeout)
        return storage(timeout)

    @staticmethod
    def packages(*, raw=False):
        """Tells which package manager the host has and how many packages are installed; with `raw` all of them."""
        from rmote.tools.facts_packages import packages

        return packages(raw)

    @staticmethod
    def service_manager(*, timeout=TIMEOUT):
        """Tells what manages services: `systemd`, `openrc` or `none`. systemd gets `timeout` seconds to tell its state."""
        from rmote.tools.facts_services import service_manager

        _check(timeout)
        return service_manager(timeout)

    @staticmethod
    def users():
        """Tells the accounts and groups of the host's own files, and who is logged in."""
        from rmote.tools.facts_users import users

        return users()

    @staticmethod
    def containers(*, timeout=TIMEOUT):
        """Tells whether this is a container, and which engines there are. No engine is asked.

        Programs that cannot be looked for within `timeout` seconds, since their folder is on a dead mount, are unknown.
        """
        from rmote.tools.facts_containers import containers

        _check(timeout)
        return containers(timeout)


def _told(name, options):
    try:
        return getattr(Facts, name)(**options)
    except Exception as e:
        # Sections tell their errors themselves, unless their modules cannot be imported.
        return Record("UnknownFacts", available=False, error="%s: %s" % (type(e).__name__, e))


def _check(timeout):
    if not timeout > 0:
        raise ValueError("the timeout is more than 0 seconds, not %r" % (timeout,))
