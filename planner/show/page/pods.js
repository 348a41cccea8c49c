// The search: every pod of the plan by a part of its name, by workload and by wave. `planner.show.pod_index` writes the
// index and says how it is laid out.

const PODS_SHOWN = 200;
const SEARCH_SLICE_MS = 30;
const SEARCH_DELAY_MS = 80;
const NO_WAVE = 0;

class PodIndex {
  constructor({ tails, places, heads, fates, runs }) {
    for (const column of ["place", "fate", "head"]) {
      let at = 0;
      runs[column] = runs[column].map((step) => { at += step; return at; });
    }
    Object.assign(this, { tails, heads, fates, runs });
    this.places = places.map(([cluster, namespace, kind, name]) => ({ cluster, namespace, kind, name }));
    this.keys = this.places.map(keyOf);
    let start = 0;
    this.starts = runs.count.map((count, run) => {
      const own = start;
      start += count * runs.width[run];
      return own;
    });
  }

  // Counts every match and returns the first `most`. Stops early, with null, when `isStale` says that nobody waits.
  async find({ q, wave, workload }, most, isStale) {
    const { runs } = this;
    const wanted = q.trim().toLowerCase();
    const onlyWave = wave === "none" ? NO_WAVE : wave && Number(wave);
    const pods = [];
    let total = 0;
    let pause = performance.now() + SEARCH_SLICE_MS;
    for (let run = 0; run < runs.wave.length; run += 1) {
      if (wave && runs.wave[run] !== onlyWave) continue;
      if (workload && this.keys[runs.place[run]] !== workload) continue;
      total += this.#findInRun(run, wanted, pods, most);
      if (run % 256 === 0 && performance.now() > pause) {
        await new Promise((resume) => { setTimeout(resume); });
        if (isStale()) return null;
        pause = performance.now() + SEARCH_SLICE_MS;
      }
    }
    return { total, pods };
  }

  #findInRun(run, wanted, pods, most) {
    const { wave, place, fate, head, width, count } = this.runs;
    const { cluster, namespace } = this.places[place[run]];
    const name = this.heads[head[run]];
    const before = (wanted.includes("/") ? `${cluster}/${namespace}/${name}` : name).toLowerCase();
    const isAll = before.includes(wanted);
    // Only this much of the head can take part in a match that reaches into the tail.
    const overlap = wanted.length > 1 ? before.slice(1 - wanted.length) : "";
    let total = 0;
    for (let pod = 0; pod < count[run]; pod += 1) {
      const start = this.starts[run] + pod * width[run];
      const tail = this.tails.slice(start, start + width[run]);
      if (!isAll && !(overlap + tail.toLowerCase()).includes(wanted)) continue;
      total += 1;
      if (pods.length < most) {
        pods.push({ wave: wave[run], place: this.places[place[run]], pod: name + tail, ...this.fates[fate[run]] });
      }
    }
    return total;
  }
}

function podRow(pod, wanted) {
  const { cluster, namespace, kind, name } = pod.place;
  const at = pod.pod.toLowerCase().indexOf(wanted);
  const marked = wanted && at >= 0
    ? html`${pod.pod.slice(0, at)}<mark>${pod.pod.slice(at, at + wanted.length)}</mark>${pod.pod.slice(at + wanted.length)}`
    : pod.pod;
  const where = html`<td>${cluster}</td><td>${namespace}</td><td class="pod">${marked}</td><td>${kind}/${name}</td>`;
  if (pod.wave === NO_WAVE) {
    return html`<tr class="stays"><td>none</td><td colspan="2">no move</td>${where}<td
      colspan="2">${pod.reason}; remedy: ${pod.remedy}</td></tr>`;
  }
  const images = Object.entries(pod.containers).map(([container, image]) => html`<div><b>${container}</b> ${image}</div>`);
  const because = pod.because.map((cause) => html`<span class="cause">${inWords(cause)}</span>`);
  return html`<tr><td><button type="button" data-wave="${pod.wave}">${pod.wave}</button></td><td>${pod.stage ?? ""}</td>
    <td><i class="swatch kind-${pod.kind}"></i>${pod.kind}</td>${where}<td>${images}</td>
    <td>${because.length ? because : NOTHING_HELD}</td></tr>`;
}

const PODS_HEAD = html`<thead><tr><th>wave</th><th>stage</th><th>kind</th><th>cluster</th><th>namespace</th><th>pod</th>
  <th>workload</th><th>containers</th><th>held back by</th></tr></thead>`;

function showChips() {
  const names = {
    wave: state.wave === "none" ? "unmovable" : `wave ${state.wave}`,
    workload: state.workload,
  };
  put($("chips"), Object.entries(names).filter(([name]) => state[name]).map(([name, text]) =>
    html`<button type="button" data-drop="${name}" aria-label="Remove the filter ${text}">${text} <i>\u00d7</i></button>`));
}

function showPods() {
  let index = null;
  let asked = 0;
  let timer = 0;
  const drawer = $("pods");

  const search = async (most) => {
    const turn = ++asked;
    const isWanted = Boolean(state.q || state.wave || state.workload);
    drawer.hidden = !isWanted;
    document.body.classList.toggle("with-pods", isWanted);
    if (!isWanted) return;
    if (!index) $("pods-count").textContent = "Reading the pods\u2026";
    index ??= load("pods-data").then((data) => new PodIndex(data));
    const found = await (await index).find(state, most, () => turn !== asked);
    if (!found || turn !== asked) return;
    const { total, pods } = found;
    const shown = total > pods.length ? `, the first ${number(pods.length)} shown` : "";
    $("pods-count").textContent = total ? `${counted(total, "pod")}${shown}` : "No pod of this plan matches. Pods that are up to date already are not in it.";
    const wanted = state.q.trim().toLowerCase().split("/").pop();
    put($("pods-table"), html`${total > 0 && html`<table>${PODS_HEAD}<tbody>${pods.map((pod) => podRow(pod, wanted))}</tbody></table>`}
      ${total > pods.length && html`<button type="button" data-more="${most + PODS_SHOWN}">Show ${number(Math.min(PODS_SHOWN, total - pods.length))} more</button>`}`);
  };
  const fail = (error) => { $("pods-count").textContent = `The pods cannot be read: ${error.message}. Make the page again.`; };
  const run = (most = PODS_SHOWN) => search(most).catch(fail);

  listeners.push(() => {
    if ($("q").value !== state.q) $("q").value = state.q;
    showChips();
    run();
  });
  $("q").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => writeState({ q: $("q").value }), SEARCH_DELAY_MS);
  });
  $("chips").addEventListener("click", (event) => {
    const chip = event.target.closest("[data-drop]");
    if (chip) writeState({ [chip.dataset.drop]: "" });
  });
  $("pods-close").addEventListener("click", () => writeState({ q: "", wave: "", workload: "" }));
  $("pods-table").addEventListener("click", (event) => {
    const { wave, more } = event.target.dataset;
    if (wave) toggleState({ wave });
    if (more) run(Number(more));
  });
}
