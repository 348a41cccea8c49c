"""What is agreed about the code itself: short, documented, and stored codes that never change."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import planner

ROOT = Path(__file__).parents[1]
PYTHON = sorted(
    path
    for folder in ("planner", "tests", "benches")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
RUST = sorted((ROOT / "rust").rglob("*.rs"))

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 400
LONG_FUNCTIONS = {
    "rust/planner-core/src/schedule/proof.rs sentence": "one match arm a sort of proof",
    "rust/planner-core/tests/schedule_scale.rs fleet": "one large problem, written down in order",
}
LONG_MODULES = {
    "rust/planner-core/tests/kube/order.rs": "a table of cases from the controllers' own tests",
    "rust/planner-core/tests/schedule_common/mod.rs": "the naive scheduler the laws compare with",
}
RUST_FUNCTION = re.compile(
    r"^(?P<indent> *)(?:pub(?:\([a-z ]+\))? )?(?:const )?(?:async )?fn (?P<name>\w+)"
)

# Stored in every log that anybody has. New ones are added at the end; nothing is ever renumbered.
RESOURCE_CODES = {
    "Pods": 0,
    "Nodes": 1,
    "Namespaces": 2,
    "Deployments": 3,
    "ReplicaSets": 4,
    "StatefulSets": 5,
    "DaemonSets": 6,
    "ControllerRevisions": 7,
    "PodDisruptionBudgets": 8,
    "CloneSets": 9,
    "AdvancedStatefulSets": 10,
    "AdvancedDaemonSets": 11,
    "SidecarSets": 12,
    "PodUnavailableBudgets": 13,
    "Versions": 14,
    "ResourceQuotas": 15,
}
EVENT_CODES = {"ListBegun": 0, "Observed": 1, "Gone": 2, "ListCompleted": 3, "TimePassed": 4}
FLAG_BITS = {
    "READY": 0,
    "DELETING": 1,
    "PENDING": 2,
    "RUNNING": 3,
    "SUCCEEDED": 4,
    "FAILED": 5,
    "IN_PLACE_UPDATE_SHUT": 6,
    "MIRROR": 7,
    "EMPTY_DIR": 8,
    "READY_KNOWN": 9,
    "LABEL_POD_NAME": 10,
    "LABEL_POD_INDEX": 11,
    "LABEL_INSTANCE_ID": 12,
    "LABEL_REVISION": 13,
    "LABEL_TEMPLATE_HASH": 14,
    "IN_PLACE_UPDATE_OVER": 15,
}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    """Every text file that is part of the project."""
    told = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        pytest.skip("not a checkout of the repository")
    paths = [ROOT / name for name in told.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:1024]]


def python_functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{named(path)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def rust_functions(path: Path) -> Iterator[tuple[str, int]]:
    """From `fn` to the closing brace at the same indent, as rustfmt writes it."""
    lines = path.read_text().splitlines()
    for index, line in enumerate(lines):
        match = RUST_FUNCTION.match(line)
        if match is None or line.rstrip().endswith((";", "}")):
            continue
        end = lines.index(match["indent"] + "}", index)
        yield f"{named(path)}:{index + 1} {match['name']}", end - index + 1


def rust_enum(path: str, name: str) -> dict[str, int]:
    text = (ROOT / path).read_text()
    body = text.split(f"pub enum {name} {{", 1)[1].split("\n}", 1)[0]
    return {
        name: int(code) for name, code in re.findall(r"^    (\w+) = (\d+),$", body, re.MULTILINE)
    }


def is_appended(stored: dict[str, int], now: dict[str, int]) -> bool:
    """Nothing stored was renamed or renumbered, and what is new has higher codes."""
    kept = {name: now.get(name) for name in stored} == stored
    new = [code for name, code in now.items() if name not in stored]
    return kept and sorted(new) == list(range(len(stored), len(now)))


def test_the_walk_sees_the_functions_that_there_are() -> None:
    python = {name.split()[1] for path in PYTHON for name, _ in python_functions(path)}
    rust = {name.split()[1] for path in RUST for name, _ in rust_functions(path)}
    assert {"import_recorded", "fleet_at"} <= python
    assert {"from_code", "codes_are_positions"} <= rust
    assert len(rust) > 500


def test_no_function_is_longer_than_agreed_but_for_those_with_a_reason() -> None:
    lengths = [each for path in PYTHON for each in python_functions(path)]
    lengths += [each for path in RUST for each in rust_functions(path)]
    long = {re.sub(r":\d+ ", " ", name) for name, lines in lengths if lines > FUNCTION_LINES_MAX}
    assert long == LONG_FUNCTIONS.keys()


def test_no_module_is_longer_than_agreed_but_for_those_with_a_reason() -> None:
    lengths = {named(path): path.read_text().count("\n") for path in (*PYTHON, *RUST)}
    long = {name for name, lines in lengths.items() if lines > MODULE_LINES_MAX}
    assert long <= LONG_MODULES.keys()


@pytest.mark.parametrize("name", LONG_MODULES)
def test_an_exception_from_the_length_of_modules_is_still_one(name: str) -> None:
    assert (ROOT / name).read_text().count("\n") > MODULE_LINES_MAX, "take it from the list"


def test_the_auditor_shares_no_code_with_what_it_watches() -> None:
    auditor = "tests.controlplane.auditor"
    paths = [path for path in PYTHON if named(path).startswith(f"{auditor.replace('.', '/')}/")]
    assert len(paths) > 10
    shared = {name for path in paths for name in imported(path) if is_ours(name)}
    assert {name for name in shared if not f"{name}.".startswith(f"{auditor}.")} == set()
    running = {*imported(ROOT / "tests/controlplane/running.py")}
    assert {name for name in running if is_ours(name)} >= {"planner.model.progress"}, "it sees them"


def imported(path: Path) -> Iterator[str]:
    """Modules by their full names; of `from . import` the dots."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in ("planner", "tests", "benches", "")


