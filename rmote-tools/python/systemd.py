"""Units of systemd, by way of systemctl."""
import os

from rmote.failure import Unsupported
from rmote.tools.manager import Manager, NoSuchService, ServiceError, State
from rmote.tools.program import check_name, find, need, run

NAME = "(?!-)[A-Za-z0-9:_.@\\\\-]{1,255}|-\\.(mount|slice)"
TYPES = "automount", "device", "mount", "path", "scope", "service", "slice", "socket", "swap", "target", "timer"
ASKED = (
    "Id,LoadState,ActiveState,SubState,Result,UnitFileState,NeedDaemonReload,Type,MainPID,NRestarts,"
    "CanReload,FragmentPath"
)
# Types of services whose start is done before they have had a chance to fail.
HASTY = "simple", "exec", "idle"
FIXED = {
    "": "it has no unit file",
    "alias": "it is another unit's alias",
    "bad": "its unit file is bad",
    "generated": "a generator made it, from something else than a unit file",
    "static": "it is static, its unit file has no [Install] section",
    "transient": "it is transient, made at run time without a unit file",
}
LINES = 10


class Systemd(Manager):
    """The system's manager, or with `user` that of the user who the agent runs as."""

    def __init__(self, user=False, **options):
        Manager.__init__(self, **options)
        self.scope, self.env, self.folder = [], {}, "/etc/systemd/system"
        need("systemctl", "units are started with it")
        if user:
            runtime = os.environ.get("XDG_RUNTIME_DIR") or "/run/user/%d" % os.getuid()
            if not os.path.exists(runtime + "/systemd/private"):
                why = "no manager runs for user number %d (no %s/systemd/private); `loginctl enable-linger` starts one"
                raise Unsupported("systemd --user", why % (os.getuid(), runtime))
            self.scope, self.env = ["--user"], {"XDG_RUNTIME_DIR": runtime}
            self.folder = (os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")) + "/systemd/user"

    def look(self, name, known=False):
        check_name("a unit", name, NAME)
        unit = name if name.rpartition(".")[2] in TYPES and "." in name else name + ".service"
        if unit.rpartition(".")[0][-1:] == "@":
            raise ValueError("a unit %r is refused: a template needs an instance, as in getty@tty1" % name)
        state = self.parse(self.ask(ASKED, unit)[0])
        if state.load == "not-found" and state.active == "inactive" and not known:
            raise NoSuchService("no such service: systemd has no unit %s" % unit)
        word = state.file_state
        # What was made of an init script says nothing itself, and of a changed file the manager has the old one.
        if word == "generated" or state.stale:
            words = self.systemctl("is-enabled", "--", state.id, ok=None).stdout.decode().split()
            word = words[-1] if words else word
            if state.file_state != "generated":
                state.file_state = word
        state.masked = word.startswith("masked") or not word and state.load == "masked"
        state.enabled = word in ("enabled", "enabled-runtime")
        state.partly = word == "enabled-runtime"
        state.fixed = "" if state.masked else FIXED.get(word, "")
        if word == "generated":
            state.enabled = None
        elif word == "indirect":
            units = self.also(state.fragment)
            words = [self.parse(values).file_state for values in self.ask("UnitFileState", *units)] if units else []
            can = [word for word in words if word == "disabled" or word.startswith("enabled")]
            state.enabled = bool(can) and "disabled" not in can
            state.partly = len(set(can)) > 1
        return state

    def ask(self, properties, *units):
        """What systemd knows of units, as one map each."""
        done = self.systemctl("show", "--property", properties, "--", *units)
        text = done.stdout.decode("utf-8", "surrogateescape").strip("\n")
        if not text:
            # It answers so in a chroot, and calls it a success.
            why = done.stderr.decode("utf-8", "backslashreplace").strip()
            raise Unsupported("systemd", "systemctl does not ask it (%s)" % why)
        return [dict(line.partition("=")[::2] for line in part.split("\n")) for part in text.split("\n\n")]

    @staticmethod
    def parse(values):
        state = State()
        for field, name in (
            ("id", "Id"), ("load", "LoadState"), ("active", "ActiveState"), ("sub", "SubState"), ("type", "Type"),
            ("file_state", "UnitFileState"), ("fragment", "FragmentPath"), ("pid", "MainPID"), ("ended", "Result"),
            ("restarts", "NRestarts"),
        ):
            setattr(state, field, values.get(name, ""))
        state.started = state.active in ("active", "reloading", "refreshing")
        state.stopped = state.active in ("inactive", "failed", "maintenance")
        state.stale = values.get("NeedDaemonReload") == "yes"
        state.can_reload = values.get("CanReload") == "yes"
        return state

    @staticmethod
    def also(path):
        """The other units that are enabled with one."""
        section, units = "", []
        with open(path, errors="surrogateescape") as file:
            for line in file.read().replace("\\\n", " ").split("\n"):
                name, _, value = line.strip().partition("=")
                if name[:1] == "[":
                    section = name
                elif section == "[Install]" and name.rstrip() == "Also":
                    # An empty one takes back those before.
                    units = units + value.split() if value.strip() else []
        return [unit for unit in units if "%" not in unit and "@." not in unit]

    def disabling(self, state):
        return "disable --runtime" if state.file_state == "enabled-runtime" else "disable"

    def check_mask(self, state):
        path = os.path.join(self.folder, state.id)
        if os.path.lexists(path):
            raise ServiceError("%s cannot be masked: %s is where its mask would be" % (state.id, path))

    def plan_act(self, state, verb):
        if verb == "reload" and state.started and not state.can_reload and not state.stale:
            raise ServiceError("%s cannot reload: its unit has no ExecReload" % state.id)
        return Manager.plan_act(self, state, verb)

    def take(self, step, state):
        from time import time

        since = time()
        verb, *options = step.split()
        if state.stale and verb in ("start", "restart", "reload", "enable"):
            self.job("daemon-reload", state, since)
        self.job(verb, state, since, *options)
        if verb in ("start", "restart", "reload"):
            self.verify(verb, state.id, since)
        elif verb == "unmask" and self.look(state.id, known=True).masked:
            self.job(verb, state, since, "--runtime")

    def verify(self, verb, unit, since):
        """Raises unless a unit is up, and stays so for a moment where its start tells nothing."""
        state = self.look(unit, known=True)
        up = state.started and (verb == "reload" or state.restarts in ("", "0"))
        if up and (verb == "reload" or state.type in HASTY) and state.pid not in ("", "0") and self.settle:
            before = state.restarts or state.pid
            _wait(int(state.pid), self.settle)
            state = self.look(unit, known=True)
            up = state.started and (state.restarts or state.pid) == before
        # One that does its work and ends has none to show afterwards.
        if not up and not (state.type == "oneshot" and state.active == "inactive" and state.ended == "success"):
            raise ServiceError(self.explain("%s did not stay up after its %s" % (unit, verb), unit, since))

    def job(self, verb, state, since, *options):
        names = () if verb == "daemon-reload" else ("--", state.id)
        Manager.job(self, verb, state, lambda: self.systemctl(verb, *options + names, timeout=self.timeout), since)

    def systemctl(self, verb, *words, **options):
        return run("systemctl", "--no-ask-password", "--no-pager", *self.scope, verb, *words, env=self.env, **options)

    def explain(self, what, unit, since):
        """A text with the state of a unit and the last lines of its log."""
        state = self.look(unit, known=True)
        text = "%s\nit is %s" % (what, state)
        if state.ended not in ("", "success"):
            text += ", result " + state.ended
        log = b""
        if find("journalctl"):
            # What the unit printed last may be on its way still.
            run("journalctl", "--sync", ok=None, timeout=5)
            words = "--since=@%.6f" % since, "--lines=%d" % LINES, "--output=cat", "--quiet", "--no-pager"
            log = run("journalctl", "--user-unit" if self.scope else "--unit", unit, *words, ok=None).stdout
        if not log.strip():
            log = self.systemctl("status", "--full", "--lines=%d" % LINES, "--", unit, ok=None).stdout
        return text + "\n" + log.decode("utf-8", "backslashreplace").rstrip()

    def daemon_reload(self):
        known = self.ask("Id,NeedDaemonReload", "*")
        if not self.check:
            self.job("daemon-reload", None, None)
        return sorted(values["Id"] for values in known if values.get("NeedDaemonReload") == "yes")


def _wait(pid, seconds):
    """Waits until a process ends, but no longer than that."""
    import select
    import time

    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        # Python is older than 3.9, or Linux than 5.3.
        end = time.monotonic() + seconds
        while os.path.exists("/proc/%d" % pid) and time.monotonic() < end:
            time.sleep(0.02)
        return
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.poll(seconds * 1000)
    finally:
        os.close(fd)
