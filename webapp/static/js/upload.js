// Uploads the chosen files at once, two at a time, each with its own progress and retry.
//
// [data-upload-url] wraps one file field (macro upload). Each file is a multipart POST of its own with X-CSRFToken; the
// answer is JSON {id, name, size} or {error}. Rows are cloned from its <template>s, so every text
// is in the page.

const AT_ONCE = 2;
const TIMEOUT_MS = 10 * 60_000;

export function upload(box) {
  const input = box.querySelector("input[type=file]");
  const list = box.querySelector("[data-upload-list]");
  const status = box.querySelector("[data-upload-status]");
  const form = input.form;
  const limits = {
    bytes: Number(box.dataset.maxMb || 0) * 1024 * 1024,
    files: Number(box.dataset.maxFiles || 0),
    kinds: (box.dataset.accept || "").split(",").filter(Boolean),
  };
  const queue = [];
  let running = 0;

  box.querySelectorAll("[data-upload-send]").forEach((button) => (button.hidden = true));

  input.addEventListener("change", take);
  take(); // files that were chosen before this module arrived

  function take() {
    const files = [...input.files];
    input.value = "";
    files.forEach(add);
  }

  form.addEventListener(
    "submit",
    (event) => {
      if (!running && !queue.length) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      say(box.dataset.textBusy);
    },
    { capture: true },
  );

  function add(file) {
    const row = clone(box, "waiting");
    const job = { file, row };
    slot(row, "name").textContent = file.name;
    row.querySelector("[data-retry]").addEventListener("click", () => start(job));
    row.querySelector("[data-dismiss]").addEventListener("click", () => {
      job.request?.abort();
      row.remove();
      input.focus();
    });
    list.append(row);
    const mistake = objection(file);
    if (mistake) fail(job, mistake, false);
    else start(job);
  }

  function objection(file) {
    const kind = file.name.includes(".") ? file.name.split(".").pop().toLowerCase() : "";
    const uploaded = list.querySelectorAll("[data-document], [data-sending]").length;
    if (limits.kinds.length && !limits.kinds.includes(kind)) return box.dataset.textKind;
    if (limits.bytes && file.size > limits.bytes) return box.dataset.textSize;
    if (!file.size) return box.dataset.textEmpty;
    if (limits.files && uploaded >= limits.files) return box.dataset.textMany;
    return "";
  }

  function start(job) {
    job.row.classList.remove("app-file--failed");
    job.row.dataset.sending = "";
    slot(job.row, "error").textContent = "";
    job.row.querySelector("[data-retry]").hidden = true;
    job.row.querySelector("progress").hidden = false;
    queue.push(job);
    next();
  }

  function next() {
    while (running < AT_ONCE && queue.length) send(queue.shift());
  }

  function send(job) {
    const body = new FormData();
    body.append("file", job.file);
    const request = new XMLHttpRequest();
    job.request = request;
    request.open("POST", box.dataset.uploadUrl);
    request.timeout = TIMEOUT_MS;
    request.responseType = "json";
    request.setRequestHeader("X-CSRFToken", form.elements.csrf_token?.value ?? "");
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) job.row.querySelector("progress").value = event.loaded / event.total;
    });
    request.addEventListener("load", () => {
      const answer = request.response ?? {};
      if (request.status < 300 && answer.id) done(job, answer);
      else fail(job, answer.error || box.dataset.textFailed, request.status >= 500 || !answer.error);
    });
    request.addEventListener("error", () => fail(job, box.dataset.textFailed, true));
    request.addEventListener("timeout", () => fail(job, box.dataset.textFailed, true));
    request.addEventListener("loadend", () => {
      running -= 1;
      next();
    });
    running += 1;
    request.send(body);
  }

  function done(job, answer) {
    const row = clone(box, "done");
    slot(row, "name").textContent = answer.name;
    slot(row, "hidden-name").textContent = answer.name;
    slot(row, "size").textContent = sizeOf(answer.size);
    row.querySelector("input").value = answer.id;
    row.querySelector("button").value = `remove-file:${box.dataset.field}:${answer.id}`;
    job.row.replaceWith(row);
    say(box.dataset.textDone?.replace("{name}", answer.name));
    form.dispatchEvent(new Event("autosave"));
  }

  function fail(job, text, again) {
    delete job.row.dataset.sending;
    job.row.classList.add("app-file--failed");
    slot(job.row, "error").textContent = text;
    job.row.querySelector("[data-retry]").hidden = !again;
    job.row.querySelector("progress").hidden = true;
    say(`${job.file.name}：${text}`);
  }

  function say(text) {
    status.textContent = text ?? "";
  }
}

function clone(box, name) {
  return box.querySelector(`template[data-row=${name}]`).content.firstElementChild.cloneNode(true);
}

function slot(row, name) {
  return row.querySelector(`[data-slot="${name}"]`);
}

function sizeOf(bytes) {
  if (bytes < 1 << 20) return `${Math.max(1, Math.round(bytes / 1024))}\u00a0KB`;
  return `${(bytes / (1 << 20)).toFixed(1)}\u00a0MB`;
}
