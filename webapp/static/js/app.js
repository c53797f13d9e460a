// Starts what the page asks for. Everything here is an addition: each page works without script.

import { watchErrorSummary } from "./error-summary.js";
import { submitOnce } from "./submit-once.js";

watchErrorSummary(document);
submitOnce(document);

const form = document.querySelector("form[data-autosave-url]");
if (form) import("./autosave.js").then(({ autosave }) => autosave(form));

const uploads = document.querySelectorAll("[data-upload-url]");
if (uploads.length) import("./upload.js").then(({ upload }) => uploads.forEach(upload));

const polled = document.querySelectorAll("[data-poll-url]");
if (polled.length) import("./poll.js").then(({ poll }) => polled.forEach(poll));

const places = document.querySelectorAll("button[data-here]");
if (places.length) import("./whereabouts.js").then(({ whereabouts }) => places.forEach(whereabouts));

for (const print of document.querySelectorAll("[data-print]")) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
