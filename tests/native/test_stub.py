"""The stub of the compiled module says what the binary offers: names, parameters, defaults."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import novate.native
from novate.native import _native

STUB = ast.parse((Path(novate.native.__file__).parent / "_native.pyi").read_text(encoding="utf-8"))


def public_names(owner: object) -> set[str]:
    """The names of a module or class that are not dunder."""
    return {name for name in dir(owner) if not name.startswith("__")}


def stub_functions(body: list[ast.stmt]) -> dict[str, ast.FunctionDef]:
    """The functions defined in a stub's body, properties too."""
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def stub_parameters(function: ast.FunctionDef) -> list[str]:
    """Names of the parameters, `self` and `cls` left out."""
    assert not function.args.kwonlyargs
    assert not function.args.defaults
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return [name for name in names if name not in {"self", "cls"}]


def binary_parameters(function: object) -> list[str]:
    """The same of a compiled function; a default would be a difference."""
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    assert all(parameter.default is inspect.Parameter.empty for parameter in parameters)
    return [parameter.name for parameter in parameters if parameter.name not in {"self", "cls"}]


def stub_classes() -> dict[str, ast.ClassDef]:
    return {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}


def test_same_names() -> None:
    constants = {
        node.target.id
        for node in STUB.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert set(stub_functions(STUB.body)) | set(stub_classes()) | constants == public_names(_native)


def test_same_parameters_of_functions() -> None:
    for name, function in stub_functions(STUB.body).items():
        assert stub_parameters(function) == binary_parameters(getattr(_native, name)), name


def test_same_classes() -> None:
    for name, definition in stub_classes().items():
        binary = getattr(_native, name)
        methods = stub_functions(definition.body)
        creator = methods.pop("__new__")
        assert stub_parameters(creator) == binary_parameters(binary)
        assert set(methods) == public_names(binary)
        for method, function in methods.items():
            compiled = getattr(binary, method)
            is_property = any(ast.unparse(mark) == "property" for mark in function.decorator_list)
            assert is_property == inspect.isdatadescriptor(compiled), method
            if not is_property:
                assert stub_parameters(function) == binary_parameters(compiled), method


def test_every_public_name_is_offered_by_the_door() -> None:
    folder = novate.native.__path__
    names = [module.name for module in iter_modules(folder) if not module.name.startswith("_")]
    rooms = [novate.native, *(import_module(f"novate.native.{name}") for name in names)]
    assert public_names(_native) <= {name for room in rooms for name in room.__all__}
