// A map to tap: writes the coordinates of a point or of a line into the input above it, and draws what is typed there.
//
// [data-map] is "point" or "line" and names its input; the server drew the land and gives its measures (webapp/county_map.py).
// Drag or pinch to move, buttons or + and - to zoom; with the arrow keys a cross moves, Enter sets. Nothing is sent before
// the form is: the server checks every point.

const TAP_PIXELS = 8;
const WIDEST = 170_000;
const NARROWEST = 300;
/** Below this width, in metres, the villages are named instead of the townships. */
const VILLAGES_FROM = 14_000;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SVG = "http://www.w3.org/2000/svg";

export function countyMap(root) {
  const input = document.getElementById(root.dataset.mapOf);
  const measures = JSON.parse(root.dataset.measures);
  const many = root.dataset.map === "line";
  const surface = root.querySelector("[data-map-surface]");
  const svg = surface.querySelector("svg");
  const part = (name) => root.querySelector(`[data-map-${name}]`);
  const [line, marks, crosshair, status] = ["line", "points", "crosshair", "status"].map(part);
  const said = status.dataset;
  let view = boxOf(svg.getAttribute("viewBox"));
  let aim = null;
  let writing = false;

  // --- degrees, metres of the map, pixels

  const toMap = ([latitude, longitude]) => [
    (longitude - measures.west) * measures.across,
    (measures.north - latitude) * measures.down,
  ];
  const toDegrees = ([x, y]) => [measures.north - y / measures.down, measures.west + x / measures.across];
  const fromScreen = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [at.x, at.y];
  };
  const perPixel = () => 1 / svg.getScreenCTM().a;
  const written = (point) => point.map((degrees) => degrees.toFixed(6)).join(",");
  const inside = ([latitude, longitude]) =>
    measures.areas.some(([south, north, west, east]) =>
      south <= latitude && latitude <= north && west <= longitude && longitude <= east);

  // --- what is in the input

  const given = () =>
    input.value.normalize("NFKC").split(/[;\n]/).map((piece) => piece.replace(/\s/g, ""))
      .filter((piece) => /^\d{1,3}(\.\d+)?,\d{1,3}(\.\d+)?$/.test(piece))
      .map((piece) => piece.split(",").map(Number));

  function write(points) {
    input.value = points.map(written).join("; ");
    writing = true;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    writing = false;
    tell(points);
  }

  function set(point) {
    if (inside(point)) write(many ? [...given(), point] : [point]);
    else status.textContent = said.outside;
  }

  function tell(points) {
    if (points.length === 0) status.textContent = said.empty;
    else if (many && points.length > 1)
      status.textContent = said.line.replace("{n}", points.length).replace("{length}", lengthOf(points));
    else status.textContent = said.point.replace("{at}", written(points.at(-1)));
  }

  function lengthOf(points) {
    const metres = points.slice(1).reduce((sum, there, n) => sum + apart(points[n], there), 0);
    return metres < 1000
      ? said.metre.replace("{n}", Math.max(10, Math.round(metres / 10) * 10))
      : said.kilometre.replace("{n}", (metres / 1000).toFixed(1));
  }

  function apart(here, there) {
    const [north, east, otherNorth, otherEast] = [...here, ...there].map((degrees) => (degrees * Math.PI) / 180);
    const half =
      Math.sin((otherNorth - north) / 2) ** 2 +
      Math.cos(north) * Math.cos(otherNorth) * Math.sin((otherEast - east) / 2) ** 2;
    return 2 * measures.earth * Math.asin(Math.sqrt(half));
  }

  // --- what is seen

  function look(box) {
    view = box;
    draw();
  }

  function around([x, y], width) {
    const height = width / measures.shape;
    return { left: x - width / 2, top: y - height / 2, width, height };
  }

  const middle = () => [view.left + view.width / 2, view.top + view.height / 2];

  /** Zooming keeps the last mark where it is, as long as it is in sight. */
  function lastMark() {
    const mark = given().map(toMap).at(-1);
    return mark && sees(mark) ? mark : undefined;
  }

  const sees = ([x, y]) =>
    x > view.left && x < view.left + view.width && y > view.top && y < view.top + view.height;

  /** What lies at `still` stays where it is on the screen. */
  function zoom(factor, still = middle()) {
    const real = Math.min(Math.max(view.width * factor, NARROWEST), WIDEST) / view.width;
    const centre = middle().map((at, n) => still[n] + (at - still[n]) * real);
    look(around(centre, view.width * real));
  }

  const move = (right, down) => look({ ...view, left: view.left + right, top: view.top + down });

  function draw() {
    svg.setAttribute("viewBox", `${view.left} ${view.top} ${view.width} ${view.height}`);
    const pixel = perPixel();
    const places = given().map(toMap);
    const near = view.width < VILLAGES_FROM;
    for (const names of svg.querySelectorAll("[data-map-names]")) {
      names.setAttribute("font-size", pixel * 14);
      names.setAttribute("display", (names.dataset.mapNames === "villages") === near ? "inline" : "none");
    }
    line.setAttribute("points", many ? places.map((place) => place.join(",")).join(" ") : "");
    marks.replaceChildren(...places.map((place) => circle(place, pixel * (many ? 5 : 8))));
    crosshair.setAttribute("display", aim ? "inline" : "none");
    if (aim) crosshair.setAttribute("transform", `translate(${aim}) scale(${pixel * 14})`);
  }

  function circle([x, y], r) {
    const mark = document.createElementNS(SVG, "circle");
    mark.setAttribute("class", "app-map__point");
    for (const [name, value] of Object.entries({ cx: x, cy: y, r })) mark.setAttribute(name, value);
    return mark;
  }

  function goTo(points) {
    const places = points.map(toMap);
    const [xs, ys] = [places.map(([x]) => x), places.map(([, y]) => y)];
    const spread = Math.max(Math.max(...xs) - Math.min(...xs), measures.shape * (Math.max(...ys) - Math.min(...ys)));
    const middle = [(Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2];
    look(around(middle, Math.max(1.5 * spread, measures.nearest)));
  }

  // --- fingers and mouse: one that hardly moved is a tap, two pinch

  const fingers = new Map();
  let moved = 0;

  surface.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    if (fingers.size === 0) moved = 0;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size > 1) moved = Infinity;
    surface.setPointerCapture(event.pointerId);
  });

  surface.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const step = [now[0] - before[0], now[1] - before[1]];
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, now);
    moved += Math.hypot(...step);
    if (other) {
      const [far, near] = [before, now].map((at) => Math.hypot(at[0] - other[0], at[1] - other[1]));
      if (near > 0) zoom(far / near, fromScreen({ clientX: (now[0] + other[0]) / 2, clientY: (now[1] + other[1]) / 2 }));
    } else if (moved > TAP_PIXELS) {
      move(-step[0] * perPixel(), -step[1] * perPixel());
    }
  });

  surface.addEventListener("pointerup", (event) => {
    const tapped = fingers.delete(event.pointerId) && fingers.size === 0 && moved <= TAP_PIXELS;
    if (!tapped) return;
    aim = null;
    set(toDegrees(fromScreen(event)));
    draw();
  });
  surface.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));

  surface.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, fromScreen(event));
  }, { passive: false });

  // --- keys

  surface.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = view.width / (event.shiftKey ? 200 : 40);
      aim ??= middle();
      aim = [aim[0] + arrow[0] * step, aim[1] + arrow[1] * step];
      follow();
      status.textContent = said.aim.replace("{at}", written(toDegrees(aim)));
    } else if (event.key === "Enter" && aim) {
      set(toDegrees(aim));
    } else if (event.key === "+" || event.key === "=") {
      zoom(0.5, aim ?? lastMark());
    } else if (event.key === "-") {
      zoom(2, aim ?? lastMark());
    } else if (event.key !== "Enter") {
      return;
    }
    event.preventDefault(); // Enter does not send the form, arrows do not scroll
    draw();
  });

  /** The cross stays in sight. */
  function follow() {
    const { left, top, width, height } = view;
    const outside = aim[0] < left || aim[0] > left + width || aim[1] < top || aim[1] > top + height;
    if (outside) look(around(aim, width));
  }

  // --- buttons, and what is typed or found above

  const onPress = (button, act) => button?.addEventListener("click", () => act(button));
  root.querySelectorAll("[data-map-view]").forEach((button) => onPress(button, () => {
    aim = null;
    look(boxOf(button.dataset.mapView));
  }));
  root.querySelectorAll("[data-map-zoom]").forEach((button) => onPress(button, () => zoom(Number(button.dataset.mapZoom), lastMark())));
  onPress(part("undo"), () => write(given().slice(0, -1)));
  onPress(part("clear"), () => write([]));
  input.addEventListener("input", () => {
    if (writing || given().length === 0) return draw();
    return given().map(toMap).every(sees) ? draw() : goTo(given());
  });
  input.addEventListener("change", () => tell(given()));
  addEventListener("resize", draw);

  root.hidden = false;
  if (given().length > 0) goTo(given());
  else draw();
}

function boxOf(text) {
  const [left, top, width, height] = text.split(" ").map(Number);
  return { left, top, width, height };
}
