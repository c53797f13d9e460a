// A decision table is checked while one types: [data-grid-check] is sent the whole form, and answers with the problems.
// Comfort beside it: Enter and arrows go up and down a column, Ctrl with an arrow goes sideways.

const QUIET_MS = 250; // after the last key
const CELL = /^(when|then)-(\d+)-(\d+)$/;

for (const form of document.querySelectorAll("form[data-grid-check]")) grid(form);

function grid(form) {
  const problems = form.querySelector("[data-problems]");
  const said = form.querySelector("[data-problems-said]");
  let timer = null;
  let asked = 0;

  function changed() {
    clearTimeout(timer);
    timer = setTimeout(check, QUIET_MS);
  }

  async function check() {
    const turn = ++asked;
    try {
      const body = new URLSearchParams(new FormData(form));
      const response = await fetch(form.dataset.gridCheck, { method: "POST", body, credentials: "same-origin" });
      if (turn !== asked || !response.ok || response.redirected) return;
      problems.innerHTML = await response.text();
      mark(form, problems);
      const words = problems.querySelector("[data-problems-status]").textContent;
      if (said.textContent !== words) said.textContent = words;
    } catch {
      // no network: the button 檢查 says so
    }
  }

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("keydown", (event) => move(form, event));
}

function mark(form, problems) {
  const marks = new Map();
  for (const problem of problems.querySelectorAll("[data-marks]")) {
    for (const id of problem.dataset.marks.split(" ").filter(Boolean)) {
      marks.set(id, [...(marks.get(id) ?? []), problem.id]);
    }
  }
  for (const cell of form.querySelectorAll("td > .app-grid__input[id]")) {
    const by = marks.get(cell.id);
    cell.parentElement.classList.toggle("app-grid--wrong", Boolean(by));
    describe(cell, by);
    if (by) cell.setAttribute("aria-invalid", "true");
    else cell.removeAttribute("aria-invalid");
  }
  for (const head of form.querySelectorAll("thead th[id]")) {
    head.classList.toggle("app-grid--wrong", marks.has(head.id));
    describe(head, marks.get(head.id));
  }
  for (const row of form.querySelectorAll("tbody tr")) {
    row.classList.toggle("app-grid__row--wrong", marks.has(row.id));
    describe(row.querySelector("th"), marks.get(row.id));
  }
}

function describe(element, problems) {
  if (problems) element.setAttribute("aria-describedby", problems.join(" "));
  else element.removeAttribute("aria-describedby");
}

function move(form, event) {
  const found = CELL.exec(event.target.id);
  if (!found || event.isComposing || event.altKey || event.shiftKey) return;
  const [, half, row, column] = found;
  const isSelect = event.target.tagName === "SELECT";
  let next = null;
  if (event.key === "Enter" && !event.ctrlKey) {
    next = document.getElementById(`${half}-${Number(row) + 1}-${column}`);
    event.preventDefault(); // the last row is no reason to save
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (event.ctrlKey || !(isSelect || event.target.list))) {
    next = document.getElementById(`${half}-${Number(row) + (event.key === "ArrowDown" ? 1 : -1)}-${column}`);
  } else if ((event.key === "ArrowRight" || event.key === "ArrowLeft") && event.ctrlKey) {
    const cells = [...form.querySelectorAll(`#row-${row} td > .app-grid__input[id]`)];
    next = cells[cells.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : -1)];
  }
  if (!next) return;
  event.preventDefault();
  next.focus();
  if (next.select) next.select();
}
