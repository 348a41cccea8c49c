"""Uids as numbers are the same where their texts are."""

from __future__ import annotations

import uuid

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from planner.verify.uids import Uids

ALIKE = [
    "ffffffff-ffff-ffff-0000-000000000000",  # as those that are no UUIDs begin
    "ffffffff-ffff-ffff-0000-000000000001",
    "0a0b0c0d-0000-0000-0000-000000000001",
    "0a0b0c0d-0000-0000-0000-000000000002",  # other only where its first half is the same
    "0a0b0c0d-0000-0001-0000-000000000001",
    "0A0B0C0D-0000-0000-0000-000000000001",
    "0a0b0c0d000000000000000000000001",
    "0a0b0c0d-0000-0000-0000-00000000000x",
    "",
    "pod-1",
]
TEXTS = st.lists(st.one_of(st.sampled_from(ALIKE), st.uuids().map(str), st.text()), max_size=12)


@given(TEXTS, TEXTS)
def test_uids_are_found_by_their_text(left: list[str], right: list[str]) -> None:
    uids, wanted = Uids.of(left), Uids.of(right)
    both = Uids.joined((uids, wanted))
    assert list(both) == [both[index] for index in range(len(both))] == left + right
    assert both.firsts().tolist() == [(left + right).index(text) for text in left + right]
    places = [left.index(text) if text in left else -1 for text in right]
    assert uids.find(wanted).tolist() == places


@given(st.lists(st.one_of(st.sampled_from(ALIKE[:5]).map(uuid.UUID), st.uuids()), max_size=8))
def test_uids_are_read_from_their_bytes(uids: list[uuid.UUID]) -> None:
    raw = np.frombuffer(b"".join(each.bytes for each in uids), np.uint8)
    texts = [str(each) for each in uids]
    assert list(Uids.of_bytes(raw)) == texts
    assert Uids.of(texts).find(Uids.of_bytes(raw)).tolist() == [texts.index(it) for it in texts]
