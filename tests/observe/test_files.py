"""Recorded input is found and unpacked, or refused with the byte that is to blame."""

import gzip
import io
import json
import lzma
import os
import random
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import InputError
from planner.observe.files import find_sources
from planner.observe.source import Source

POD_LIST: dict[str, Any] = {
    "kind": "PodList",
    "apiVersion": "v1",
    "items": [
        {"metadata": {"name": f"cart-{i}", "creationTimestamp": "2026-11-23T09:29:12Z"}}
        for i in range(3)
    ],
}
EVENTS = [
    {"t": 1.5, "resource": "pods", "event": {"type": "ADDED", "object": {"kind": "Pod"}}},
    {"t": 2.5, "resource": "pods", "event": {"type": "DELETED", "object": {"kind": "Pod"}}},
]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda text: text,
    ".gz": lambda text: gzip.compress(text, mtime=0),
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


def lines(values: list[Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def found(*paths: Path, stdin: bytes = b"", bytes_max: int = 1 << 30) -> list[Source]:
    return list(find_sources(paths, io.BytesIO(stdin), bytes_max=bytes_max))


def written(directory: Path, name: str, content: bytes) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refusal(*paths: Path, stdin: bytes = b"", bytes_max: int = 1 << 30) -> InputError:
    with pytest.raises(InputError) as caught:
        found(*paths, stdin=stdin, bytes_max=bytes_max)
    return caught.value


def archive_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("pods.json", json.dumps(POD_LIST).encode(), "list"),
        ("pretty.json", json.dumps(POD_LIST, indent=4).encode(), "list"),
        ("pods.yaml", yaml.safe_dump(POD_LIST).encode(), "list"),
        ("watch.jsonl", lines(EVENTS), "watch"),
    ],
)
def test_every_form_is_the_same_however_it_is_packed(
    tmp_path: Path, name: str, text: bytes, form: str, suffix: str
) -> None:
    (source,) = found(written(tmp_path, name + suffix, PACKERS[suffix](text)))

    assert source.form == form
    if form == "list":
        assert json.loads(source.text) == POD_LIST
    else:
        assert [json.loads(line) for line in source.text.splitlines()] == EVENTS


@pytest.mark.parametrize("suffix", PACKERS)
def test_what_is_packed_is_told_by_content_when_the_name_says_nothing(
    tmp_path: Path, suffix: str
) -> None:
    packed = PACKERS[suffix](json.dumps(POD_LIST).encode())

    (source,) = found(written(tmp_path, "pods", packed))
    (piped,) = found(Path("-"), stdin=packed)

    assert json.loads(source.text) == json.loads(piped.text) == POD_LIST
    assert piped.name == "standard input"


@pytest.mark.parametrize("suffix", PACKERS)
def test_an_archive_gives_its_files_in_its_order(tmp_path: Path, suffix: str) -> None:
    one = json.dumps(POD_LIST).encode()
    files = {"a/z.json": one, "a/b.json.xz": lzma.compress(one), "a/.c.json": b"!", "README": b"!"}
    path = written(tmp_path, "all.tar" + suffix, PACKERS[suffix](archive_of(files)))

    sources = found(path)

    assert [source.name for source in sources] == [f"{path}:a/z.json", f"{path}:a/b.json.xz"]
    assert all(json.loads(source.text) == POD_LIST for source in sources)


def test_a_directory_is_read_by_name_without_hidden_and_foreign_files(tmp_path: Path) -> None:
    text = json.dumps(POD_LIST).encode()
    for name in (
        "b.json",
        "bz.json",
        "c.json",
        "a/x.yml",
        "a/w.JSON.GZ",
        ".hidden.json",
        ".git/c.json",
        "README.md",
    ):
        written(tmp_path, name, gzip.compress(text) if name.endswith("GZ") else text)

    names = [Path(source.name).relative_to(tmp_path).as_posix() for source in found(tmp_path)]

    assert names == ["a/w.JSON.GZ", "a/x.yml", "b.json", "bz.json", "c.json"]


def test_members_that_follow_each_other_and_zeros_after_them_are_one_file(tmp_path: Path) -> None:
    text = json.dumps(POD_LIST).encode()
    for suffix in (".gz", ".xz", ".zst"):
        pack = PACKERS[suffix]
        both = pack(text[:10]) + pack(text[10:]) + bytes(512)

        (source,) = found(written(tmp_path, f"pods.json{suffix}", both))

        assert json.loads(source.text) == POD_LIST


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_a_packed_file_that_is_cut_off_is_refused_at_its_end(tmp_path: Path, suffix: str) -> None:
    packed = PACKERS[suffix](os.urandom(20_000).hex().encode())
    for size in (7, 5000, len(packed) - 1):
        error = refusal(written(tmp_path, f"pods.json{suffix}", packed[:size]))

        assert error.offset == size
        assert "cut off" in str(error)


DECODERS: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(31),
    ".xz": lzma.LZMADecompressor,
    ".zst": lambda: zstandard.ZstdDecompressor().decompressobj(),
}


