"""Services of the host, whatever manages them."""
import os

from rmote.failure import Unsupported
from rmote.tools.openrc import OpenRC
from rmote.tools.systemd import Systemd
from rmote.values import Record


def _manager(user, **options):
    if os.path.isdir("/run/systemd/system"):
        return Systemd(user, **options)
    if os.path.exists("/run/openrc/softlevel"):
        return OpenRC(user, **options)
    why = "it does not run (there is no /run/systemd/system), and neither does OpenRC (no /run/openrc/softlevel)"
    raise Unsupported("systemd", why)


class Service:
    """Starts, stops and enables services, of systemd in full and of OpenRC in part.

    Each method returns a `ServiceStatus`: whether the service is started, enabled and masked, whether the call changed
    that, and what the manager says in its own words. A name without a type is a service: `nginx`, `getty@tty1`,
    `backup.timer`. One that the host does not have is an error (`NoSuchService`), so is one that does not become what
    was asked for (`ServiceError`, with the last lines of its log). `check` changes nothing and answers as it would be;
    `user` means the units of the user who the agent runs as; `timeout` is how many seconds each of the manager's jobs
    may take before the call gives up (`ServiceTimedOut`); with systemd the job goes on. Changed unit files are
    reloaded before they are used. `settle` is how many seconds the main process must live after a start, a restart or
    a reload, for those units whose start does not tell whether it succeeded.

    Under OpenRC there are no masks, no users' services and no `settle`: its own status is believed, right after the
    start. Debian's OpenRC 0.45 was tried; its `supervise-daemon`, crashed services and Alpine were not.
    """

    @staticmethod
    def status(name, *, user=False):
        """Tells how a service is."""
        return _manager(user).status(name)

    @staticmethod
    def start(name, *, check=False, user=False, settle=1.0, timeout=None):
        """Makes sure that a service is started. One that does its work and ends (oneshot) runs each time."""
        return _manager(user, check=check, settle=settle, timeout=timeout).converge(name, started=True)

    @staticmethod
    def stop(name, *, check=False, user=False, timeout=None):
        """Makes sure that a service is stopped, also one that is just starting."""
        return _manager(user, check=check, timeout=timeout).converge(name, started=False)

    @staticmethod
    def restart(name, *, check=False, user=False, settle=1.0, timeout=None):
        """Restarts a service, or starts it; always a change."""
        return _manager(user, check=check, settle=settle, timeout=timeout).act(name, "restart")

    @staticmethod
    def reload(name, *, check=False, user=False, settle=1.0, timeout=None):
        """Has a started service read its configuration again; always a change."""
        return _manager(user, check=check, settle=settle, timeout=timeout).act(name, "reload")

    @staticmethod
    def enable(name, *, now=False, check=False, user=False, settle=1.0, timeout=None):
        """Makes sure that a service starts at boot, and with `now` that it is started.

        That only lasts until the next boot is not enough. A unit that cannot be enabled (static, generated, transient,
        masked) is an error. Of one that stands for others (indirect) those are meant. Under OpenRC a service that is in
        no runlevel comes into `default`.
        """
        manager = _manager(user, check=check, settle=settle, timeout=timeout)
        return manager.converge(name, started=now or None, enabled=True)

    @staticmethod
    def disable(name, *, now=False, check=False, user=False, timeout=None):
        """Makes sure that a service does not start at boot by itself, and with `now` that it is stopped.

        A static one is disabled as it is. Under OpenRC it leaves all runlevels.
        """
        manager = _manager(user, check=check, timeout=timeout)
        return manager.converge(name, started=False if now else None, enabled=False)

    @staticmethod
    def mask(name, *, now=False, check=False, user=False, timeout=None):
        """Makes sure that nothing can start a unit, and with `now` that it is stopped."""
        manager = _manager(user, check=check, timeout=timeout)
        return manager.converge(name, started=False if now else None, masked=True)

    @staticmethod
    def unmask(name, *, check=False, user=False, timeout=None):
        """Makes sure that a unit is not masked. What it masked may not exist: `load` says so."""
        return _manager(user, check=check, timeout=timeout).converge(name, masked=False)

    @staticmethod
    def daemon_reload(*, check=False, user=False, timeout=None):
        """Has systemd read all unit files again; a change if some of those that it had loaded are different.

        Returns a `DaemonReload` with `changed` and those `units`. Nothing to do under OpenRC.
        """
        units = _manager(user, check=check, timeout=timeout).daemon_reload()
        return Record("DaemonReload", changed=bool(units), units=units)

    @staticmethod
    def converge(
        name, *, started=None, enabled=None, masked=None, check=False, user=False, settle=1.0, timeout=None
    ):
        """Makes a service what is given, and leaves the rest as it is.

        In this order: unmask, enable or disable, start or stop, mask. An error tells which of them were done before.
        """
        manager = _manager(user, check=check, settle=settle, timeout=timeout)
        return manager.converge(name, started, enabled, masked)
