"""What keeps the rules pure, read off the source: the layers, no clock, no float, no policy year."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRANSFORMS = sorted((ROOT / "transforms").rglob("*.py"))
SCHEMAS = sorted((ROOT / "schemas").rglob("*.py"))
CLOCK = {"today", "now", "utcnow", "time", "monotonic", "perf_counter"}
PATHS_JOINED = {
    f"transforms/{name}.py" for name in ("editions", "policy", "rounds")
}  # folder / "file" is no arithmetic
# modules of one name do one thing in several places: a command and its work, a feed, rule or table where it
# is delivered, judged, changed and shown, and what each room has
ONE_THING = """
appeals calendar database deliveries differences employers export facts feeds homes ingest innovation insurance
known law ledger limits messages money months page phases publish read recompute records rounds rules run
schooling score server standing summary tables verify words write
"""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> set[str]:
    """The top-level packages a module imports."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: a relative import"
            found.add((node.module or "").split(".")[0])
    return found


def calls(path: Path) -> Iterator[tuple[ast.Call, str, bool]]:
    """Every call of a module: the call, the name called, whether it is a method."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr, True
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node, node.func.id, False


def of(path: Path) -> str:
    """A module's path below the repository."""
    return path.relative_to(ROOT).as_posix()


def test_there_is_source_to_look_at() -> None:
    """The checks below would pass on empty folders."""
    assert len(TRANSFORMS) > 20
    assert len(SCHEMAS) > 2


def test_one_name_means_one_thing() -> None:
    modules = [*TRANSFORMS, *SCHEMAS, *(ROOT / "flows").rglob("*.py")]
    names = Counter(path.stem for path in modules if path.name != "__init__.py")
    assert {name for name, times in names.items() if times > 1} == {*ONE_THING.split()}


@pytest.mark.parametrize("path", TRANSFORMS, ids=of)
def test_transforms_import_no_side_effects(path: Path) -> None:
    """No orchestration, no database, no clock, no chance in a rule."""
    forbidden = {"prefect", "duckdb", "flows", "tests", "time", "random", "secrets", "os"}
    assert not imported(path) & forbidden


@pytest.mark.parametrize("path", SCHEMAS, ids=of)
def test_schemas_import_no_other_layer(path: Path) -> None:
    """Imports point one way: flows, transforms, schemas."""
    assert not imported(path) & {"transforms", "flows", "tests", "prefect", "duckdb"}


@pytest.mark.parametrize("path", TRANSFORMS, ids=of)
def test_transforms_read_no_clock(path: Path) -> None:
    """The dates of a round are the only today."""
    found = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) in CLOCK
    ]
    assert not found


@pytest.mark.parametrize("path", TRANSFORMS, ids=of)
def test_transforms_count_in_whole_numbers(path: Path) -> None:
    """No float, no true division and no rounding but `half_up`; no chance."""
    for node in ast.walk(tree(path)):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), node.lineno
        assert not isinstance(node, ast.Div) or of(path) in PATHS_JOINED
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            assert name not in {"float", "Float32", "Float64", "round", "random", "truediv"}, name


@pytest.mark.parametrize("path", TRANSFORMS, ids=of)
def test_transforms_hold_no_year(path: Path) -> None:
    """A year is policy, and policy is data."""
    years = [
        (node.lineno, node.value)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and type(node.value) is int and 1990 <= node.value <= 2100
    ]
    assert not years


@pytest.mark.parametrize("path", TRANSFORMS, ids=of)
def test_every_join_says_what_it_expects(path: Path) -> None:
    """`validate=` catches a rule that counts a person twice; semi and anti joins cannot."""
    silent = []
    for call, name, is_method in calls(path):
        if not is_method or name not in {"join", "join_asof", "join_where"}:
            continue
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant):
            continue  # ", ".join(texts)
        stated = {keyword.arg: keyword.value for keyword in call.keywords}
        how = stated.get("how")
        keeps_rows = isinstance(how, ast.Constant) and how.value in {"semi", "anti"}
        if "validate" not in stated and not keeps_rows:
            silent.append(f"{of(path)}:{call.lineno}")
    assert silent == []


@pytest.mark.parametrize("path", [*TRANSFORMS, *SCHEMAS], ids=of)
def test_everything_public_is_described(path: Path) -> None:
    """Modules, classes and functions have a docstring; checks of a schema are named for theirs."""
    module = tree(path)
    if module.body:
        assert ast.get_docstring(module), "the module has no docstring"
    described: list[ast.ClassDef | Function] = []
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            described.append(node)
            if path in TRANSFORMS:
                described += [each for each in node.body if isinstance(each, Function)]
        elif isinstance(node, Function):
            described.append(node)
    bare = [
        each.name
        for each in described
        if not each.name.startswith("_") and not ast.get_docstring(each)
    ]
    assert bare == []
