"""The rules of STYLE.md that a machine can check, over every source file of the checkout.

What other programs check already is theirs: unused names, silent excepts and 100 columns of Python
(ruff), layers (import-linter), types (mypy), Rust (rustfmt, clippy).
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.spec_statistics import Function, functions_of, length, measure, percentile, table

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "src" / "novate" / "spec"
ROOMS = ("src", "tests", "tools", "bench", "native", "contracts", ".ci")
SUFFIXES = {".py", ".pyi", ".rs", ".sol", ".sh", ".toml"}
BUILT = {"target", "__pycache__", "node_modules", "rendered", "out", "cache"}
RENDERED = re.compile(r"\A(\"\"\"|//!? |/// |# )[^\n]*\b[Rr]endered (by|from)\b")

FUNCTION_LINES_MAX = 70
FUNCTION_LINES_P90_MAX = 40
SPEC_MEDIAN_LINES_MAX = 15
FILE_LINES_MAX = 600
COLUMNS_MAX = 100


def source_files() -> list[Path]:
    """Every file that people write: no build results, nothing under a folder named `rendered`."""
    found = [ROOT / "novate", ROOT / ".ci" / "run", ROOT / "pyproject.toml"]
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            inside = path.relative_to(ROOT).parts
            if path.suffix in SUFFIXES and path.is_file() and not BUILT.intersection(inside):
                found.append(path)
    return found


FILES = {path: path.read_text() for path in source_files()}
PYTHON = {path: ast.parse(text) for path, text in FILES.items() if path.suffix == ".py"}
LAW = {path: tree for path, tree in PYTHON.items() if path.is_relative_to(SPEC)}


def place(path: Path, node: ast.AST | int) -> str:
    """file:line, for messages."""
    line = node if isinstance(node, int) else getattr(node, "lineno", 1)
    return f"{path.relative_to(ROOT)}:{line}"


def is_rendered(path: Path) -> bool:
    """Whether the first line says that a renderer wrote the file."""
    return RENDERED.match(FILES[path]) is not None


def nodes(trees: dict[Path, ast.Module]) -> Iterator[tuple[Path, ast.AST]]:
    """Every node of the trees with its file."""
    for path, tree in trees.items():
        for node in ast.walk(tree):
            yield path, node


def functions(trees: dict[Path, ast.Module]) -> Iterator[tuple[Path, Function]]:
    """Every function of the trees with its file."""
    for path, tree in trees.items():
        for function in functions_of(tree):
            yield path, function


def assert_none(problems: list[str], rule: str) -> None:
    """Fail with the rule and every place that breaks it."""
    assert not problems, f"{rule}:\n  " + "\n  ".join(problems)


# 1. Sizes


def test_the_checkout_was_found() -> None:
    """Guards the other tests: with nothing to look at they would all pass."""
    assert ROOT / "tests" / "test_tidy.py" in PYTHON
    assert SPEC / "rounding.py" in LAW
    assert ROOT / "novate" in FILES


def test_functions_are_short() -> None:
    lengths = [(length(function), place(path, function)) for path, function in functions(PYTHON)]
    assert_none(
        [f"{where}: {lines} lines" for lines, where in lengths if lines > FUNCTION_LINES_MAX],
        f"a function has at most {FUNCTION_LINES_MAX} lines",
    )
    assert percentile([lines for lines, _ in lengths], 90) <= FUNCTION_LINES_P90_MAX


def test_functions_of_the_law_read_in_one_glance() -> None:
    print(table())
    assert measure(list(LAW)).median_length <= SPEC_MEDIAN_LINES_MAX


def test_files_are_short() -> None:
    assert_none(
        [
            f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines"
            for path, text in FILES.items()
            if text.count("\n") > FILE_LINES_MAX and not is_rendered(path)
        ],
        f"a file has at most {FILE_LINES_MAX} lines",
    )


def test_lines_fit_the_screen() -> None:
    assert_none(
        [
            f"{place(path, number)}: {len(line)} columns"
            for path, text in FILES.items()
            for number, line in enumerate(text.split("\n"), 1)
            if len(line) > COLUMNS_MAX
        ],
        f"a line has at most {COLUMNS_MAX} columns",
    )


# 2. The law

LAW_MAY_IMPORT = {
    *("__future__", "bisect", "collections", "collections.abc", "dataclasses", "enum", "functools"),
    *("heapq", "itertools", "math", "operator", "re", "types", "typing"),
}
MATH_OF_INTEGERS = {"comb", "gcd", "isqrt", "lcm", "perm", "prod"}
IMPURE_CALLS = {
    *("open", "print", "input", "exec", "eval", "compile", "globals", "locals", "vars", "id"),
    *("hash", "float", "complex", "divmod", "breakpoint", "__import__"),
}
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MAKES_MUTABLE = {"list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter"}


def imports(node: ast.AST, package: str = "") -> list[str]:
    """Absolute names of the modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [("." * node.level) + (node.module or package)]
    return []


