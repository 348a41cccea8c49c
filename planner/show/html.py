"""A plan as one HTML file, for the people who must approve it.

The file asks nobody for anything: styles, scripts and all data are inside, and its content security
policy forbids the network and every script but its own. The verdict (waves, time, proof, warnings)
is plain HTML; the rest is drawn in the browser from two compressed blocks: an index of every pod
(see `pod_index`), and what the charts and tables need of the plan's header.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from html import escape
from importlib import resources
from string import Template
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, TextIO

from planner.plan.book import Book
from planner.show.drains import drains_line
from planner.show.gangs import gang_lines
from planner.show.pod_index import CompressedText, PodIndex
from planner.show.rates import rate_lines
from planner.show.sequences import sequence_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_SCRIPTS: Final = ("plan.js", "grid.js", "charts.js", "pods.js", "tables.js", "start.js")
"""In order of use: they become one module script, so each sees the names of those before it."""

_PODS_NAMED: Final = 5
"""Pods named for each workload in the table of unmovable pods; the search has them all."""

_DIGEST_SHOWN: Final = 12


def render(
    header: Mapping[str, Any], moves: Iterable[Mapping[str, Any]], out: BinaryIO | TextIO
) -> None:
    """Write the plan as one self-contained HTML file.

    Args:
        header: The plan's header.
        moves: The plan's moves in the plan's order; read once and not kept.
        out: Where the page goes; a binary stream gets UTF-8.
    """
    write = _writer(out)
    before, _, after = _asset("page.html").partition("$pods")
    fields = _fields(header)
    write(Template(before).substitute(fields))
    index = PodIndex(write)
    for move in moves:
        index.add_move(move)
    for pod in header["unmovable"]:
        index.add_unmovable(pod)
    index.close()
    write(Template(after).substitute(fields, plan=_plan_block(header, index.held)))


def _writer(out: IO[Any]) -> Callable[[str], object]:
    if hasattr(out, "encoding"):
        return out.write
    return lambda text: out.write(text.encode())


def _asset(name: str) -> str:
    return resources.files("planner.show").joinpath("page", name).read_text(encoding="utf-8")


def _fields(header: Mapping[str, Any]) -> dict[str, str]:
    """Everything that page.html names; all of it is HTML already."""
    style = _asset("page.css")
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    log = header["log"]
    return {
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        "name": escape(header["request"]["metadata"]["name"]),
        "id": escape(header["id"]),
        "position": f"{log['position']:,}",
        "digest": escape(log["digest"]),
        "digest_short": escape(log["digest"][:_DIGEST_SHOWN]),
        "time": escape(header["time"].replace("T", " ").replace("Z", " UTC")),
        "clusters": escape(_listed(header["clusters"])),
        "planner": escape(header["planner"]),
        "facts": _facts(header),
        "proof": _proof(header),
        "warnings": _warnings(header["warnings"]),
    }


def _hash(text: str) -> str:
    """The source expression by which a content security policy allows exactly this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _listed(names: list[str], most: int = 6) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more clusters"


def duration(seconds: float) -> str:
    """Say a duration in its two largest units, as in `3 h 10 min`."""
    whole = round(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def _facts(header: Mapping[str, Any]) -> str:
    totals = header["totals"]
    waves, waves_bound = header["waves"], header["waves_bound"]
    told = header.get("streaming") or header
    seconds, seconds_bound = told["seconds"], told["seconds_bound"]
    asked = [len(wave["approvals"]) for wave in header["per_wave"] if wave["approvals"]]
    saved = totals.get("disruptions_saved", 0)
    facts = [
        _fact(
            "Waves",
            f"{waves:,}",
            _gap(f"{waves_bound:,}", f"{waves - waves_bound:,}"),
            _lines(
                (
                    *sequence_lines(header.get("sequences", ())),
                    *gang_lines(header.get("gangs", ())),
                )
            ),
        ),
        _fact(
            "Time",
            duration(seconds),
            _gap(duration(seconds_bound), duration(max(0, seconds - seconds_bound))),
            _lines(_time_lines(header)),
        ),
        _fact(
            "Moves",
            f"{totals['moves']:,}",
            escape(
                f"of {totals['pods']:,} pods" + (f", {saved:,} disruptions saved" if saved else "")
            ),
            _kinds(totals["kinds"]),
        ),
        _fact(
            "Approvals",
            f"{sum(asked):,}" if asked else "none",
            f"asked after {_count(len(asked), 'wave')}" if asked else "the plan runs through",
        ),
        _fact(
            "Unmovable",
            f"{totals['unmovable']:,}" if totals["unmovable"] else "none",
            '<a href="#unmovable">pods that differ and get no move</a>'
            if totals["unmovable"]
            else "every pod that differs is moved",
        ),
    ]
    if drains := header.get("drains"):
        counted = f"{len(drains):,}"
        facts.insert(
            3, _fact("Nodes drained", counted, escape(drains_line(drains).partition(": ")[2]))
        )
    return "\n".join(facts)


def _time_lines(header: Mapping[str, Any]) -> list[str]:
    lines = rate_lines(header, duration)
    if "streaming" in header:
        return [f"without barriers; {duration(header['seconds'])} with them", *lines]
    return list(lines)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"<br><span>{escape(it)}</span>" for it in lines)


