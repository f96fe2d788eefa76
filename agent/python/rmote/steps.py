"""Code that counts its steps, so that it has an end: what templates become."""
import ast

BITS = 1 << 16
SIZED = str, bytes, bytearray, list, tuple
# No source can spell these names, so no name of its own clashes with them.
STEP = ".step"
GUARDS = {ast.Add: ".add", ast.LShift: ".shift", ast.Mult: ".multiply", ast.Pow: ".power"}


class Spent(BaseException):
    """A limit is reached. No `Exception`, so that the code's own `except` does not go on."""


class Steps:
    """The limits of one run: steps are runs of a loop's body and calls of functions that the code defines.

    What Python does on its own is no step, however long it takes. The results of `+`, `*`, `**` and `<<` are bounded
    before they are made, as is what `range` gives to functions that take it all.
    """

    def __init__(self, steps, size):
        self.steps, self.size = steps, size
        self.left = steps
        self.spent = None
        self.names = {"pow": self._pow, "range": self._range}
        self.hidden = {
            STEP: self.step,
            ".add": lambda a, b: a + self.add(a, b),
            ".shift": lambda a, b: a << self.shift(a, b),
            ".multiply": lambda a, b: a * self.multiply(a, b),
            ".power": lambda a, b: a ** self.power(a, b),
        }
        self.hidden.update((name + "=", getattr(self, name[1:])) for name in GUARDS.values())

    def over(self, message):
        self.spent = Spent(message)
        raise self.spent

    def step(self):
        self.left -= 1
        if self.left < 0:
            self.over("stopped after %d steps" % self.steps)

    def _bits(self, bits):
        if bits > BITS:
            self.over("a number of more than %d bits" % BITS)

    def _room(self, size):
        if size > self.size:
            self.over("a value of more than %d items" % self.size)

    # Each gives its second operand back, for `a += .add=(a, b)`.

    def add(self, a, b):
        if isinstance(a, SIZED) and isinstance(b, SIZED):
            self._room(len(a) + len(b))
        return b

    def shift(self, a, b):
        if isinstance(a, int) and isinstance(b, int) and a:
            self._bits(a.bit_length() + b)
        return b

    def multiply(self, a, b):
        if isinstance(a, int) and isinstance(b, int):
            self._bits(a.bit_length() + b.bit_length())
        for items, times in ((a, b), (b, a)):
            if isinstance(items, SIZED) and isinstance(times, int):
                self._room(len(items) * times)
        return b

    def power(self, a, b):
        if isinstance(a, int) and isinstance(b, int) and abs(a) > 1:
            self._bits(a.bit_length() * b)
        return b

    def _pow(self, a, b, *modulo):
        if not modulo:
            self.power(a, b)
        return pow(a, b, *modulo)

    def _range(self, *bounds):
        found = range(*bounds)
        try:
            if len(found) <= self.steps:
                return found
        except OverflowError:
            pass
        return self._counted(found)

    def _counted(self, items):
        for item in items:
            self.step()
            yield item


def counted(tree):
    """Makes the code of a syntax tree count its steps; it runs with the `names` and `hidden` names of `Steps`."""
    return ast.fix_missing_locations(_Counter().visit(tree))


def _call(name, *args):
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


class _Counter(ast.NodeTransformer):
    def _body(self, node):
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(_call(STEP)))
        return node

    visit_For = visit_AsyncFor = visit_While = visit_FunctionDef = visit_AsyncFunctionDef = _body

    def visit_Lambda(self, node):
        self.generic_visit(node)
        node.body = ast.BoolOp(ast.Or(), [_call(STEP), node.body])
        return node

    def visit_comprehension(self, node):
        self.generic_visit(node)
        node.ifs.insert(0, ast.UnaryOp(ast.Not(), _call(STEP)))
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        guard = GUARDS.get(type(node.op))
        return ast.copy_location(_call(guard, node.left, node.right), node) if guard else node

    def visit_AugAssign(self, node):
        guard = GUARDS.get(type(node.op))
        target = node.target
        # What is assigned to is looked at twice, which calls in it would notice.
        plain = not any(isinstance(part, ast.Call) for part in ast.walk(target))
        self.generic_visit(node)
        if guard and plain:
            if isinstance(target, ast.Name):
                now = ast.Name(target.id, ast.Load())
            elif isinstance(target, ast.Attribute):
                now = ast.Attribute(target.value, target.attr, ast.Load())
            else:
                now = ast.Subscript(target.value, target.slice, ast.Load())
            node.value = _call(guard + "=", now, node.value)
        return node
