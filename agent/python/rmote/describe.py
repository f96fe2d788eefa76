"""Lists what modules define: tools with their methods, and functions."""
import inspect

from rmote.agent import agent
from rmote.values import Record


def describe(modules):
    described = []
    for module in modules:
        for name, item in vars(agent.sources.module(module)).items():
            if name.startswith("_") or getattr(item, "__module__", None) != module:
                continue
            if inspect.isfunction(item):
                methods = [method("", item, item)]
            elif inspect.isclass(item) and not issubclass(item, BaseException):
                methods = [method(name, getattr(item, name), raw) for name, raw in members(item).items()]
            else:
                continue
            if methods:
                fields = ("module", module), ("name", name), ("doc", first_line(item)), ("methods", methods)
                described.append(Record("Tool", fields))
    return described


def members(tool):
    """The public methods of a class, its bases' first, as they stand in the class body."""
    found = {}
    for base in reversed(tool.__mro__):
        for name, raw in vars(base).items():
            if not name.startswith("_") and (inspect.isfunction(raw) or isinstance(raw, (staticmethod, classmethod))):
                found[name] = getattr(raw, "__func__", raw)
    return found


def method(name, target, raw):
    signature = inspect.signature(target)
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].name == "self":
        del parameters[0]
        signature = signature.replace(parameters=parameters)
    kinds = [(parameter.name, parameter.kind.name) for parameter in parameters]
    return Record("Method", (("name", name), ("signature", str(signature)), ("doc", first_line(raw)), ("parameters", kinds)))


def first_line(item):
    # Not inspect.getdoc: a class without a text of its own would show its base's.
    return (getattr(item, "__doc__", None) or "").strip().partition("\n")[0]