def _fact(label: str, value: str, note: str, more: str = "") -> str:
    """One figure. `label` and `value` are text; `note` and `more` are HTML."""
    return (
        f"<div class=fact><dt>{escape(label)}</dt><dd><b>{escape(value)}</b>"
        f"<span>{note}</span>{more}</dd></div>"
    )


def _gap(bound: str, gap: str) -> str:
    if gap in {"0", "0 s"}:
        return "proven: no plan can do better"
    return f"proven at least {bound}, gap {gap}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _kinds(kinds: Mapping[str, int]) -> str:
    """Moves by kind: a bar for the eye, the numbers for everyone."""
    total = sum(kinds.values()) or 1
    left, bars, numbers = 0.0, [], []
    for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0])):
        width = 100 * count / total
        name = escape(kind)
        bars.append(f'<rect class="kind-{name}" x="{left:.2f}" width="{width:.2f}" height="6"/>')
        numbers.append(f'<li><i class="kind-{name}"></i>{name} {count:,}</li>')
        left += width
    return (
        '<svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(bars)}</svg><ul class=kinds>{''.join(numbers)}</ul>"
    )


def _proof(header: Mapping[str, Any]) -> str:
    proof, bottleneck = header["proof"], header.get("bottleneck")
    time = header["streaming"]["proof"] if "streaming" in header else proof["seconds"]
    rows = [("Waves", proof["waves"]), ("Time", time)]
    parts = []
    for label, certificate in rows:
        if certificate:
            text = f"<p>{escape(certificate['text'])}</p>{_chain(certificate.get('through') or [])}"
            parts.append(f"<dt>{label}</dt><dd>{text}</dd>")
    if bottleneck:
        name = bottleneck["name"]
        code = f"<p><code>{escape(name)}</code></p>" if name else ""
        text = f"<p>{escape(bottleneck['text'])}</p>{code}"
        parts.append(f"<dt>Bottleneck</dt><dd>{text}</dd>")
    return "\n".join(parts)


def _chain(through: list[str]) -> str:
    if not through:
        return ""
    links = "".join(f"<li><code>{escape(name)}</code></li>" for name in through)
    return f"<ol class=chain>{links}</ol>"


def _warnings(warnings: list[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in warnings)
    title = _count(len(warnings), "warning")
    return (
        '<section class=warnings aria-labelledby="warnings-title">'
        f'<h2 id="warnings-title">{title}</h2><ul>{items}</ul></section>'
    )


def _plan_block(header: Mapping[str, Any], held: Mapping[tuple[str, str], int]) -> str:
    plan = {"request": header["request"], "per_wave": _per_wave(header)}
    anywhere: Counter[str] = Counter()
    for (_, cause), moves in held.items():
        anywhere[cause] += moves
    # What the script does not read is a sixth of a large page.
    plan["workloads"] = [_without("held", workload) for workload in header["workloads"]]
    plan["budgets"] = [
        {**_without("workloads", budget), "held": _held(budget, held, anywhere)}
        for budget in header["budgets"]
    ]
    plan["unmovable"] = _unmovable_by_reason(header["unmovable"])
    plan["chain"] = Book(header).critical_chain()
    pieces: list[str] = []
    block = CompressedText(pieces.append)
    block.add(json.dumps(plan, separators=(",", ":")))
    block.close()
    return "".join(pieces)


def _without(name: str, mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


def _per_wave(header: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Waves; of a plan without barriers when the first of its moves begins and the last ends."""
    waves = header["per_wave"]
    if "streaming" not in header:
        return list(waves)
    spans = zip(waves, header["streaming"]["spans"], strict=True)
    return [{**wave, "start_s": begin, "seconds": end - begin} for wave, (begin, end) in spans]


def _held(
    budget: Mapping[str, Any], held: Mapping[tuple[str, str], int], anywhere: Mapping[str, int]
) -> int:
    """Count the moves that a budget held back from an earlier wave, in its cluster or in all."""
    cause = f"budget:{budget['name']}"
    if budget["cluster"] is None:
        return anywhere.get(cause, 0)
    return held.get((budget["cluster"], cause), 0)


def _unmovable_by_reason(unmovable: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Group unmovable pods by reason and remedy, then by workload, the largest groups first."""
    groups: dict[tuple[str, str], Counter[tuple[str, ...]]] = {}
    named: dict[tuple[tuple[str, str], tuple[str, ...]], list[str]] = {}
    for pod in unmovable:
        why = (pod["reason"], pod["remedy"])
        workload = pod["workload"] or {"kind": "", "name": ""}
        place = (pod["cluster"], pod["namespace"], workload["kind"], workload["name"])
        groups.setdefault(why, Counter())[place] += 1
        pods = named.setdefault((why, place), [])
        if len(pods) < _PODS_NAMED:
            pods.append(pod["pod"])
    return [
        {
            "reason": why[0],
            "remedy": why[1],
            "pods": places.total(),
            "places": [
                {"place": place, "pods": count, "named": named[why, place]}
                for place, count in places.most_common()
            ],
        }
        for why, places in sorted(groups.items(), key=lambda group: -group[1].total())
    ]
