import tarfile
from pathlib import Path

import pytest

from benches.instances import Name, best_known, instances, name_of
from benches.patterson import Project, read, written
from benches.progen import J120, generate
from benches.psplib import critical_path, main, violations

# Three activities over one resource of 2, between a first and a last one; the third leaves no room
# for the others: 3 + 4.
SMALL = """ 5 1
 2
 0 0 3  2 3 4
 2 1 1  5
 3 1 1  5
 4 2 1  5
 0 0 0
"""
BEST = "instance,bks\nJ30_1.txt,7\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "j301_1.rcp").write_text(SMALL)
    (tmp_path / "best.csv").write_text(BEST)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], folder: Path, wanted: str) -> tuple[int, list[str]]:
    code = main(["--instances", str(folder), "--set", wanted, "--schedules", "50"])
    return code, capsys.readouterr().out.splitlines()


def test_the_table_ends_with_the_mean_over_the_best_known(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert run(capsys, folder, "J30") == (
        0,
        [
            "INSTANCE    MAKESPAN  BOUND  CRITICAL PATH   OVER IT  BEST KNOWN   OVER IT  SCHEDULES",
            "J30_1              7      7              4   75.00 %           7    0.00 %          2",
            "1 instances, 1 proven shortest by the bound; every schedule holds",
            "mean over the critical path: 75.000 %",
            "mean over the best known: 0.000 % (1 of 1 reached)",
        ],
    )


@pytest.mark.parametrize("wanted", ["J120", "j120"])
def test_large_sets_end_with_the_mean_over_the_critical_path(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, wanted: str
) -> None:
    (tmp_path / "J120").mkdir()
    (tmp_path / "J120" / "j1201_1.rcp").write_text(SMALL)
    code, lines = run(capsys, tmp_path, wanted)
    assert (code, lines[-1]) == (0, "mean over the critical path: 75.000 %")


def test_instances_are_read_from_archives(tmp_path: Path) -> None:
    (tmp_path / "J30_2.txt").write_text(SMALL)
    with tarfile.open(tmp_path / "instances.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "J30_2.txt", "J30_2.txt")
        archive.add(tmp_path / "J30_2.txt", "inside/J60_7.txt")
    (tmp_path / "J30_2.txt").unlink()
    found = [[str(each.name) for each in instances(tmp_path, name)] for name in ("J30", "J60")]
    assert found == [["J30_2"], ["J60_7"]]
    assert len(instances(tmp_path / "instances.tar.xz", "J60")) == 1


def test_without_instances_the_bench_says_so_in_a_line(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    nowhere = folder / "nowhere"
    skipped = f"Skipped: there are no instances at {nowhere}."
    assert run(capsys, nowhere, "J30") == (0, [skipped])
    code, (line,) = run(capsys, folder, "J60")
    assert code == 1
    assert line.startswith("Nothing of J60 is in")


@pytest.mark.parametrize(
    ("path", "wanted", "number"),
    [
        ("J30_17.txt", "j30", 17),
        ("j302_3.rcp", "J30", 13),
        ("j6048_10.rcp", "J60", 480),
        ("j12060_10.rcp", "J120", 600),
        ("J120_600.rcp", "J120", 600),
        ("RG300_007.rcp", "rg300", 7),
        ("rg300 (12).rcp", "RG300", 12),
        ("J120.rcp/X9.RCP", "J120", 9),
        ("deep/RG300/Pat480.rcp", "RG300", 480),
        ("J30/oddly-named.rcp", "J30", "oddly-named"),
        ("J300_17.txt", "J30", None),
        ("J120_17.txt", "J12", None),
        ("j1201_1.rcp", "J30", None),
        ("J60_17.txt", "J30", None),
    ],
)
def test_files_belong_to_sets_by_their_names(
    path: str, wanted: str, number: int | str | None
) -> None:
    expected = None if number is None else Name(wanted.upper(), number)
    assert name_of(Path(path), wanted) == expected


def test_tables_name_instances_as_their_files_do(folder: Path) -> None:
    assert best_known(folder, "j30") == {Name("J30", 1): 7}
    assert best_known(folder, "J60") == {}


def test_what_a_schedule_violates_is_named() -> None:
    project = read(SMALL)
    assert critical_path(project) == 4
    assert list(violations(project, [0, 0, 0, 3, 7])) == []
    assert list(violations(project, [0, 0, 0, 3, 6])) == [
        "activity 5 starts before activity 4 is finished"
    ]
    assert list(violations(project, [0, 0, 0, 2, 7])) == ["3 of 2 of resource 1 are held at 2"]
    assert list(violations(project, [-1, 0, 0, 3, 7])) == ["an activity starts before the project"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALL + " 1", "goes on after the last activity"),
        (SMALL[:-4], "ends before the last activity"),
        ("five", "invalid literal"),
    ],
)
def test_a_file_that_is_not_a_project_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "J30_1.rcp").write_text(text)
    with pytest.raises(ValueError, match=rf"J30_1.rcp: .*{message}"):
        instances(tmp_path, "J30")


@pytest.mark.parametrize("shape", J120[::7])
def test_generated_projects_are_what_was_asked_for(shape: object) -> None:
    (found,) = [each for each in J120 if each == shape]
    project = generate(found, 3)
    assert project == generate(found, 3)
    assert project != generate(found, 4)
    assert read(written(project)) == project
    assert len(project.durations) == 122
    complexity = sum(map(len, project.successors)) / 122
    assert complexity == pytest.approx(found.complexity, abs=0.2)
    assert not redundant(project)


def redundant(project: Project) -> list[tuple[int, int]]:
    """Precedences that follow from others."""
    reach: list[set[int]] = [set() for _ in project.successors]
    for activity in reversed(range(len(reach))):
        for after in project.successors[activity]:
            reach[activity] |= {after} | reach[after]
    return [
        (activity, after)
        for activity, row in enumerate(project.successors)
        for after in row
        if any(after in reach[other] for other in row)
    ]
