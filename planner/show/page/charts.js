// The two charts: when each workload moves, and how much each budget has left.

// The least share of a workload's moves for each level of colour. Most waves hold a few percent of a workload, so the
// steps grow: with equal steps nearly every cell would look the same.
const SHARE_STEPS = [0, 0.05, 0.1, 0.25, 0.5];
const STAGE_COLOURS = 6;
const compare = new Intl.Collator("en", { numeric: true }).compare;

// --- Waves by workload

function workloadRows(plan) {
  const rows = plan.workloads.map((workload) => ({
    ...workload,
    key: keyOf(workload),
    group: `${workload.cluster}/${workload.namespace}`,
    moved: new Map(),
    chain: new Map(),
  }));
  for (const { wave, workloads } of plan.per_wave) {
    for (const [place, moves] of workloads) rows[place].moved.set(wave, moves);
  }
  for (const [wave, place, because] of plan.chain) rows[place].chain.set(wave, because);
  return rows.filter((row) => row.moves > 0);
}

function stageNames(plan) {
  const asked = (plan.request.spec?.stages ?? []).map((stage) => stage.name);
  const met = plan.workloads.flatMap((workload) => (workload.stages ?? []).map((stage) => stage.name));
  return [...new Set([...asked, ...met])];
}

const stageAt = (row, wave) =>
  (row.stages ?? []).find((stage) => stage.first_wave <= wave && wave <= stage.last_wave)?.name ?? null;

const firstLink = (row) => row.chain.keys().next().value ?? Infinity;

const WORKLOAD_ORDERS = {
  chain: (a, b) => (firstLink(a) === firstLink(b) ? WORKLOAD_ORDERS.first(a, b) : firstLink(a) - firstLink(b)),
  first: (a, b) => a.first_wave - b.first_wave || a.last_wave - b.last_wave,
  last: (a, b) => b.last_wave - a.last_wave || a.first_wave - b.first_wave,
  size: (a, b) => b.moves - a.moves,
  name: () => 0,
};

// With groups, the groups stand in the order of their best row; `rows` are put below the heads of their groups.
function grouped(rows) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(row.group)) groups.set(row.group, []);
    groups.get(row.group).push(row);
  }
  return [...groups].flatMap(([name, members]) => [
    { isGroup: true, name, count: members.length, moves: members.reduce((sum, row) => sum + row.moves, 0) },
    ...members,
  ]);
}

const heldBack = (because) => (because ? `held back from the wave before by ${inWords(because)}` : NOTHING_HELD);

function workloadView(stages, isGrouped) {
  const colour = (stage) => Math.max(0, stages.indexOf(stage)) % STAGE_COLOURS;
  return {
    name: "Moves of each workload in each wave",
    corner: html`<span>workload</span><em>moves</em>`,
    bars: true,
    isPicked: (row) => state.workload === row.key,
    label: (row) => row.isGroup
      ? html`<span>${row.name.replace("/", " / ")}</span><em>${number(row.moves)}</em>`
      : html`<span title="${row.key}">${isGrouped() ? `${row.kind}/${row.name}` : row.key}</span><em>${number(row.moves)}</em>`,
    note: (row) => counted(row.count, "workload"),
    cell(row, wave) {
      const moves = row.moved.get(wave);
      if (!moves) return null;
      const level = SHARE_STEPS.filter((step) => moves / row.moves >= step).length;
      const critical = row.chain.has(wave) ? "critical" : "";
      return { className: `stage-${colour(stageAt(row, wave))} level-${level} ${critical}`, text: number(moves) };
    },
    describe(row, wave) {
      const stageList = (row.stages ?? []).map((stage) => `${stage.name} ${number(stage.moves)}`).join(", ");
      const span = `waves ${row.first_wave} to ${row.last_wave}`;
      if (!wave) return [row.key, `${counted(row.moves, "move")} of ${counted(row.pods, "pod")}, ${span}`, stageList];
      const moves = row.moved.get(wave);
      if (!moves) return null;
      let done = 0;
      for (const [each, count] of row.moved) if (each <= wave) done += count;
      const stage = stageAt(row, wave);
      return [
        `${row.key} in wave ${wave}`,
        `${counted(moves, "move")}, ${percent(moves, row.moves)} of its ${number(row.moves)}${stage ? `, stage ${stage}` : ""}`,
        `${number(done)} done after this wave (${percent(done, row.moves)})`,
        ...(row.chain.has(wave) ? [`on the critical chain: ${heldBack(row.chain.get(wave))}`] : []),
      ];
    },
    pick: (row, wave) => toggleState({ workload: row.key, wave: wave && row.moved.has(wave) ? String(wave) : "" }),
  };
}

