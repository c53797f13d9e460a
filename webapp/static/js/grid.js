// A decision table is checked while one types: [data-grid-check] is sent the whole form, and answers with the problems.
// Comfort beside it: cells copied in a spreadsheet spread over the grid; Enter and arrows go up and down a column,
// Ctrl with an arrow goes sideways; leaving with something unsaved is asked about.

const QUIET_MS = 250; // after the last key
const CELL = /^(when|then)-(\d+)-(\d+)$/;
const MOST_ROWS = 2_000;

for (const form of document.querySelectorAll("form[data-grid-check]")) grid(form);

function grid(form) {
  const problems = form.querySelector("[data-problems]");
  const said = form.querySelector("[data-problems-said]");
  let timer = null;
  let asked = 0;
  let dirty = false;

  function changed() {
    dirty = true;
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
      say(problems.querySelector("[data-problems-status]").textContent);
    } catch {
      // no network: the button that checks says so
    }
  }

  function say(words) {
    if (said.textContent !== words) said.textContent = words;
  }

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", () => (dirty = false));
  form.addEventListener("keydown", (event) => move(form, event));
  form.addEventListener("paste", (event) => {
    const lines = cellsOf(event.clipboardData?.getData("text/plain") ?? "");
    if (!CELL.test(event.target.id) || (lines.length === 1 && lines[0].length === 1)) return;
    event.preventDefault();
    if (spread(form, event.target, lines)) {
      said.classList.add("govuk-visually-hidden");
      changed();
    } else {
      said.classList.remove("govuk-visually-hidden");
      say(form.dataset.tooWide);
    }
  });
  addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
}

// The cells of a spreadsheet: between tabs, in quotes where they hold line ends.
function cellsOf(text) {
  const lines = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^\t\r\n]*))(\t|\r\n|\r|\n|$)/y;
  for (let found; (found = cell.exec(text)); ) {
    lines.at(-1).push(found[1]?.replaceAll('""', '"') ?? found[2]);
    if (found[3] === "") break;
    if (found[3] !== "\t") lines.push([]);
  }
  if (lines.length > 1 && lines.at(-1).join("") === "") lines.pop();
  return lines;
}

function spread(form, target, lines) {
  const first = Number(CELL.exec(target.id)[2]);
  const start = rowInputs(form, first).indexOf(target);
  const width = rowInputs(form, first).length - start;
  if (lines.some((line) => line.length > width) || first + lines.length > MOST_ROWS) return false;
  lines.forEach((line, n) => {
    if (!form.querySelector(`#row-${first + n}`)) addRow(form, first + n);
    line.forEach((text, m) => put(rowInputs(form, first + n)[start + m], text.trim()));
  });
  return true;
}

// the cells of a row, then its name
function rowInputs(form, row) {
  return [...form.querySelectorAll(`#row-${row} td > .app-grid__input`)];
}

function put(input, text) {
  if (input.tagName !== "SELECT") {
    input.value = text.replace(/\s*[\r\n]+\s*/g, " ");
    return;
  }
  const plain = text.normalize("NFKC").trim().toLowerCase();
  const known = [...input.options].find((option) => [option.text, option.value].some((word) => word.toLowerCase() === plain));
  if (plain === "") input.selectedIndex = 0;
  else if (known) input.value = known.value;
  else input.add(new Option(text, text, true, true)); // kept as typed; the check says what is wrong
}

function addRow(form, number) {
  const last = form.querySelector(`#row-${number - 1}`);
  const row = last.cloneNode(true);
  row.id = `row-${number}`;
  row.querySelector("th").textContent = number + 1;
  for (const element of row.querySelectorAll("[id], [name], [aria-label]")) {
    for (const name of ["id", "name"]) {
      const old = element.getAttribute(name);
      if (old) element.setAttribute(name, old.replace(/-\d+(?=-\d+$|$)/, `-${number}`));
    }
    for (const name of ["aria-label", "title"]) {
      const old = element.getAttribute(name);
      if (old) element.setAttribute(name, old.replace(/\d+/, number + 1));
    }
    if (element.name === "do") {
      element.value = element.value.replace(/\d+/, (n) => Number(n) + 1);
      element.id = element.value.replace(":", "-");
    } else if (element.tagName === "SELECT") element.selectedIndex = 0;
    else if (element.tagName === "INPUT") element.value = "";
  }
  last.querySelector("[value^='down:']")?.removeAttribute("disabled");
  row.querySelector("[value^='up:']")?.removeAttribute("disabled");
  last.after(row);
  form.elements.rows.value = number + 1;
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
    const cells = rowInputs(form, row);
    next = cells[cells.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : -1)];
  }
  if (!next) return;
  event.preventDefault();
  next.focus();
  if (next.select) next.select();
}
