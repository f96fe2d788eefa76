"""Services of OpenRC, by way of rc-service and rc-update."""
from rmote.failure import Unsupported
from rmote.tools.manager import Manager, NoSuchService, ServiceError, State
from rmote.tools.program import check_name, need, output, run

NAME = "[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,254}"
# What a status answers with its exit code; those below 4 are what init scripts of any kind say.
ACTIVE = {
    0: "started", 1: "stopped", 2: "stopped", 3: "stopped", 4: "stopping", 8: "starting", 16: "inactive", 32: "crashed",
}
# A service is enabled there unless another runlevel has it already.
RUNLEVEL = "default"


class OpenRC(Manager):
    """The services of the whole system. `sub` is empty, and `file_state` has the runlevels of a service."""

    late = "was ended"

    def __init__(self, user=False, **options):
        Manager.__init__(self, **options)
        need("rc-service", "services are started with it")
        need("rc-update", "services are enabled with it")
        if user:
            raise Unsupported("systemd --user", "services of users are not known here under OpenRC")

    def look(self, name, known=False):
        check_name("a service", name, NAME)
        if run("rc-service", "--exists=" + name, ok=None).code != 0:
            raise NoSuchService("no such service: OpenRC has no init script %s" % name)
        code = run("rc-service", "--nocolor", "--", name, "status", ok=None).code
        state = State()
        state.id, state.load, state.active = name, "loaded", ACTIVE.get(code, "unknown (status %s)" % code)
        state.started, state.stopped = code == 0, state.active == "stopped"
        for line in output("rc-update", "show").split("\n"):
            service, _, levels = line.partition("|")
            if service.strip() == name:
                state.file_state = " ".join(levels.split())
        state.enabled = bool(state.file_state)
        return state

    def check_mask(self, state):
        raise Unsupported("systemd", "a service of OpenRC cannot be masked")

    def take(self, step, state):
        if step == "enable":
            words = "rc-update", "--", "add", state.id, RUNLEVEL
        elif step == "disable":
            words = ("rc-update", "--", "del", state.id) + tuple(state.file_state.split())
        else:
            words = "rc-service", "--nocolor", "--", state.id, step
        self.job(step, state, lambda: run(*words, timeout=self.timeout))
        if step in ("start", "restart", "reload"):
            now = self.look(state.id)
            if not now.started:
                raise ServiceError(self.explain("%s did not stay up after its %s" % (state.id, step), state.id))

    def explain(self, what, name):
        return "%s\nit is %s" % (what, self.look(name))

    def daemon_reload(self):
        # Scripts are read anew each time.
        return []
