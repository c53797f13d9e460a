// Saves the draft while the citizen types.
//
// form[data-autosave-url] is sent as urlencoded, without files, with X-CSRFToken. The answer is JSON:
// {version?, saved_at? "10:32", results? {id: text}}, each result for the [data-result] of that id; 409 means that
// another tab or device saved meanwhile: we say so and stop.
// Texts are data attributes of [data-autosave-status]; [data-autosave-conflict] is shown on a conflict.

const QUIET_MS = 700; // after the last key
const LONGEST_MS = 5_000; // while keys keep coming
const TIMEOUT_MS = 15_000;
const PATIENCE_MS = 3_000; // how long a submit or a link waits for the save under way
const RETRY_MS = [2_000, 4_000, 8_000, 15_000, 30_000];
const KEEPALIVE_BYTES = 60_000; // browsers allow 64 KB to outlive a page

export function autosave(form) {
  const status = document.querySelector("[data-autosave-status]");
  const conflict = document.querySelector("[data-autosave-conflict]");
  let timer = null;
  let firstChange = 0;
  let failures = 0;
  let underWay = null;
  let dirty = false;
  let stopped = false;

  function say(state, values = {}) {
    if (!status) return;
    const text = (status.dataset[state] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
    status.dataset.state = state;
    if (text && status.textContent !== text) status.textContent = text;
  }

  function changed(event) {
    if (stopped || event.target.type === "file") return;
    firstChange ||= Date.now();
    dirty = true;
    wait(Math.max(0, Math.min(QUIET_MS, firstChange + LONGEST_MS - Date.now())));
  }

  function wait(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(save, milliseconds);
  }

  function save() {
    if (dirty && !stopped) underWay ??= send().finally(() => (underWay = null));
    return underWay;
  }

  async function send() {
    clearTimeout(timer);
    dirty = false;
    firstChange = 0;
    try {
      await settle(await post());
    } catch {
      failed();
    }
    if (dirty && !failures) wait(QUIET_MS);
  }

  function post() {
    const body = answersOf(form);
    return fetch(form.dataset.autosaveUrl, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": form.elements.csrf_token?.value ?? "", Accept: "application/json" },
      credentials: "same-origin",
      redirect: "manual",
      keepalive: body.toString().length < KEEPALIVE_BYTES,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  }

  async function settle(response) {
    if (response.ok) {
      const answer = response.status === 204 ? {} : await response.json();
      if (answer.version !== undefined && form.elements.version) form.elements.version.value = answer.version;
      failures = 0;
      show(answer.results ?? {});
      say("saved", { time: answer.saved_at ?? clock() });
    } else if (response.status === 409) {
      stop();
      say("conflict");
      if (conflict) conflict.hidden = false;
    } else if (response.type === "opaqueredirect" || response.status === 401 || response.status === 403) {
      stop();
      say("signedout");
    } else {
      failed();
    }
  }

  function failed() {
    const delay = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    dirty = true;
    say("failed", { seconds: delay / 1000 });
    if (!stopped) wait(delay);
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
  }

  // The page posts its version back: a save that is still on its way would make that version a stale one.
  function afterSave(action) {
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    Promise.race([underWay, patience]).then(action);
  }

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("autosave", changed); // an upload added or removed a document
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    stop();
    if (!underWay) return;
    event.preventDefault();
    afterSave(() => form.requestSubmit(event.submitter));
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const plain = !(event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!link || !plain || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.pathname === location.pathname || !save()) return;
    event.preventDefault();
    afterSave(() => location.assign(link.href));
  });
  document.addEventListener("visibilitychange", () => document.hidden && save());
  window.addEventListener("pagehide", save);
  window.addEventListener("online", save);
  // Back to a page kept in memory: its answers and version are those of then, the draft's are newer
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.replace(location.pathname + location.search);
  });
  if ([...form.elements].some(touched)) changed({ target: form });
}

// what was typed before this module arrived, or put back by the browser
function touched(input) {
  if (input.matches("[type=hidden], [type=file], button")) return false;
  if (input.matches("[type=radio], [type=checkbox]")) return input.checked !== input.defaultChecked;
  if (input.options) {
    const initial = [...input.options].findLast((option) => option.defaultSelected) ?? input.options[0];
    return initial?.selected === false;
  }
  return "defaultValue" in input && input.value !== input.defaultValue;
}

// what the server computed from the answers
function show(results) {
  for (const [id, text] of Object.entries(results)) {
    const place = document.getElementById(id);
    if (place?.matches("[data-result]") && place.textContent !== text) place.textContent = text;
  }
}

function answersOf(form) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") body.append(name, value);
  }
  return body;
}

function clock() {
  return new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Taipei" });
}
