// Reads the plan and draws it once; after that everything follows from the state in the URL.

function listenToKeys() {
  addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, select, textarea");
    if (event.key === "/" && !isTyping) {
      event.preventDefault();
      $("q").focus();
    }
    if (event.key === "Escape" && !$("pods").hidden && !event.defaultPrevented) writeState({ q: "", wave: "", workload: "" });
  });
  // The hash holds the state, so links inside the page scroll by themselves.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    event.preventDefault();
    const section = $(link.hash.slice(1));
    section.scrollIntoView();
    section.tabIndex = -1;
    section.focus({ preventScroll: true });
  });
}

function openForPrint() {
  for (const details of document.querySelectorAll(".table details")) details.open = true;
}

async function start() {
  const plan = await load("plan-data");
  showWaves(plan);
  showBudgets(plan);
  showUnmovable(plan);
  showTimetable(plan);
  showPods();
  $("request").addEventListener("toggle", (event) => {
    event.target.querySelector("pre").textContent = JSON.stringify(plan.request, null, 2);
  }, { once: true });
  listenToKeys();
  addEventListener("beforeprint", openForPrint);
  addEventListener("hashchange", () => { readState(); announceState(); });
  readState();
  announceState();
}

start().catch((error) => {
  $("trouble").hidden = false;
  $("trouble").textContent = `The charts cannot be drawn: ${error.message}. A browser from 2023 or later is needed.`;
});
