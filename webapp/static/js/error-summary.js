// The error summary takes focus; its links go to the first input of the field they name.

const INPUT = "input:not([type=hidden]), select, textarea";

export function watchErrorSummary(root) {
  const summary = root.querySelector("[data-error-summary]");
  if (summary) {
    summary.focus();
    summary.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      if (link && focusField(link.hash.slice(1))) event.preventDefault();
    });
  } else if (location.hash && document.readyState !== "complete") {
    // until the page has loaded, the browser's own jump to the fragment takes the focus away again
    window.addEventListener("load", () => lead(root));
  } else {
    lead(root);
  }
}

function lead(root) {
  if (document.activeElement !== document.body) return;
  if (location.hash && focusField(decodeURIComponent(location.hash.slice(1)))) return;
  root.querySelector("[data-banner][role=alert]")?.focus();
}

function focusField(id) {
  const target = document.getElementById(id);
  const input = target?.matches(INPUT)
    ? target
    : (target?.querySelector("[aria-invalid=true]") ?? target?.querySelector(INPUT));
  if (!input) return false;
  target.scrollIntoView();
  input.focus({ preventScroll: true });
  return true;
}
