// A second press of a button does not send the form twice. The server refuses doubles by itself; this spares the wait.

const LOCK_MS = 10_000;

export function submitOnce(root) {
  root.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || "submitTwice" in form.dataset) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "true";
    event.submitter?.setAttribute("aria-disabled", "true");
    setTimeout(() => unlock(form), LOCK_MS);
  });
  // coming Back to a page kept in memory must not find its buttons dead
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) root.querySelectorAll("form[data-sent]").forEach(unlock);
  });
}

function unlock(form) {
  delete form.dataset.sent;
  form.querySelectorAll("[aria-disabled=true]").forEach((button) => button.removeAttribute("aria-disabled"));
}
