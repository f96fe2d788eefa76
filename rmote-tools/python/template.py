"""Text from templates in the language of rmote 0.3, rendered on the host."""
from rmote import template as language
from rmote.template import SIZE, STEPS
from rmote.tools.fs import FileSystem
from rmote.values import Record

# How many compiled templates are kept, and how long such a one may be.
KEPT = 16
LENGTH = 1 << 18
_kept = {}


class Template:
    """Renders templates in the Mako-like language of rmote 0.3: Python in the text.

    `${expression}` becomes the text of a Python expression, `\\${` stays as `${`. A line that begins with `%` is a
    Python statement; `for`, `if`, `while`, `with`, `try`, `def` and `class` last until `% end`, `% endfor` and the
    like. `%%` is a line that begins with `%`, `##` a comment. All else stays as it is, byte for byte.

    `values` is a mapping from names. Where a method takes `**names`, values may also be given by name, as rmote 0.3
    has it; a name that is one of the method's parameters too has to stand in `values`.

    A template is a program that may do what the agent may. It ends with an error after `steps` runs of loops and
    calls of its own functions, with `size` characters of text, and before `+`, `*`, `**` or `<<` make a value beyond
    all measure. What Python does on its own in one step has no bound but the deadline of the call. Errors name the
    line and the column; with `secret` they say nothing that may be of the values.
    """

    @staticmethod
    def render(template, values=None, *, steps=STEPS, size=SIZE, secret=False, **names):
        """Renders a text."""
        return _render(language.Template, template, _merged(values, names), steps, size, secret)

    @staticmethod
    def render_file(path, values=None, *, steps=STEPS, size=SIZE, secret=False, **names):
        """Renders a file of the host, which is UTF-8 whatever the locale."""
        return _render_file(path, _merged(values, names), steps, size, secret)

    @staticmethod
    def compile(template):
        """Checks a template; what this returns is plain data, for `render_compiled` here and on other hosts."""
        return Record("CompiledTemplate", template=_compiled(template).template)

    @staticmethod
    def render_compiled(compiled, values=None, *, steps=STEPS, size=SIZE, secret=False, **names):
        """Renders what `compile` returned; the host keeps the code of the templates that it used last."""
        if isinstance(compiled, (language.Template, Record)):
            compiled = compiled.template
        else:
            raise TypeError("compile() makes what is rendered here, not %s" % type(compiled).__name__)
        return _render(_compiled, compiled, _merged(values, names), steps, size, secret)

    @staticmethod
    def write(
        path,
        template,
        values=None,
        *,
        mode=None,
        owner=None,
        group=None,
        backup=False,
        validate=None,
        check=False,
        secret=False,
        steps=STEPS,
        size=SIZE
    ):
        """Makes a file hold what a text renders to, as `FileSystem.write` does."""
        text = _render(language.Template, template, _merged(values), steps, size, secret)
        return FileSystem.write(
            path,
            text,
            mode=mode,
            owner=owner,
            group=group,
            backup=backup,
            validate=validate,
            check=check,
            secret=secret,
        )

    @staticmethod
    def write_file(
        path,
        source,
        values=None,
        *,
        mode=None,
        owner=None,
        group=None,
        backup=False,
        validate=None,
        check=False,
        secret=False,
        steps=STEPS,
        size=SIZE
    ):
        """Makes a file hold what another file of the host renders to, as `FileSystem.write` does."""
        text = _render_file(source, _merged(values), steps, size, secret)
        return FileSystem.write(
            path,
            text,
            mode=mode,
            owner=owner,
            group=group,
            backup=backup,
            validate=validate,
            check=check,
            secret=secret,
        )


def _merged(values, names=None):
    if values is None:
        values = {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise TypeError("values is a mapping from names, not %s" % type(values).__name__)
    return dict(values, **names or {})


def _compiled(template):
    found = _kept.pop(template, None) if isinstance(template, str) else None
    found = found or language.Template(template)
    if len(template) <= LENGTH:
        _kept[template] = found
    for oldest in list(_kept)[:-KEPT]:
        _kept.pop(oldest, None)
    return found


def _render(compiled, template, values, steps, size, secret):
    return compiled(template).fill(values, steps, size, secret)


def _render_file(path, values, steps, size, secret):
    try:
        return _render(language.Template, FileSystem.read_str(path), values, steps, size, secret)
    except language.TemplateError as e:
        e.name = path
        raise