def test_what_is_left_to_do_names_its_issue() -> None:
    sign = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
    left = [
        f"{named(path)}:{number}"
        for path in (*PYTHON, *RUST)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if sign.search(line)
    ]
    assert left == []


def test_everything_public_is_documented() -> None:
    assert [
        each
        for path in PYTHON
        if path.is_relative_to(ROOT / "planner")
        for each in undocumented(path)
    ] == []


def undocumented(path: Path) -> Iterator[str]:
    module = ast.parse(path.read_text())
    if not ast.get_docstring(module) and module.body:
        yield named(path)
    for node in public_definitions(module.body):
        if not ast.get_docstring(node):
            yield f"{named(path)}:{node.lineno} {node.name}"


def public_definitions(
    body: list[ast.stmt],
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions and classes, and the public methods of public classes."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_") or is_overload(node):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from public_definitions(node.body)


def is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)


def test_the_package_exports_exactly_what_it_says() -> None:
    imported = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(Path(planner.__file__).read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("planner")
        for alias in node.names
    }
    assert imported == set(planner.__all__)
    assert sorted(planner.__all__) == list(planner.__all__)


@pytest.mark.parametrize(
    "module", ["planner", "planner.api", "planner.core", "planner.simulate", "planner.verify"]
)
def test_every_exported_name_is_there_once(module: str) -> None:
    names = import_module(module).__all__
    assert len(names) == len(set(names))
    assert all(hasattr(import_module(module), name) for name in names)


def test_functions_of_the_package_hide_the_subpackages_of_their_names() -> None:
    """`planner.plan` stays a function, whatever was imported before it was first asked for."""
    code = (
        "import planner.verify, planner.plan.graph, planner.simulate, planner.loop, planner; "
        "assert all(map(callable, (planner.plan, planner.verify, planner.simulate)))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_every_error_is_exported_so_that_it_can_be_caught() -> None:
    errors = {
        name
        for name, value in vars(import_module("planner.errors")).items()
        if isinstance(value, type) and issubclass(value, planner.PlannerError)
    }
    # Folding what import has let through cannot fail, so nobody has to catch that.
    assert errors - {"ObservationError"} <= set(planner.__all__)


def test_codes_of_resources_are_only_ever_added() -> None:
    now = rust_enum("rust/planner-core/src/resource.rs", "Resource")
    assert is_appended(RESOURCE_CODES, now)


def test_codes_of_events_are_only_ever_added() -> None:
    assert is_appended(EVENT_CODES, rust_enum("rust/planner-core/src/batch/mod.rs", "Event"))


def test_bits_of_flags_are_only_ever_added() -> None:
    text = (ROOT / "rust/planner-core/src/batch/mod.rs").read_text()
    bits = re.findall(r"^    pub const (\w+): u16 = 1(?: << (\d+))?;$", text, re.MULTILINE)
    assert is_appended(FLAG_BITS, {name: int(bit or 0) for name, bit in bits})


def test_a_renumbered_code_would_be_noticed() -> None:
    stored = {"a": 0, "b": 1}
    assert is_appended(stored, {"a": 0, "b": 1, "c": 2})
    assert not is_appended(stored, {"a": 1, "b": 0})
    assert not is_appended(stored, {"a": 0})
    assert not is_appended(stored, {"c": 0, "a": 0, "b": 1})


def test_no_file_knows_the_machine_on_which_it_was_written() -> None:
    # Put together here, so that this file does not hold what it looks for.
    places = "|".join(("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/[a-z]", "/tm" + "p/[a-z]"))
    place = re.compile(rf"(?<![\w.}}*])(?:{places})")
    found = [
        f"{named(path)}:{number}"
        for path in tracked()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if place.search(line)
    ]
    assert found == []