def test_the_law_imports_only_itself_and_pure_modules() -> None:
    assert_none(
        [
            f"{place(path, node)}: {name}"
            for path, node in nodes(LAW)
            for name in imports(node)
            if name not in LAW_MAY_IMPORT
            and not re.fullmatch(r"novate\.spec(\..+)?|\.[a-z_]*", name)
        ],
        "spec imports novate.spec and pure modules of the standard library",
    )


def is_not_of_integers(node: ast.AST) -> bool:
    """Whether the node brings a float or complex number into a computation."""
    match node:
        case ast.Constant(value=float() | complex()):
            return True
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return True
        case ast.Attribute(value=ast.Name(id="math"), attr=name):
            return name not in MATH_OF_INTEGERS
        case ast.ImportFrom(module="math", names=names):
            return any(alias.name not in MATH_OF_INTEGERS for alias in names)
    return False


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("a / b", True),
        ("a /= b", True),
        ("0.5", True),
        ("2j", True),
        ("math.log(a)", True),
        ("from math import sqrt", True),
        ("math.isqrt(a)", False),
        ("a // b + a % b", False),
        ('"0.5 / 2"', False),
    ],
)
def test_the_rule_of_integers_catches(code: str, caught: bool) -> None:
    assert any(is_not_of_integers(node) for node in ast.walk(ast.parse(code))) == caught


def test_the_law_counts_in_integers() -> None:
    assert_none(
        [place(path, node) for path, node in nodes(LAW) if is_not_of_integers(node)],
        "spec has no float, no `/` and of math only integer functions",
    )


def test_the_law_divides_in_one_file() -> None:
    assert_none(
        [
            place(path, node)
            for path, node in nodes(LAW)
            if isinstance(node, ast.BinOp | ast.AugAssign)
            and isinstance(node.op, ast.FloorDiv)
            and path.name != "rounding.py"
        ],
        "spec divides by the functions of rounding.py, whose names say the direction",
    )


def called_name(node: ast.AST) -> str:
    """The plain name that a call calls, or ''."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    return ""


def test_the_law_is_pure() -> None:
    assert_none(
        [
            f"{place(path, node)}: {called_name(node) or type(node).__name__.lower()}"
            for path, node in nodes(LAW)
            if called_name(node) in IMPURE_CALLS or isinstance(node, ast.Global | ast.Nonlocal)
        ],
        "spec does no input or output, asks nothing of the interpreter, changes no outer name",
    )


def test_the_law_has_no_mutable_globals() -> None:
    def scopes(tree: ast.Module) -> Iterator[ast.stmt]:
        yield from tree.body
        for statement in tree.body:
            if isinstance(statement, ast.ClassDef):
                yield from statement.body

    assert_none(
        [
            place(path, statement)
            for path, tree in LAW.items()
            for statement in scopes(tree)
            if isinstance(statement, ast.Assign | ast.AnnAssign)
            and ast.unparse(getattr(statement, "targets", [statement])[0]) != "__all__"
            and (
                isinstance(statement.value, MUTABLE)
                or (statement.value and called_name(statement.value) in MAKES_MUTABLE)
            )
        ],
        "globals of spec are tuples, frozensets or MappingProxyType",
    )


def test_every_function_of_the_law_is_explained() -> None:
    assert_none(
        [
            f"{place(path, function)}: {function.name}"
            for path, function in functions(LAW)
            if not ast.get_docstring(function)
        ],
        "every function of spec has a docstring: shapes, units, bounds, errors, source",
    )


# Who may import what, where import-linter cannot look


def test_only_its_door_imports_the_compiled_module() -> None:
    door = ROOT / "src" / "novate" / "native"
    assert_none(
        [
            place(path, node)
            for path, node in nodes(PYTHON)
            if path.is_relative_to(ROOT / "src") and not path.is_relative_to(door)
            if isinstance(node, ast.Import | ast.ImportFrom)
            and "_native" in {part for name in imported_names(node) for part in name.split(".")}
        ],
        "only novate.native imports novate.native._native",
    )


def imported_names(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Every dotted name that an import statement may bind."""
    prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) and node.module else ""
    return [prefix + alias.name for alias in node.names]


def test_the_verifier_stands_alone() -> None:
    folder = ROOT / "src" / "novate" / "proof"
    files = [path for path in PYTHON if (folder / "verifier") in path.parents]
    assert files, "src/novate/proof/verifier is gone"
    own = "novate.proof.verifier."
    assert_none(
        [
            f"{place(path, node)}: {name}"
            for path in (*files, folder / "verify.py")
            for node in ast.walk(PYTHON[path])
            for name in imports(node)
            if name.split(".")[0] not in (*sys.stdlib_module_names, "Crypto")
            and not f"{name}.".startswith(own)
        ],
        "proof/verify.py imports the standard library, one Keccak and its own parts",
    )


