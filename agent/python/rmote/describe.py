"""Lists the tools of modules: their methods, arguments and first doc line."""
import inspect


def describe(modules):
    from rmote.agent import agent
    from rmote.wire import Record
    described = []
    for name in modules:
        module = agent.sources.module(name)
        for tool_name, tool in vars(module).items():
            if inspect.isclass(tool) and tool.__module__ == name and not tool_name.startswith("_"):
                methods = [Record("Method", [("name", method), ("signature", signature(tool, method)), ("doc", first_line(raw))])
                           for method, raw in members(tool)]
                if methods and not issubclass(tool, BaseException):
                    described.append(Record("Tool", [("module", name), ("name", tool_name), ("doc", first_line(tool)), ("methods", methods)]))
            elif inspect.isfunction(tool) and tool.__module__ == name and not tool_name.startswith("_"):
                described.append(Record("Tool", [("module", name), ("name", tool_name), ("doc", first_line(tool)), (
                    "methods", [Record("Method", [("name", ""), ("signature", str(inspect.signature(tool))), ("doc", first_line(tool))])])]))
    return described


def members(tool):
    found = {}
    for base in reversed(tool.__mro__):
        for name, raw in vars(base).items():
            if not name.startswith("_") and isinstance(raw, (staticmethod, classmethod, type(members))) and base is not object:
                found[name] = getattr(raw, "__func__", raw)
    return found.items()


def signature(tool, method):
    text = inspect.signature(getattr(tool, method))
    parameters = list(text.parameters.values())
    if parameters and parameters[0].name == "self":
        text = text.replace(parameters=parameters[1:])
    return str(text)


def first_line(item):
    # Not inspect.getdoc: a class without a text of its own would show its base's.
    text = getattr(item, "__doc__", None)
    return text.strip().split("\n")[0] if text else ""
