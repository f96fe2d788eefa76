"""More of what an agent does seldom: what can wait for the rest of the agent."""
from rmote.agent import CURRENT, PART, Cancelled, get_ident, sleep
from rmote.seldom import OUTPUT


class Further:
    def sole(self):
        calls = list(self.calls)
        return calls[0] if len(calls) == 1 else 0

    def current(self):
        call = CURRENT.get(get_ident()) or self.loop and self.loop.current()
        if not call or call.done:
            call = self.calls.get(self.sole(), self.session)
        return call

    def output(self, id, number, data):
        for at in range(0, len(data), PART):
            self.send(OUTPUT, number - 1, id, data[at:at + PART])
        self.wake()

    def flush_printed(self, call):
        with self.printing:
            for number, held in sorted(call.printed and call.printed.items()):
                if not number:
                    # Records of a log, each whole.
                    from rmote.logs import move
                    move(call, held)
                    continue
                data = bytes(held)
                del held[:len(data)]
                if data:
                    self.output(call.id, number, data)

    def nap(self, seconds):
        """What `time.sleep` is."""
        call = CURRENT.get(get_ident()) or self.loop and self.loop.current()
        if not call or not 0 < seconds < 1e6:
            sleep(seconds)
        elif call.bell().acquire(True, seconds):
            raise Cancelled
