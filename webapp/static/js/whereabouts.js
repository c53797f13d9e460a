// Fills the coordinates of a place with where the visitor stands, when they press the button for it.
//
// button[data-here] names its input; texts are data attributes of the [data-here-status] beside it. Nothing is sent
// before the form is: the server checks that the point lies in the county.

const PATIENCE_MS = 15_000;

export function whereabouts(button) {
  if (!("geolocation" in navigator)) return;
  const input = document.getElementById(button.dataset.here);
  const status = button.parentElement.querySelector("[data-here-status]");
  button.hidden = false;
  button.addEventListener("click", () => {
    status.textContent = status.dataset.waiting;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        input.value = `${coords.latitude.toFixed(6)},${coords.longitude.toFixed(6)}`;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        status.textContent = status.dataset.done.replace("{metres}", Math.ceil(coords.accuracy));
      },
      () => (status.textContent = status.dataset.failed),
      { enableHighAccuracy: true, timeout: PATIENCE_MS },
    );
  });
}
