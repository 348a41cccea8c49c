// A table of rows by waves. Only the rows in view are in the document, so thousands of rows scroll smoothly; it is
// still a real table, so it prints, takes the colours of the style sheet and can be read aloud.

const ROW_PX = 22;
const LABEL_PX = 320;
const ROWS_BEYOND_VIEW = 6;
const ROWS_PRINTED = 400;
const COLUMN_PX = { least: 13, most: 84, withText: 26 };
const TIME_LABEL_PX = 40;

// A view says what the rows mean:
//   name, corner       the table's name and the head of its first column
//   label(row)         markup of the first column
//   note(row)          what a group's row says beside its label
//   cell(row, wave)    null when empty, else { className, text }
//   describe(row, wave) lines of the tooltip; wave 0 is the row as a whole
//   pick(row, wave)    a click or Enter
//   isPicked(row)      whether the URL's filters name the row
//   bars               whether the head shows the moves of each wave
class Grid {
  #view; #waves; #table; #root;
  #rows = [];
  #drawn = [0, 0];
  #at = null;
  #columnPx = COLUMN_PX.least;
  #width = 0;
  #heightPx = 0;
  #printing = false;
  #frame = 0;

  constructor(root, waves, view) {
    this.#root = root;
    this.#waves = waves;
    this.#view = view;
    put(root, html`<table role="grid" tabindex="0" aria-label="${view.name}" aria-colcount="${waves.length + 1}">
      <colgroup></colgroup><thead></thead><tbody></tbody></table>`);
    this.#table = root.firstElementChild;
    this.#listen();
  }

  setRows(rows) {
    this.#rows = rows;
    this.#at = null;
    this.#root.scrollTop = 0;
    this.#table.setAttribute("aria-rowcount", rows.length);
    if (this.#width) this.#redraw();
    else this.#fit();
  }

  // Draws everything anew when the room for it has changed.
  #fit() {
    if (this.#width === this.#root.clientWidth) return;
    this.#width = this.#root.clientWidth;
    // What the table may grow to, since it is as low as its rows, and those are not drawn yet.
    this.#heightPx = parseFloat(getComputedStyle(this.#root).maxHeight);
    const room = this.#width - LABEL_PX;
    const { least, most } = COLUMN_PX;
    this.#columnPx = Math.max(least, Math.min(most, room / Math.max(1, this.#waves.length)));
    this.#table.style.width = `${LABEL_PX + this.#columnPx * this.#waves.length}px`;
    this.#drawColumns();
    this.#drawHead();
    this.#redraw();
    this.#markPicked();
  }

  #redraw() {
    const [, , body] = this.#table.children;
    put(body, html`<tr class="space"><td></td></tr><tr class="space"><td></td></tr>`);
    this.#drawn = [0, 0];
    this.#draw();
  }

