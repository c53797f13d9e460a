// Starts what the page asks for. Everything here is an addition: each page works without script.
// All modules come with the page: one fetched later would be missing where the network fails just after it.

import { autosave } from "./autosave.js";
import { watchErrorSummary } from "./error-summary.js";
import { countyMap } from "./map.js";
import { poll } from "./poll.js";
import { submitOnce } from "./submit-once.js";
import { upload } from "./upload.js";
import { whereabouts } from "./whereabouts.js";

watchErrorSummary(document);
submitOnce(document);

document.querySelectorAll("form[data-autosave-url]").forEach(autosave);
document.querySelectorAll("[data-upload-url]").forEach(upload);
document.querySelectorAll("[data-poll-url]").forEach(poll);
document.querySelectorAll("[data-map]").forEach(countyMap);
document.querySelectorAll("button[data-here]").forEach(whereabouts);

for (const print of document.querySelectorAll("[data-print]")) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
