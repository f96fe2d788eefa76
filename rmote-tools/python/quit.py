"""The end of the agent, at a call's wish."""
import os

import rmote.agent
from rmote.agent import BYE, RETURN, sleep
from rmote.wire import encode


class Quit:
    """Ends the agent."""

    @staticmethod
    def exit(code=0):
        """Answers, and then ends the agent with an exit code from 0 to 255, in order: what its calls have started ends with it."""
        if not isinstance(code, int) or not 0 <= code <= 255:
            raise ValueError("an exit code is a number from 0 to 255, not %r" % (code,))
        agent = rmote.agent.agent
        agent.answer(RETURN, agent.current(), encode(None))
        while not agent.ending.acquire(False):
            # It ends already.
            sleep(60)
        try:
            # At its good-bye the controller closes the link, at which the agent would end by itself.
            agent.send(BYE, 0, 0, b"")
            agent.flush()
            agent.clean_up(None)
        finally:
            os._exit(code)
