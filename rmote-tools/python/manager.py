"""What all managers of services have in common: to look, find the next step, take it, and look again."""
from rmote.tools.exec import CommandFailed, CommandTimedOut
from rmote.values import Record

# Steps that have looked themselves whether they did what they should.
VERIFIED = "start", "restart", "reload"


class ServiceError(RuntimeError):
    """A service that is not as it was wanted; the text says how it is, and has the last lines of its log."""


class NoSuchService(ServiceError, LookupError):
    """A service that the host does not have."""


class ServiceTimedOut(ServiceError, TimeoutError):
    """A job of a service that takes too long; that of systemd goes on, that of OpenRC was ended."""


class State:
    """How a service is: `started`, `stopped` (neither while it changes), `enabled`, `masked`, and its manager's words.

    `partly` is for what is enabled in part only: until the next boot, or some of several. `enabled` is None where
    nobody can say, and `fixed` says why it cannot be enabled or disabled. `stale` is for a unit whose files changed.
    """

    started = stopped = enabled = masked = partly = stale = False
    fixed = id = load = active = sub = file_state = ""

    def __str__(self):
        words = [self.active + (" (%s)" % self.sub if self.sub not in ("", self.active) else "")]
        return ", ".join(words + [word for word in (self.load, self.file_state) if word not in ("", "loaded")])


class Manager:
    """The base of all managers: they have `look`, which makes a `State`, `take` and `explain`."""

    late = "goes on"  # what becomes of a job that takes too long

    def __init__(self, check=False, settle=0, timeout=None):
        if settle < 0 or timeout is not None and timeout <= 0:
            raise ValueError("settle is at least 0 seconds, timeout more: not %r, %r" % (settle, timeout))
        self.check, self.settle, self.timeout = check, settle, timeout

    def result(self, name, state, changed=False, started=None, enabled=None, masked=None):
        """A `ServiceStatus`; what is given stands for what would be."""

        def either(wanted, is_so):
            return bool(is_so) if wanted is None else wanted

        return Record(
            "ServiceStatus",
            name=name,
            started=either(started, state.started),
            enabled=either(enabled, state.enabled),
            masked=either(masked, state.masked),
            changed=changed,
            load=state.load,
            active=state.active,
            sub=state.sub,
            file_state=state.file_state,
        )

    def status(self, name):
        return self.result(name, self.look(name))

    def converge(self, name, started=None, enabled=None, masked=None):
        """Takes one step after the other until the service is as wanted."""
        for wanted in (started, enabled, masked):
            if wanted not in (None, True, False):
                raise TypeError("what is wanted is True, False or None, not %r" % (wanted,))
        if masked and (started or enabled):
            raise ValueError("a masked service can be neither started nor enabled")
        return self._steps(name, lambda state: self.plan(state, started, enabled, masked), started, enabled, masked)

    def act(self, name, verb):
        """Restarts or reloads."""
        return self._steps(name, lambda state: self.plan_act(state, verb), True)

    def plan(self, state, started, enabled, masked):
        """The steps from a state to what is wanted; raises where no steps lead there."""
        steps = []
        if state.masked and masked is False:
            steps.append("unmask")
        if enabled and (not state.enabled or state.partly):
            steps.append("enable")
        elif enabled is False and (state.enabled is not False or state.partly):
            steps.append(self.disabling(state))
        if state.fixed and steps:
            raise ServiceError("%s cannot be %sd: %s" % (state.id, steps[-1], state.fixed))
        if started and not state.started:
            steps.append("start")
        elif started is False and not state.stopped:
            steps.append("stop")
        if state.masked and masked is None and ("start" in steps or "enable" in steps):
            raise ServiceError("%s is masked, so it can be neither started nor enabled" % state.id)
        if masked and not state.masked:
            self.check_mask(state)
            steps.append("mask")
        return steps

    def plan_act(self, state, verb):
        if state.masked:
            raise ServiceError("%s is masked, so it cannot %s" % (state.id, verb))
        if verb == "reload" and not state.started:
            raise ServiceError("%s cannot reload: it is %s" % (state.id, state))
        return [verb]

    def disabling(self, state):
        """The step that disables."""
        return "disable"

    def check_mask(self, state):
        """Refuses what cannot be masked."""

    def _steps(self, name, plan, *wanted):
        state = self.look(name)
        steps = plan(state)
        if self.check:
            return self.result(name, state, bool(steps), *wanted)
        done = []
        try:
            # A step may show that others are needed: what a mask hid, say. None is taken twice.
            while [step for step in steps if step not in done]:
                step = [step for step in steps if step not in done][0]
                self.take(step, state)
                done.append(step)
                state = self.look(name, known=True)
                steps = plan(state)
            if [step for step in steps if step not in VERIFIED]:
                raise ServiceError("%s did not become as wanted: it is %s" % (state.id, state))
        except ServiceError as e:
            if done:
                e.args = ("%s\n(done before: %s)" % (e.args[0], ", ".join(done)),)
            raise
        return self.result(name, state, bool(done))

    def job(self, verb, state, command, *about):
        """Runs what changes a service; its errors become ones that say how the service is."""
        unit = state.id if state else "the manager"
        try:
            return command()
        except CommandTimedOut:
            now = ": it is %s" % self.look(unit, known=True) if state else ""
            text = "%s: %s is not done after %g s, and %s%s"
            raise ServiceTimedOut(text % (unit, verb, self.timeout, self.late, now)) from None
        except CommandFailed as e:
            raise ServiceError(self.explain(str(e), unit, *about) if state else str(e)) from None
