"""Templates of the older rmote: `${expression}` in the text, `% statement` on lines of their own."""
import ast

from rmote.steps import Spent, Steps, counted

OPEN = frozenset(("for", "if", "while", "with", "try", "def", "class"))
MORE = frozenset(("else", "elif", "except", "finally"))
FILE = "<template>"
STEPS = 1000000
SIZE = 1 << 24
# What writes a part of the text; no source can spell it.
PUT = ".put"
# How many closing braces may be tried as the end of one expression.
BRACES = 200
# How long an expression or a statement may be: what is nested deeper than some 50,000 levels ends Python 3.9 and older.
LONGEST = 20000
BAD = SyntaxError, ValueError, MemoryError, RecursionError


class TemplateError(ValueError):
    """A template that cannot be compiled or rendered, with the line and column of the culprit, from 1."""

    # The file that the template was read from.
    name = None

    def __init__(self, message, line, column):
        ValueError.__init__(self, message, line, column)
        self.message, self.line, self.column = message, line, column

    def __str__(self):
        start = "%s: " % self.name if self.name else ""
        return "%sline %d, column %d: %s" % (start, self.line, self.column, self.message)


class Template:
    r"""A template, compiled once and rendered with any number of values.

    `${expr}` becomes the text of the Python expression and `\${` stays as `${`. A line that begins with `%` is
    a Python statement; `for`, `if`, `while`, `with`, `try`, `def` and `class` last until `% end`, `% endfor` and
    the like, or a bare `%`. `%%` is a line that begins with `%`, `##` a comment. Line ends stay as they are.
    """

    def __init__(self, template):
        self.template = template
        self._code, self._places = _translate(template)

    def render(*args, **values):
        """Renders the text with the values given as a mapping, by keyword, or both."""
        # `self` may be the name of a value too.
        return args[0].fill(dict(*args[1:], **values))

    def fill(self, values, steps=STEPS, size=SIZE, secret=False):
        """Renders the text in at most so many steps (see `rmote.steps`) and characters.

        `secret` keeps out of errors what may be of the values: all but names that are missing.
        """
        work = Steps(steps, size)
        parts = []
        room = size

        def put(value):
            nonlocal room
            text = str(value)
            room -= len(text)
            if room < 0:
                work.over("more than %d characters of text" % size)
            parts.append(text)

        names = dict(work.names)
        names.update(values)
        names.update(work.hidden)
        names[PUT] = put
        try:
            exec(self._code, names)
            error = work.spent
        except (Exception, Spent) as e:
            # A limit is one also where the template caught it and failed on its own.
            error = work.spent or e
        if not error:
            return "".join(parts)
        line, column = self._place(error.__traceback__, names)
        if error is work.spent:
            raise TemplateError(str(error), line, column)
        if secret and not isinstance(error, NameError):
            raise TemplateError("%s (the rest is hidden)" % type(error).__name__, line, column)
        raise TemplateError("%s: %s" % (type(error).__name__, error), line, column) from (None if secret else error)

    def _place(self, trace, names):
        place = (1, 1)
        while trace:
            if trace.tb_frame.f_code.co_filename == FILE and trace.tb_frame.f_globals is names:
                place = self._places[trace.tb_lineno - 1]
            trace = trace.tb_next
        return place

    def __repr__(self):
        return "Template(%r)" % self.template[:40]


def render_template(template, **values):
    """Compiles and renders a template in one step."""
    return Template(template).render(values)


