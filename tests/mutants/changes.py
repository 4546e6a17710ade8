"""Small changes of a module's source, each of which breaks a rule that a test may hold."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARE = {
    ast.Lt: ("<=", ">"), ast.LtE: ("<", ">="), ast.Gt: (">=", "<"), ast.GtE: (">", "<="),
    ast.Eq: ("!=",), ast.NotEq: ("==",), ast.In: ("not in",), ast.NotIn: ("in",),
    ast.Is: ("is not",), ast.IsNot: ("is",),
}  # fmt: skip
ARITHMETIC = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/",
              ast.Mod: "//", ast.Pow: "*"}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "argmin": "argmax",
         "argmax": "argmin", "minimum": "maximum", "maximum": "minimum", "amin": "amax",
         "amax": "amin", "ceil": "floor", "floor": "ceil", "zeros": "ones", "ones": "zeros",
         "mean": "sum", "cummax": "cummin", "clip": "sum", "first": "last",
         "last": "first"}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """A piece of a module's source (offsets in bytes), and what is put in its place."""

    line: int
    start: int
    end: int
    old: str
    new: str

    def apply(self, source: bytes) -> bytes:
        return source[: self.start] + self.new.encode() + source[self.end :]


def changes(source: bytes) -> list[Change]:
    """Every change of a module, in the order of its text."""
    return sorted(_Finder(source).find(), key=lambda c: (c.start, c.end, c.new))


class _Finder:
    def __init__(self, source: bytes) -> None:
        self.source = source
        lengths = [len(line) for line in source.splitlines(keepends=True)]
        self.starts = [sum(lengths[:n]) for n in range(len(lengths) + 1)]

    def find(self) -> Iterator[Change]:
        yield from self._within(ast.parse(self.source))

    def _within(self, node: ast.AST) -> Iterator[Change]:
        if _is_said(node):
            return
        yield from self._of(node)
        for child in _that_counts(node):
            yield from self._within(child)

    def _of(self, node: ast.AST) -> Iterator[Change]:  # noqa: PLR0912  one branch an operator
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                for sign in COMPARE[type(op)]:
                    yield self._put(node, f"{self._text(left)} {sign} {self._text(right)}")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                sign = ARITHMETIC[type(op)]
                yield self._put(node, f"{self._text(left)} {sign} {self._text(right)}")
            case ast.BoolOp(op=op, values=values):
                other = " or " if isinstance(op, ast.And) else " and "
                yield self._put(node, "(" + other.join(self._text(v) for v in values) + ")")
                yield self._put(node, self._text(values[0]))
            case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
                yield self._put(node, self._text(operand))
            case ast.Constant(value=bool(value)):
                yield self._put(node, str(not value))
            case ast.Constant(value=int(value) | float(value)):
                yield self._put(node, repr(value + 1))
                yield self._put(node, f"({value - 1!r})")
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                yield self._put(test, f"(not ({self._text(test)}))")
            case ast.Call(func=ast.Name(id=name) as func) if name in NAMES:
                yield self._put(func, NAMES[name])
            case ast.Call(func=ast.Attribute(attr=name) as func) if name in NAMES:
                yield self._put(func, f"{self._text(func.value)}.{NAMES[name]}")
            case ast.Return(value=ast.expr() as value) if not _is_none(value):
                yield self._put(value, "None")
            case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Continue() | ast.Raise():
                yield self._put(node, "pass")
            case ast.comprehension(ifs=[test]):
                yield self._put(test, "True")

    def _put(self, node: ast.AST, new: str) -> Change:
        start, end = self._span(node)
        return Change(node.lineno, start, end, self._text(node), new)  # type: ignore[attr-defined]

    def _span(self, node: ast.AST) -> tuple[int, int]:
        n: ast.expr = node  # type: ignore[assignment]
        assert n.end_lineno is not None
        assert n.end_col_offset is not None
        first, last = self.starts[n.lineno - 1], self.starts[n.end_lineno - 1]
        return first + n.col_offset, last + n.end_col_offset

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        text = self.source[start:end].decode()
        wrapped = isinstance(node, ast.Compare | ast.BinOp | ast.BoolOp | ast.IfExp)
        return f"({text})" if wrapped else text


def _is_said(node: ast.AST) -> bool:
    """Is it a docstring or a line of a log?"""
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "warnings")))):
            return True
    return False


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _that_counts(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node in which a change changes what is done: no words, types or decorators."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from node.args.defaults
            yield from (d for d in node.args.kw_defaults if d is not None)
            yield from node.body
        case ast.ClassDef():
            yield from node.body
        case ast.AnnAssign():
            yield from [node.value] if node.value is not None else []
        case ast.Raise() | ast.JoinedStr() | ast.Assert() | ast.Import() | ast.ImportFrom():
            return
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return
        case ast.BinOp(op=ast.LShift()):
            return  # the size of a chunk, which is to change nothing
        case ast.Subscript(value=ast.Name(id="Literal" | "Mapping" | "Callable")):
            return
        case _:
            yield from ast.iter_child_nodes(node)
