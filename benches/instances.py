"""Instances of project scheduling in folders and archives, by the set to which they belong."""

import csv
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benches.patterson import Project, read

_SUFFIXES = frozenset({".rcp", ".txt"})
_BEST = ("bks", "best", "optimum", "makespan")


@dataclass(frozen=True, slots=True)
class Name:
    """Which instance of which set: `J30_13`, `j302_3` of PSPLIB and `rg300 (13).rcp` are number 13.

    Attributes:
        set: in upper case, such as `J30`.
        number: from 1; what a file calls itself where that is no number.
    """

    set: str
    number: int | str

    def __str__(self) -> str:
        return f"{self.set}_{self.number}"


@dataclass(frozen=True, slots=True)
class Instance:
    """A project and what it is called."""

    name: Name
    project: Project


def name_of(path: Path, wanted: str) -> Name | None:
    """The name of a file if it belongs to the wanted set, by itself or by one of its folders.

    PSPLIB numbers ten instances for each of its parameters: `j302_3` is the thirteenth of J30.
    Others count through: `J30_13`.
    """
    label = wanted.upper()
    stem = path.stem.upper()
    if match := re.fullmatch(rf"{re.escape(label)}\D+0*(\d+)\D*", stem):
        return Name(label, int(match[1]))
    if match := re.fullmatch(rf"{re.escape(label)}([1-9]\d?)_0*(\d+)", stem):
        return Name(label, 10 * (int(match[1]) - 1) + int(match[2]))
    folders = (re.split(r"[^A-Z0-9]", folder.upper())[0] for folder in path.parts[:-1])
    if label in folders or re.fullmatch(rf"{re.escape(label)}(\D.*)?", stem):
        digits = re.search(r"\d+\D*$", stem.removeprefix(label))
        return Name(label, int(re.sub(r"\D", "", digits[0])) if digits else path.stem)
    return None


def files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Names and texts of the files in a folder, its sub-folders and the tar archives in it."""
    found = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    for path in found:
        inside = Path(path.name) if path == folder else path.relative_to(folder)
        if ".tar" in path.suffixes or path.suffix == ".tgz":
            with tarfile.open(path) as archive:
                for member in archive:
                    file = archive.extractfile(member)
                    if file is not None and Path(member.name).suffix.lower() in _SUFFIXES:
                        yield Path(member.name), file.read().decode()
        elif path.is_file() and path.suffix.lower() in _SUFFIXES:
            yield Path(folder.name) / inside, path.read_text()


def instances(folder: Path, wanted: str) -> list[Instance]:
    """The instances of a set in a folder, in the order of their numbers.

    Raises:
        ValueError: a file of the set is not in the format of Patterson.
    """
    found: dict[Name, Instance] = {}
    for path, text in files(folder):
        name = name_of(path, wanted)
        if name is None or name in found:
            continue
        try:
            found[name] = Instance(name, read(text))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return sorted(found.values(), key=lambda each: _place(each.name))


def _place(name: Name) -> tuple[bool, int | str]:
    return isinstance(name.number, str), name.number


def best_known(folder: Path, wanted: str) -> dict[Name, int]:
    """The best known makespans of a set, from tables beside the instances.

    A table is a CSV with a column `instance` and one of `bks`, `best`, `optimum`, `makespan`.
    """
    beside = folder if folder.is_dir() else folder.parent
    best: dict[Name, int] = {}
    for path in sorted(beside.rglob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                name = name_of(Path(row.get("instance") or ""), wanted)
                values = [row[column] for column in _BEST if row.get(column)]
                if name is not None and values:
                    best[name] = int(values[0])
    return best