@pytest.mark.parametrize("suffix", DECODERS)
@pytest.mark.parametrize("at", [7, 12, 4200, -9])
def test_a_damaged_byte_is_refused_where_a_decoder_notices_it(
    tmp_path: Path, suffix: str, at: int
) -> None:
    packed = bytearray(PACKERS[suffix](random.Random(7).randbytes(9000)))
    packed[at] ^= 0xFF
    noticed = next(
        (size - 1 for size in range(len(packed) + 1) if refuses(DECODERS[suffix](), packed[:size])),
        None,
    )

    error = refusal(written(tmp_path, f"pods.json{suffix}", bytes(packed)))

    if noticed is None:  # nothing checks this byte
        assert "is not UTF-8 text" in str(error)
    else:
        assert error.offset == noticed
        assert "damaged" in str(error)


def refuses(decoder: Any, packed: bytearray) -> bool:  # noqa: ANN401 -- three kinds
    try:
        decoder.decompress(bytes(packed))
    except (zlib.error, lzma.LZMAError, zstandard.ZstdError):
        return True
    return False


def test_what_follows_a_packed_file_is_refused_where_it_begins(tmp_path: Path) -> None:
    packed = gzip.compress(b"{}", mtime=0)

    error = refusal(written(tmp_path, "pods.json.gz", packed + b"rest"))

    assert error.offset == len(packed)
    assert "something else follows the gzip data" in str(error)


def test_a_zstd_frame_to_skip_is_skipped(tmp_path: Path) -> None:
    skip = b"\x5e\x2a\x4d\x18\x03\x00\x00\x00abc"
    packed = PACKERS[".zst"](b'{"kind":"Pod"}')

    (source,) = found(written(tmp_path, "pods.json.zst", skip + packed + skip))

    assert source.text == b'{"kind":"Pod"}'


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("pods.json.gz", b"{}", "is named like gzip but holds something else"),
        ("pods.json.gz", lzma.compress(b"{}"), "is named like gzip but holds xz data"),
        ("pods.json", b"BZh91AY&SY", "is bzip2 data; unpack it, or use gz, xz or zst"),
        ("pods.json.zst", b"", "is empty"),
        ("pods.json", b" \n", "is empty"),
        ("pods.json.xz", lzma.compress(b""), "is empty"),
        ("pods.json", "{}".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_at_its_first_byte(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    error = refusal(written(tmp_path, name, content))

    assert error.offset == 0
    assert says in str(error)
    assert name in str(error)


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, suffix: str) -> None:
    packed = PACKERS[suffix](b" " * 2_000_000)

    error = refusal(written(tmp_path, f"pods.json{suffix}", packed), bytes_max=1_000_000)

    assert "1000000 bytes" in str(error)


def test_a_bomb_of_many_small_files_is_refused(tmp_path: Path) -> None:
    packed = lzma.compress(archive_of({f"{n}.json": b'{"kind":"Pod"}' for n in range(100)}))

    assert len(found(written(tmp_path, "all.tar.xz", packed), bytes_max=200_000)) == 100
    assert "50000 bytes" in str(refusal(tmp_path / "all.tar.xz", bytes_max=50_000))


def test_an_archive_that_is_cut_off_between_files_is_refused(tmp_path: Path) -> None:
    whole = archive_of({"a.json": b"{}", "b.json": b"{}"})

    assert len(found(written(tmp_path, "all.tar", whole))) == 2
    for size in (1024, 1536, 2048, 1300):
        error = refusal(written(tmp_path, "all.tar", whole[:size]))
        assert "damaged or cut off" in str(error)


def test_a_damaged_header_in_an_archive_is_refused_where_it_is(tmp_path: Path) -> None:
    whole = bytearray(archive_of({"a.json": b"{}", "b.json": b"{}"}))
    whole[1024 + 150] ^= 1  # in the checksum of the second header

    error = refusal(written(tmp_path, "all.tar", bytes(whole)))

    assert error.offset == 1024


def test_paths_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    written(tmp_path, "only/README.md", b"hello")

    assert "there is no such file" in str(refusal(tmp_path / "none.json"))
    assert "has no file that ends in .json" in str(refusal(tmp_path / "only"))
    assert "is an archive without" in str(
        refusal(written(tmp_path, "a.tar", archive_of({"README": b"hello"})))
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "pods.json", b"{}")
    path.chmod(0)

    assert "may not be read" in str(refusal(path))


MAGICS = st.sampled_from(
    [b"", b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"{", b"[", b"---\n", b"a: "]
)


@given(head=MAGICS, rest=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(head: bytes, rest: bytes) -> None:
    read_or_refused(head + rest)


@given(
    pack=st.sampled_from(sorted(PACKERS)),
    shape=st.sampled_from(["list", "watch", "yaml", "tar"]),
    at=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0, 255),
)
def test_one_wrong_byte_is_read_or_refused(pack: str, shape: str, at: float, byte: int) -> None:
    text = json.dumps(POD_LIST).encode()
    content = {
        "list": text,
        "watch": lines(EVENTS),
        "yaml": yaml.safe_dump(POD_LIST).encode(),
        "tar": archive_of({"a.json": text, "b.json": text}),
    }[shape]
    packed = bytearray(PACKERS[pack](content))
    packed[int(at * len(packed))] = byte
    read_or_refused(bytes(packed))


def read_or_refused(content: bytes) -> None:
    try:
        for source in find_sources([Path("-")], io.BytesIO(content)):
            assert source.locate(0)
    except InputError as caught:
        error = caught
    else:
        return
    assert error.offset is None or error.offset >= 0
    assert "\n" not in str(error)