function showWaves(plan) {
  const rows = workloadRows(plan);
  const stages = stageNames(plan);
  const order = $("waves-order"), group = $("waves-group"), filter = $("waves-filter");
  const grid = new Grid($("waves-grid"), plan.per_wave, workloadView(stages, () => group.checked));
  // Heads above single rows would only double the length.
  group.checked = 2 * new Set(rows.map((row) => row.group)).size <= rows.length;
  const shown = stages.length ? stages : ["moves"];
  put($("waves-legend"), html`
    ${shown.slice(0, STAGE_COLOURS).map((stage, place) => html`<span><i class="swatch stage-${place} level-5"></i>${stage}</span>`)}
    <span>share of the workload's moves ${SHARE_STEPS.map((step, place) =>
      html`<i class="swatch stage-${(shown.length - 1) % STAGE_COLOURS} level-${place + 1}"></i>${place > 0 && `${100 * step}%`}`)} and more</span>
    ${plan.chain.length > 0 && html`<span title="The waves that hold the plan up: each had to wait for the one before."><i class="swatch critical"></i>critical chain</span>`}
    <span><i class="soak"></i>soak before the wave</span><span><i class="approval"></i>approval after the wave</span>
    <span class="hint">Click a cell, a workload or a wave for its pods.</span>`);
  const update = () => {
    const wanted = filter.value.trim().toLowerCase();
    const found = rows.filter((row) => row.key.toLowerCase().includes(wanted));
    found.sort((a, b) => WORKLOAD_ORDERS[order.value](a, b) || compare(a.key, b.key));
    grid.setRows(group.checked ? grouped(found) : found);
    $("waves-count").textContent = `${number(found.length)} of ${counted(rows.length, "workload")}`;
  };
  for (const control of [order, group, filter]) control.addEventListener("input", update);
  update();
}

// --- Budget headroom

const USED_LEVELS = 4;

function budgetRows(plan) {
  const rows = plan.budgets.map((budget) => {
    const spent = budget.limit > 0 ? budget.headroom.filter((left) => left <= 0).length : 0;
    return { ...budget, spent, least: Math.min(...budget.headroom, budget.limit) };
  });
  const share = (row) => (row.limit > 0 ? row.least / row.limit : 1);
  return rows.sort((a, b) => b.held - a.held || b.spent - a.spent || share(a) - share(b) || compare(a.name, b.name));
}

const budgetView = {
  name: "Headroom of each budget in each wave",
  corner: html`<span>budget</span><em>held back</em><em>limit</em>`,
  bars: false,
  isPicked: () => false,
  label: (row) => html`<span title="${row.name}">${row.name}${row.cluster && html` <small>${row.cluster}</small>`}</span><em>${row.held > 0 && number(row.held)}</em><em>${number(row.limit)}</em>`,
  cell(row, wave) {
    const left = row.headroom[wave - 1];
    if (row.limit <= 0) return { className: "shut", text: "" };
    if (left <= 0) return { className: "none", text: number(left), always: true };
    if (left >= row.limit) return null;
    const level = Math.max(1, Math.ceil(USED_LEVELS * (1 - left / row.limit)));
    return { className: `used-${level}`, text: number(left) };
  },
  describe(row, wave) {
    const where = row.cluster ? `${row.name} in ${row.cluster}` : row.name;
    const several = row.instances > 1 ? `, the tightest of ${number(row.instances)}` : "";
    const left = row.headroom[wave - 1];
    const shut = row.limit <= 0 && "allows no disruption at all";
    const about = [`${row.source}: ${row.resolved}`, row.down > 0 && `${counted(row.down, "pod")} down before wave 1`];
    const held = `holds ${counted(row.held, "move")} back from an earlier wave`;
    if (!wave) return [where, held, shut || `none left in ${counted(row.spent, "wave")} of ${row.headroom.length}`, ...about];
    return [`${where}, wave ${wave}`, shut || `${number(left)} of ${number(row.limit)} left${several}`, ...about];
  },
  pick: (row, wave) => { if (wave) toggleState({ wave: String(wave), workload: "" }); },
};

function showBudgets(plan) {
  const rows = budgetRows(plan);
  const filter = $("budgets-filter"), binding = $("budgets-binding");
  const grid = new Grid($("budgets-grid"), plan.per_wave, budgetView);
  put($("budgets-legend"), html`<span><i class="swatch none"></i>none left</span>
    <span>in use ${[1, 2, 3, 4].map((level) => html`<i class="swatch used-${level}"></i>`)} nearly all</span>
    <span><i class="swatch shut"></i>allows no disruption</span>
    <span class="hint">Those that hold most moves back from an earlier wave come first.</span>`);
  const update = () => {
    const wanted = filter.value.trim().toLowerCase();
    const found = rows.filter((row) => (!binding.checked || row.held > 0)
      && `${row.cluster ?? ""}/${row.name}`.toLowerCase().includes(wanted));
    grid.setRows(found);
    const holding = found.filter((row) => row.held > 0).length;
    $("budgets-count").textContent = `${number(found.length)} of ${counted(rows.length, "budget")}, ${number(holding)} hold moves back`;
  };
  for (const control of [filter, binding]) control.addEventListener("input", update);
  update();
}