def _translate(text):
    """The code of a template, and the line and column behind each line of that code."""
    if not isinstance(text, str):
        raise TypeError("a template is text, not %s" % type(text).__name__)
    source, places, blocks, puts = [], [], [], {}

    def emit(code, column):
        source.append(" " * len(blocks) + code)
        places.append((number, column))

    def close(word, column):
        if not blocks:
            raise TemplateError("%s without a block" % word, number, column)
        name, line, _ = blocks.pop()
        if word not in ("%", "end", "end" + name):
            raise TemplateError("%s ends the %s of line %d" % (word, name, line), number, column)

    # Not splitlines: form feeds and the like are text.
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        column = len(line) - len(line.lstrip()) + 1
        if stripped.startswith("##"):
            continue
        if stripped.startswith("%") and not stripped.startswith("%%"):
            code = stripped[1:].strip()
            if len(code) > LONGEST:
                raise TemplateError("a statement of more than %d characters" % LONGEST, number, column)
            word = _word(code)
            if "\r" in code:
                raise TemplateError("a carriage return in a statement", number, column)
            if not code or word.startswith("end") and (word == "end" or word[3:] in OPEN):
                close(word or "%", column)
            elif word in OPEN or word in MORE:
                if word in MORE:
                    if not blocks:
                        raise TemplateError("%s without a block" % word, number, column)
                    block = blocks.pop()
                else:
                    block = (word, number, column)
                emit(code if code.endswith(":") else code + ":", column)
                blocks.append(block)
                # A block may hold nothing but comments.
                emit("pass", column)
            else:
                emit(code, column)
            continue
        if stripped.startswith("%%"):
            line = line.replace("%%", "%", 1)
        if number < len(lines):
            line += "\n"
        for part, at in _pieces(line, number):
            emit("pass", at + 1)
            puts[len(source)] = part
    if blocks:
        name, line, column = blocks[-1]
        raise TemplateError("%s has no end" % name, line, column)
    try:
        tree = _Puts(puts).visit(ast.parse("\n".join(source) + "\n", FILE))
        if puts:
            raise TemplateError("this is inside of a statement that has no end", *places[min(puts) - 1])
        return compile(counted(tree), FILE, "exec"), places
    except TemplateError:
        raise
    except BAD as error:
        line = min(getattr(error, "lineno", None) or 1, len(places))
        message = getattr(error, "msg", None) or str(error) or type(error).__name__
        raise TemplateError(message, *(places[line - 1] if places else (1, 1))) from None


class _Puts(ast.NodeTransformer):
    """Puts the parts of the text where the code has a `pass` for each."""

    def __init__(self, puts):
        self.puts = puts

    def visit_Pass(self, node):
        part = self.puts.pop(node.lineno, None)
        if part is None:
            return node
        for inner in ast.walk(part):
            # It was a source of its own.
            for field in ("lineno", "end_lineno"):
                if hasattr(inner, field):
                    setattr(inner, field, node.lineno)
        put = ast.Call(ast.Name(PUT, ast.Load()), [part], [])
        return ast.copy_location(ast.Expr(put), node)


def _word(code):
    end = 0
    while end < len(code) and (code[end].isalnum() or code[end] == "_"):
        end += 1
    return code[:end]


def _pieces(line, number):
    """Cuts a line into texts and expressions, each as a syntax tree, with where it begins."""
    at = 0
    text = ""
    while at < len(line):
        start = line.find("${", at)
        if start < 0:
            text += line[at:]
            break
        if start > at and line[start - 1] == "\\":
            text += line[at : start - 1] + "${"
            at = start + 2
            continue
        text += line[at:start]
        if text:
            yield _parse(repr(text)), at
            text = ""
        failed = "${ has no end"
        end = start + 1
        # Braces in strings and dicts: the expression ends at the first brace that makes it a whole.
        for tried in range(BRACES):
            end = line.find("}", end + 1)
            if end < 0:
                raise TemplateError(failed, number, start + 1)
            if end - start > LONGEST:
                raise TemplateError("an expression of more than %d characters" % LONGEST, number, start + 1)
            try:
                part = _parse(line[start + 2 : end].strip() or "''")
                break
            except BAD as error:
                if not tried:
                    failed = getattr(error, "msg", None) or str(error) or type(error).__name__
        else:
            raise TemplateError(failed, number, start + 1)
        yield part, start
        at = end + 1
    if text:
        yield _parse(repr(text)), at


def _parse(code):
    return ast.parse(code, FILE, "eval").body