  // Rows that stay in view stay in the document; laying them all out again would make scrolling jerk.
  #draw() {
    this.#frame = 0;
    const [first, end] = this.#window();
    const [, , body] = this.#table.children;
    const top = body.firstElementChild, bottom = body.lastElementChild;
    let [start, stop] = this.#drawn;
    for (; start < stop && start < first; start += 1) top.nextElementSibling.remove();
    for (; stop > start && stop > end; stop -= 1) bottom.previousElementSibling.remove();
    if (start === stop) start = stop = first;
    top.insertAdjacentHTML("afterend", this.#rowsMarkup(first, start));
    bottom.insertAdjacentHTML("beforebegin", this.#rowsMarkup(stop, end));
    top.style.height = `${first * ROW_PX}px`;
    bottom.style.height = `${(this.#rows.length - end) * ROW_PX}px`;
    this.#drawn = [first, end];
  }

  #rowsMarkup(first, end) {
    return markupOf(this.#rows.slice(first, end).map((row, place) => this.#rowMarkup(row, first + place)));
  }

  #window() {
    if (this.#printing) return [0, Math.min(this.#rows.length, ROWS_PRINTED)];
    const first = Math.floor(this.#root.scrollTop / ROW_PX) - ROWS_BEYOND_VIEW;
    const shown = Math.ceil(this.#heightPx / ROW_PX) + 2 * ROWS_BEYOND_VIEW;
    const start = Math.max(0, Math.min(first, this.#rows.length - shown));
    return [start, Math.min(this.#rows.length, start + shown)];
  }

  #rowMarkup(row, index) {
    if (row.isGroup) {
      return html`<tr class="group" aria-rowindex="${index + 1}"><th scope="rowgroup">${this.#view.label(row)}</th><td
        colspan="${this.#waves.length}">${this.#view.note(row)}</td></tr>`;
    }
    const cells = this.#waves.map(({ wave }) => {
      const cell = this.#view.cell(row, wave);
      const text = cell && (cell.always || this.#columnPx >= COLUMN_PX.withText) ? cell.text : "";
      return cell ? html`<td class="${cell.className}">${text}</td>` : html`<td></td>`;
    });
    const picked = this.#view.isPicked(row) ? "picked" : "";
    return html`<tr class="${picked}" data-row="${index}" aria-rowindex="${index + 1}"><th
      scope="row">${this.#view.label(row)}</th>${cells}</tr>`;
  }

  #drawHead() {
    const every = Math.ceil((this.#columnPx >= 20 ? 1 : 26) / this.#columnPx);
    const span = Math.max(1, Math.ceil(TIME_LABEL_PX / this.#columnPx));
    const most = Math.max(1, ...this.#waves.map((wave) => wave.moves));
    const starts = this.#waves.filter((_, place) => place % span === 0);
    put(this.#table.tHead, html`
      ${this.#view.bars && html`<tr class="bars"><th>moves in the wave, up to ${number(most)}</th>${this.#waves.map(({ moves }) =>
        html`<td><svg viewBox="0 0 10 30" preserveAspectRatio="none" aria-hidden="true"><rect x="0" width="9"
          y="${30 - (30 * moves) / most}" height="${(30 * moves) / most}"/></svg></td>`)}</tr>`}
      <tr class="numbers"><th scope="col">${this.#view.corner}</th>${this.#waves.map(({ wave }, place) =>
        html`<th scope="col" data-wave="${wave}">${place % every === 0 && wave}</th>`)}</tr>
      ${this.#marks("approval", "approval after it", (wave) => wave.approvals.length > 0)}
      ${this.#marks("soak", "soak before it", (wave) => wave.waits_s > 0)}
      <tr class="times"><th>starts after</th>${starts.map((wave, place) => {
        const columns = Math.min(span, this.#waves.length - place * span);
        return html`<td colspan="${columns}">${columns === span && offset(wave.start_s)}</td>`;
      })}</tr>`);
  }

  #marks(sign, head, isMarked) {
    if (!this.#waves.some(isMarked)) return "";
    return html`<tr class="marks"><th>${head}</th>${this.#waves.map((wave) =>
      html`<td>${isMarked(wave) && html`<i class="${sign}"></i>`}</td>`)}</tr>`;
  }

  #drawColumns() {
    const columns = this.#waves.map(({ waits_s }) =>
      html`<col class="${waits_s > 0 && "wait"}">`);
    const [group] = this.#table.children;
    put(group, html`<col>${columns}`);
    [...group.children].forEach((column, place) => {
      column.style.width = `${place ? this.#columnPx : LABEL_PX}px`;
    });
  }

  // What the URL's filters name is marked without drawing anything again.
  #markPicked() {
    const [group, head, body] = this.#table.children;
    this.#waves.forEach(({ wave }, place) => {
      group.children[place + 1].classList.toggle("picked", state.wave === String(wave));
      head.querySelector(".numbers").cells[place + 1].classList.toggle("picked", state.wave === String(wave));
    });
    for (const line of body.querySelectorAll("[data-row]")) {
      line.classList.toggle("picked", this.#view.isPicked(this.#rows[line.dataset.row]));
    }
  }

  // Where an element of the table is: { row, wave }; row -1 is the head, wave 0 the label.
  #placeOf(target) {
    const cell = target.closest?.("td, th");
    if (!cell) return null;
    if (cell.dataset.wave) return { row: -1, wave: Number(cell.dataset.wave) };
    const line = cell.parentElement.dataset.row;
    const head = cell.closest("tr.bars, tr.marks");
    if (head && cell.cellIndex) return { row: -1, wave: this.#waves[cell.cellIndex - 1].wave };
    if (line === undefined) return null;
    return { row: Number(line), wave: cell.cellIndex ? this.#waves[cell.cellIndex - 1].wave : 0 };
  }

  #describe({ row, wave }) {
    return row < 0 ? describeWave(this.#waves[wave - 1]) : this.#view.describe(this.#rows[row], wave);
  }

  #pick({ row, wave }) {
    if (row < 0) toggleState({ wave: String(wave) });
    else this.#view.pick(this.#rows[row], wave);
  }

  #listen() {
    const table = this.#table;
    this.#root.addEventListener("scroll", () => {
      if (!this.#at) tip.hide();
      this.#frame ||= requestAnimationFrame(() => this.#draw());
    }, { passive: true });
    new ResizeObserver(() => this.#fit()).observe(this.#root);
    listeners.push(() => this.#markPicked());
    table.addEventListener("pointerover", (event) => {
      const place = this.#placeOf(event.target);
      const lines = place && this.#describe(place);
      if (lines) tip.show(lines, event.target.closest("td, th").getBoundingClientRect());
      else tip.hide();
    });
    table.addEventListener("pointerleave", () => tip.hide());
    table.addEventListener("click", (event) => {
      const place = this.#placeOf(event.target);
      if (place) this.#pick(place);
    });
    table.addEventListener("keydown", (event) => this.#onKey(event));
    table.addEventListener("blur", () => { this.#at = null; this.#mark(); tip.hide(); });
    addEventListener("beforeprint", () => { this.#printing = true; this.#redraw(); });
    addEventListener("afterprint", () => { this.#printing = false; this.#redraw(); });
  }

  #onKey(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [-10, 0], PageDown: [10, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const last = this.#waves.length;
    if (event.key === "Enter" && this.#at) this.#pick(this.#at);
    else if (event.key === "Escape") { this.#at = null; tip.hide(); }
    else if (event.key === "Home" && this.#at) this.#at.wave = 0;
    else if (event.key === "End" && this.#at) this.#at.wave = last;
    else if (event.key in steps) this.#move(...steps[event.key]);
    else return;
    event.preventDefault();
    this.#mark();
  }

  #move(down, right) {
    if (!this.#at) {
      const row = this.#rows.findIndex((each) => !each.isGroup);
      this.#at = row < 0 ? null : { row, wave: 0 };
      return;
    }
    const inside = (row) => Math.max(0, Math.min(this.#rows.length - 1, row));
    let row = inside(this.#at.row + down);
    if (this.#rows[row].isGroup) row = inside(row + (Math.sign(down) || 1));
    if (!this.#rows[row].isGroup) this.#at.row = row;
    this.#at.wave = Math.max(0, Math.min(this.#waves.length, this.#at.wave + right));
  }

  // Focus stays on the table, so that no cell is lost when the rows are drawn again.
  #mark() {
    this.#table.querySelector(".at")?.classList.remove("at");
    this.#table.removeAttribute("aria-activedescendant");
    if (!this.#at) return;
    const { row, wave } = this.#at;
    const top = row * ROW_PX;
    const room = this.#root.clientHeight - this.#table.tHead.offsetHeight - ROW_PX;
    if (top < this.#root.scrollTop) this.#root.scrollTop = top;
    if (top > this.#root.scrollTop + room) this.#root.scrollTop = top - room;
    this.#draw();
    const cell = this.#table.querySelector(`[data-row="${row}"]`).cells[wave];
    const lines = this.#describe(this.#at);
    cell.id = `${this.#root.id}-at`;
    cell.classList.add("at");
    cell.setAttribute("aria-label", lines.join("; "));
    this.#table.setAttribute("aria-activedescendant", cell.id);
    if (wave) cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    tip.show(lines, cell.getBoundingClientRect());
  }
}

function describeWave(wave) {
  const kinds = Object.entries(wave.kinds).map(([kind, count]) => `${kind} ${number(count)}`);
  return [
    `Wave ${wave.wave}`,
    `${counted(wave.moves, "move")} of ${counted(wave.workloads.length, "workload")}: ${kinds.join(", ")}`,
    `starts after ${duration(wave.start_s)}, runs ${duration(wave.seconds)}`,
    wave.waits_s > 0 && `soaks ${duration(wave.waits_s)} before it starts`,
    wave.approvals.length > 0 && `then ${counted(wave.approvals.length, "approval")} asked for`,
  ];
}
