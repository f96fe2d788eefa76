"""Records of the host's log, as they come to the controller."""
from rmote import logs

LEVELS = {"NOTSET": 0, "DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}


class Logger:
    """Logs on the host, and says from which level on records are sent."""

    @staticmethod
    def set_level(level):
        """Sets the level from which on records are sent in this session, and returns what it was.

        It is a number or one of NOTSET, DEBUG, INFO, WARNING, ERROR and CRITICAL, in any case. Records below it are
        neither formatted nor sent. From DEBUG on, commands that calls start and their ends are records, too.
        """
        return logs.set_level(_number(level))

    @staticmethod
    def set_log_level(level):
        """Does what `set_level` does, under the name that rmote 0.3 gave it."""
        return logs.set_level(_number(level))

    @staticmethod
    def log(level, message, *args, name="rmote"):
        """Logs a message, into which `args` are put as Python's `logging` does, under the logger `name`."""
        number = _number(level)
        import logging

        logging.getLogger(name).log(number, message, *args)


def _number(level):
    if isinstance(level, str):
        try:
            level = int(level) if level.isdigit() else LEVELS[level.upper()]
        except KeyError:
            raise ValueError("level %r is none of %s" % (level, ", ".join(LEVELS))) from None
    if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level <= 1000:
        raise ValueError("a level is a name or a number from 0 to 1000, not %r" % (level,))
    return level