# 3. Every rejection reason has a minimal test of the same name

SPEC_TESTS = {
    path: tree
    for path, tree in PYTHON.items()
    if path.is_relative_to(ROOT / "tests" / "spec") and path.name.startswith("test_")
}


def rejection_reasons() -> list[str]:
    """The members of the law's enum of reasons, in lower case; none while there is no enum."""
    for module in ("novate.spec.errors", "novate.spec.reasons"):
        if (ROOT / "src" / Path(*module.split("."))).with_suffix(".py") in LAW:
            enum = getattr(importlib.import_module(module), "Reason", None)
            if enum is not None:
                return [member.name.lower() for member in enum]
    return []


def test_every_rejection_reason_has_a_test() -> None:
    reasons = rejection_reasons()
    if not reasons:
        pytest.skip("the law has no enum of rejection reasons yet")
    tests = {function.name for _, function in functions(SPEC_TESTS)}
    assert_none(
        [f"test_{reason}" for reason in reasons if f"test_{reason}" not in tests],
        "each rejection reason has a test of its name under tests/spec",
    )


# 4. Every transaction kind has its files

KINDS = [
    path.stem for path in LAW if path.parent == SPEC / "transactions" and path.stem[0].isalpha()
]


def test_every_transaction_kind_has_its_test_file_and_vectors() -> None:
    if not KINDS:
        pytest.skip("spec/transactions has no kind yet")
    missing = []
    for kind in KINDS:
        if not (ROOT / "tests" / "spec" / "transactions" / f"test_{kind}.py").exists():
            missing.append(f"tests/spec/transactions/test_{kind}.py")
        if not any((ROOT / "vectors").rglob(f"{kind}.json")):
            missing.append(f"vectors/…/{kind}.json")
    assert_none(missing, "each transaction kind has a test file and a vectors file")


# 5. Nothing dead, nothing put off or silenced without a reason


def words(path: Path) -> Counter[str]:
    """How often each name occurs in a Python file, and each identifier-like string."""
    counts: Counter[str] = Counter()
    with open(path, "rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.NAME:
                counts[token.string] += 1
            elif token.type == tokenize.STRING:
                counts.update(re.findall(r"\A[rb]*[\"']([A-Za-z_]\w*)[\"']\Z", token.string))
    return counts


def is_called_by_others(function: Function) -> bool:
    """Whether a caller is somewhere this file's reader cannot see: the interpreter, a framework."""
    return function.name.startswith("__") or bool(function.decorator_list)


def test_no_function_is_dead() -> None:
    uses: Counter[str] = Counter()
    for path in PYTHON:
        uses.update(words(path))
    definitions = Counter(function.name for _, function in functions(PYTHON))
    ours = {path: tree for path, tree in PYTHON.items() if not path.is_relative_to(ROOT / "tests")}
    assert_none(
        [
            f"{place(path, function)}: {function.name}"
            for path, function in functions(ours)
            if uses[function.name] <= definitions[function.name]
            and not is_called_by_others(function)
        ],
        "every function is used somewhere",
    )


def test_nothing_is_put_off_without_a_reason() -> None:
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\([^)]{8,}\))")
    assert_none(
        [
            place(path, text[: found.start()].count("\n") + 1)
            for path, text in FILES.items()
            for found in mark.finditer(text)
        ],
        "a mark of unfinished work names its reason in parentheses",
    )


SILENCERS = {"skip", "skipif", "xfail"}


def test_no_test_is_silenced_without_a_reason() -> None:
    problems = []
    for path, node in nodes(PYTHON):
        used = node.func if isinstance(node, ast.Call) else None
        if isinstance(used, ast.Attribute) and used.attr in SILENCERS:
            stated = {keyword.arg for keyword in node.keywords}  # type: ignore[attr-defined]
            positional = used.attr == "skip" and bool(node.args)  # type: ignore[attr-defined]
            if "reason" not in stated and not positional:
                problems.append(place(path, node))
        for mark in getattr(node, "decorator_list", []):
            if isinstance(mark, ast.Attribute) and mark.attr in SILENCERS:
                problems.append(place(path, mark))
    assert_none(problems, "a skipped or expected failure says why")


def test_no_path_of_one_machine() -> None:
    pattern = re.compile(r"/(" r"work|root|home/\w+)/[a-z.]")
    assert_none(
        [
            place(path, number)
            for path, text in FILES.items()
            for number, line in enumerate(text.split("\n"), 1)
            if pattern.search(line)
        ],
        "no path that exists on one machine only",
    )
