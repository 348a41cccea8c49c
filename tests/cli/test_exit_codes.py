"""Every documented exit code, and that an error is one line with what to do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.shop import REQUEST, SHOP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Run

WriteRequest = "Callable[..., Path]"
WEB = {"from": "registry.example.com/web", "to": "registry.example.com/web:1.2.0"}
NOWHERE = {"from": "registry.example.com/nowhere", "to": "registry.example.com/nowhere:1.0.0"}


@pytest.fixture
def write_request(tmp_path: Path) -> Callable[..., Path]:
    """Writes a request with this spec."""

    def write(*images: dict[str, str], **spec: Any) -> Path:  # noqa: ANN401
        path = tmp_path / "request.yaml"
        document = {
            "apiVersion": "planner/v1",
            "kind": "UpgradeRequest",
            "metadata": {"name": "test"},
            "spec": {"target": {"images": list(images)}, **spec},
        }
        path.write_text(yaml.safe_dump(document))
        return path

    return write


def test_diff_is_0_without_and_2_with_something_to_do(
    run: Run, write_request: Callable[..., Path]
) -> None:
    assert run("diff", "-f", write_request(NOWHERE)).code == 0
    assert run("diff", "-f", write_request(WEB)).code == 2


def test_plan_is_0_without_and_2_with_something_to_do(
    run: Run, write_request: Callable[..., Path]
) -> None:
    nothing = run("plan", "-f", write_request(NOWHERE))
    assert nothing.code == 0
    assert "nothing to do" in nothing.out
    assert run("plan", "-f", write_request(WEB)).code == 2


def test_plan_is_0_when_the_request_itself_leaves_out_what_differs(
    run: Run, write_request: Callable[..., Path]
) -> None:
    exclude = [{"selector": {"matchLabels": {"app": "web"}}}]
    for strict in ([], ["--strict"]):
        ran = run("plan", "-f", write_request(WEB, exclude=exclude), *strict)
        assert ran.code == 0
        assert "nothing to do: the request leaves out" in ran.out
        assert "excluded by the request" in ran.out


def test_a_conflict_names_what_is_in_the_way_and_a_remedy_that_helps(
    run: Run, write_request: Callable[..., Path]
) -> None:
    ranker = {"from": "registry.example.com/ranker", "to": "registry.example.com/ranker:9.0.0"}
    ran = run("plan", "-f", write_request(ranker))
    assert (ran.code, ran.out) == (3, "")
    assert "these rules conflict: budget pdb/search/ranker; " in ran.err
    assert "raise the maxUnavailable of pdb/search/ranker" in ran.err


def test_a_plan_that_cannot_be_written_is_64_and_not_kept(run: Run) -> None:
    before = run("log", "head").out
    ran = run("plan", "-f", REQUEST, "-o", "nowhere/shop.plan")
    assert (ran.code, ran.out) == (64, "")
    assert_error(ran.err)
    assert run("log", "head").out == before


def test_planning_again_gives_the_kept_plan_and_appends_nothing(run: Run, plan_id: str) -> None:
    before = run("log", "head").out
    ran = run("plan", "-f", REQUEST, "--format", "json")
    assert json.loads(ran.out)["id"] == plan_id
    assert run("log", "head").out == before


def test_a_strict_plan_that_does_not_exist_is_3_with_what_conflicts(run: Run) -> None:
    before = run("log", "head").out
    ran = run("plan", "-f", REQUEST, "--strict")
    assert_error(ran.err)
    assert (ran.code, ran.out) == (3, "")
    assert "conflict" in ran.err
    assert run("log", "head").out == before


def test_a_cycle_of_dependencies_is_3_with_the_cycle(
    run: Run, write_request: Callable[..., Path]
) -> None:
    def waits(name: str, other: str) -> dict[str, Any]:
        return {
            "workload": {"namespace": "shop", "name": name},
            "after": [{"namespace": "shop", "name": other}],
        }

    cycle = [waits("web", "catalog"), waits("catalog", "product"), waits("product", "web")]
    ran = run("plan", "-f", write_request(WEB, dependencies=cycle), "-o", "no.plan")
    assert ran.code == 3
    assert_error(ran.err)
    assert all(name in ran.err for name in ("shop/web", "shop/catalog", "shop/product"))


def test_a_budget_that_is_used_up_is_3_and_named(
    run: Run, write_request: Callable[..., Path]
) -> None:
    budget = {"name": "whole-fleet", "maxUnavailable": 1}
    ran = run("plan", "-f", write_request(WEB, budgets=[budget]))
    assert ran.code == 3
    assert_error(ran.err)
    assert "whole-fleet" in ran.err


def test_no_file_is_written_when_there_is_no_plan(run: Run, tmp_path: Path) -> None:
    assert run("plan", "-f", REQUEST, "--strict", "-o", "no.plan").code == 3
    assert [path.name for path in tmp_path.iterdir() if "plan" in path.name] == []


@pytest.mark.parametrize("what", ["trade/nosuch", "wave 0", "wave 90", "wave", "pdb/x/y", "", "  "])
def test_what_a_plan_does_not_have_cannot_be_explained(run: Run, plan_id: str, what: str) -> None:
    ran = run("explain", plan_id, what)
    assert (ran.code, ran.out) == (1, "")
    assert_error(ran.err)


USAGE = {
    "nothing": [],
    "nothing of the log": ["log"],
    "no such command": ["frobnicate"],
    "no such option": ["status", "--frobnicate"],
    "no such format": ["status", "--format", "xml"],
    "no request": ["plan"],
    "a request that is not there": ["plan", "-f", "none.yaml"],
    "a request that is something else": ["diff", "-f", str(SHOP / "README.md")],
    "no cluster": ["import", str(SHOP / "shanghai")],
    "an effort and a time": ["plan", "-f", str(REQUEST), "--effort", "best", "--time-limit", "9"],
    "no time at all": ["plan", "-f", str(REQUEST), "--time-limit", "0"],
    "an unknown plan": ["show", "0123456789abcdef"],
    "no plan at all": ["show", ""],
    "something else as a plan": ["show", str(REQUEST)],
    "an unknown plan to verify": ["verify", "nosuch"],
    "an unknown plan to simulate": ["simulate", "nosuch"],
    "faults that are none": ["simulate", "nosuch", "--faults", "slw=1"],
    "a seed that is none": ["simulate", "nosuch", "--seed", "-1"],
    "an unknown plan to explain": ["explain", "nosuch", "plan"],
    "no plan to carry out": ["apply"],
    "an unknown plan to carry out": ["apply", "nosuch", "--cluster", "hangzhou=hz"],
    "nothing to approve": ["approve"],
    "nothing to pause": ["pause", "nosuch"],
    "nothing to turn back": ["rollback", "nosuch", "--cluster", "hangzhou=hz"],
    "a position behind the end": ["status", "--at", "9999999"],
    "a time that is none": ["status", "--at", "yesterday"],
    "a time without a zone": ["status", "--at", "2026-11-23T10:00:00"],
    "a database that is none": ["status", "--db", "nonsense"],
    "a schema that is none": ["schema", "nonsense"],
}


@pytest.mark.parametrize("name", USAGE)
def test_a_usage_error_is_64_and_one_line(run: Run, name: str) -> None:
    ran = run(*USAGE[name])
    assert (ran.code, ran.out) == (64, "")
    assert_error(ran.err)


def test_a_key_that_is_not_known_names_the_nearest(
    run: Run, write_request: Callable[..., Path]
) -> None:
    ran = run("plan", "-f", write_request(WEB, budgts=[]))
    assert ran.code == 64
    assert_error(ran.err)
    assert "budgets" in ran.err


@pytest.mark.parametrize("command", [["status"], ["diff", "-f", str(REQUEST)], ["log", "head"]])
def test_a_log_that_is_not_there_is_1_and_not_made(
    run: Run, command: list[str], tmp_path: Path
) -> None:
    ran = run(*command, "--db", "sqlite:///none.db")
    assert (ran.code, ran.out) == (1, "")
    assert_error(ran.err)
    assert not (tmp_path / "none.db").exists()


def test_unusable_input_is_1_and_appends_nothing(run: Run, tmp_path: Path) -> None:
    before = run("log", "head").out
    (tmp_path / "pods.json").write_text('{"kind": "PodList", "apiVersion": "v1", "items": [')
    ran = run("import", "pods.json", "--cluster", "hangzhou")
    assert (ran.code, ran.out) == (1, "")
    assert_error(ran.err)
    assert run("log", "head").out == before


def test_input_of_which_nothing_is_used_is_1(run: Run, tmp_path: Path) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "import"}}
    (tmp_path / "jobs.json").write_text(json.dumps(job))
    ran = run("import", "jobs.json", "--cluster", "hangzhou")
    assert (ran.code, ran.out) == (1, "")
    assert_error(ran.err)
    assert "jobs.json" in ran.err


def test_the_first_import_makes_the_log(run: Run) -> None:
    db = ("--db", "sqlite:///new.db")
    ran = run("import", SHOP / "shanghai", "--cluster", "shanghai", *db, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["position"] == 465
    assert run("status", *db).code == 0


BREAKS = {
    "a payload was changed": "UPDATE commits SET payload = x'00' || payload WHERE position_first=1",
    "a commit was taken out": "DELETE FROM commits WHERE position_first = 1",
    "an author was changed": "UPDATE commits SET author = 'mallory' WHERE position_first = 1",
    "the salt was changed": "UPDATE log_identity SET salt = zeroblob(32)",
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_chain_is_6(run: Run, log_path: Path, name: str) -> None:
    assert run("log", "verify").code == 0
    with sqlite3.connect(log_path) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(BREAKS[name])
    connection.close()
    ran = run("log", "verify")
    assert (ran.code, ran.out) == (6, "")
    assert_error(ran.err)


def test_a_plan_of_another_log_is_a_usage_error_and_64(run: Run) -> None:
    """Its violations would be without number and say nothing."""
    assert run("plan", "-f", REQUEST, "-o", "shop.plan").code == 2
    db = ("--db", "sqlite:///other.db")
    for cluster in ("hangzhou", "shanghai"):
        assert run("import", SHOP / cluster, "--cluster", cluster, *db).code == 0
    ran = run("verify", "shop.plan", *db)
    assert (ran.code, ran.out) == (64, "")
    assert "was made from another log" in ran.err


def test_a_damaged_plan_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("plan", "-f", REQUEST, "-o", "shop.plan").code == 2
    whole = (tmp_path / "shop.plan").read_bytes()
    # In the magic, the first message, the moves, the footer and the seal itself.
    places = (0, 100, 1000, len(whole) // 2, len(whole) - 900, len(whole) - 50, len(whole) - 1)
    flipped = [whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :] for at in places]
    for each in (whole[: len(whole) // 2], b"", *flipped):
        (tmp_path / "half.plan").write_bytes(each)
        ran = run("show", "half.plan")
        assert (ran.code, ran.out) == (64, "")
        assert_error(ran.err)


def test_a_plan_in_the_log_is_named_by_the_beginning_of_its_id(run: Run, plan_id: str) -> None:
    whole = run("show", plan_id, "-o", "json").out
    assert run("show", plan_id[:6], "-o", "json").out == whole


def test_a_plan_file_is_the_plan_of_the_log(run: Run, plan_id: str, log_path: Path) -> None:
    assert run("plan", "-f", REQUEST, "-o", "shop.plan").code == 2
    shutil.move(log_path, log_path.with_name("moved.db"))
    from_file = run("show", "shop.plan", "-o", "jsonl")
    shutil.move(log_path.with_name("moved.db"), log_path)
    assert from_file.code == 0
    assert run("show", plan_id, "-o", "jsonl").out == from_file.out


def assert_error(err: str) -> None:
    """One line, and no trace of the program."""
    assert err.startswith("error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_the_log_may_be_named_before_the_command_or_after_it(run: Run, log_path: Path) -> None:
    elsewhere, here = "sqlite:///nowhere.db", f"sqlite:///{log_path}"

    assert run("--db", elsewhere, "log", "head").code == 1
    assert run("--db", here, "log", "head").out == run("log", "head").out
    assert run("--db", elsewhere, "log", "head", "--db", here).code == 0
    assert run("--db", here, "log", "head", "--db", elsewhere).code == 1


def test_flags_may_stand_before_the_command(run: Run) -> None:
    assert run("-v", "status").out == run("status", "-v").out != run("status").out
