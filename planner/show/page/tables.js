// The tables below the charts: pods that get no move, and the waves one by one.

const BAR_WIDTH = 120;
const APPROVALS_SHOWN = 3;

function unmovableRow({ reason, remedy, pods, places }) {
  const places_ = places.map(({ place: [cluster, namespace, kind, name], pods: count, named }) => {
    const key = keyOf({ cluster, namespace, kind, name });
    const names = named.join(", ") + (count > named.length ? " \u2026" : "");
    return html`<li><button type="button" data-stays="${key}">${key}</button> ${number(count)}<span class="names">${names}</span></li>`;
  });
  return html`<tr><td class="figure">${number(pods)}</td><td>${reason}</td><td>${remedy}</td>
    <td><details ${places.length <= 3 && html`open`}><summary>${counted(places.length, "workload")}</summary><ul>${places_}</ul></details></td></tr>`;
}

function showUnmovable(plan) {
  const table = $("unmovable-table");
  if (!plan.unmovable.length) {
    put(table, html`<p class="empty">Every pod that differs from the target has a move.</p>`);
    return;
  }
  put(table, html`<table><thead><tr><th class="figure">pods</th><th>reason</th><th>remedy</th><th>where</th></tr></thead>
    <tbody>${plan.unmovable.map(unmovableRow)}</tbody></table>`);
  table.addEventListener("click", (event) => {
    const key = event.target.dataset.stays;
    if (key) toggleState({ workload: key, wave: "none" });
  });
}

function approvalsCell(approvals) {
  const list = (texts) => html`<ul>${texts.map((text) => html`<li><i class="approval"></i>${text}</li>`)}</ul>`;
  if (approvals.length <= APPROVALS_SHOWN) return list(approvals);
  return html`<details><summary><i class="approval"></i>${counted(approvals.length, "approval")}</summary>${list(approvals)}</details>`;
}

function kindBar(wave, kinds, most) {
  let left = 0;
  const parts = kinds.map((kind) => {
    const width = (BAR_WIDTH * (wave.kinds[kind] ?? 0)) / most;
    const part = html`<rect class="kind-${kind}" x="${left}" width="${width}" height="10"/>`;
    left += width;
    return part;
  });
  return html`<svg width="${BAR_WIDTH}" height="10" aria-hidden="true">${parts}</svg>`;
}

function showTimetable(plan) {
  const totals = new Map();
  for (const { kinds } of plan.per_wave) {
    for (const [kind, count] of Object.entries(kinds)) totals.set(kind, (totals.get(kind) ?? 0) + count);
  }
  const kinds = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
  const most = Math.max(1, ...plan.per_wave.map((wave) => wave.moves));
  const row = (wave) => html`<tr data-wave="${wave.wave}">
    <td class="figure"><button type="button" data-wave="${wave.wave}" aria-label="Pods of wave ${wave.wave}">${wave.wave}</button></td>
    <td class="figure">${wave.waits_s > 0 && html`<i class="soak"></i>${duration(wave.waits_s)}`}</td>
    <td class="figure">${wave.start_s ? duration(wave.start_s) : "at once"}</td><td class="figure">${duration(wave.seconds)}</td>
    <td class="figure">${number(wave.moves)}</td><td>${kindBar(wave, kinds, most)}</td>
    ${kinds.map((kind) => html`<td class="figure">${wave.kinds[kind] ? number(wave.kinds[kind]) : ""}</td>`)}
    <td class="figure">${number(wave.workloads.length)}</td><td>${approvalsCell(wave.approvals)}</td></tr>`;
  put($("timetable-table"), html`<table><thead><tr><th class="figure">wave</th><th class="figure">soak before</th>
    <th class="figure">starts after</th><th class="figure">runs</th><th class="figure">moves</th><th></th>
    ${kinds.map((kind) => html`<th class="figure"><i class="swatch kind-${kind}"></i>${kind}</th>`)}
    <th class="figure">workloads</th><th>approvals after it</th></tr></thead><tbody>${plan.per_wave.map(row)}</tbody></table>`);
  $("timetable-table").addEventListener("click", (event) => {
    if (event.target.matches("button[data-wave]")) toggleState({ wave: event.target.dataset.wave });
  });
  const mark = () => {
    for (const line of $("timetable-table").querySelectorAll("tbody tr")) {
      line.classList.toggle("picked", line.dataset.wave === state.wave);
    }
  };
  listeners.push(mark);
}
