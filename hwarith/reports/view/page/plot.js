// The picture: cost against error, the Pareto front of each operation, names of what is on it.
const plot = byId("plot"), tip = byId("tip");
const MARGIN = { left: 62, right: 14, top: 12, bottom: 46 };
const LABEL_SIZE = 12;
let view = null; // the part that is zoomed into: { x: [low, high], y: [low, high] }

function scale(axis, range, from, to) {
  const of = axis.is_log ? Math.log10 : (v) => v;
  const [low, high] = range.map(of);
  const position = (value) => from + (of(value) - low) / (high - low) * (to - from);
  const value = (at) => {
    const v = low + (at - from) / (to - from) * (high - low);
    return axis.is_log ? 10 ** v : v;
  };
  return { position, value, low: range[0], high: range[1] };
}

// Ticks of a part of an axis; of all of it they come with the data.
function ticksWithin(axis, low, high) {
  const inside = axis.ticks.map((tick, i) => [tick, axis.tick_labels[i]])
    .filter(([tick]) => tick >= low && tick <= high);
  if (inside.length > 2 || low <= axis.low && high >= axis.high) return inside;
  const rough = (high - low) / 5, decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * decade).find((s) => s >= rough);
  const made = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) {
    const value = Number((i * step).toPrecision(12));
    const text = axis.is_percent ? Number((100 * value).toPrecision(6)) : value;
    made.push([value, `${text}${axis.is_percent ? " %" : ""}`.replace("-", "−")]);
  }
  return made;
}

// Points that no other of the same operation beats in both figures, by ascending cost; where
// figures are estimates, by more than their noise.
function paretoFront(points, x, y) {
  const sign = data.higher.includes(choice.y.value) ? 1 : -1;
  const better = (a, b) => sign * (a - b) > 0;
  const noise = (i, j) => Math.hypot(y.deviations[i] ?? 0, y.deviations[j] ?? 0);
  const cost = (i) => x.positions[i], error = (i) => y.positions[i];
  const order = points.filter((i) => cost(i) !== null && error(i) !== null)
    .sort((a, b) => cost(a) - cost(b) || (better(error(a), error(b)) ? -1 : 1));
  const front = [];
  for (const i of order) {
    const last = front.at(-1);
    if (last === undefined || sign * (error(i) - error(last)) > noise(i, last)
      || (cost(i) === cost(last) && error(i) === error(last))) front.push(i);
  }
  return front;
}

function overlaps(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

// Where the name of a point may stand, in pixels from it: beside it if there is room, and
// farther away with a line to it if not.
const PLACES = [];
for (const [reach, side] of [[11, 9], [9, 0], [26, 14], [44, 20], [64, 26], [88, 30], [112, 34]]) {
  for (const [h, v] of [[-1, 1], [1, -1], [-1, -1], [1, 1]]) {
    PLACES.push(side === 0 ? [h * reach * 1.4, 0] : [h * side, v * reach]);
  }
}
const SHARES = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

// Boxes along the front, which names should not cross.
function trail(corners) {
  const boxes = [];
  for (let i = 1; i < corners.length; i++) {
    const [a, b] = [corners[i - 1], corners[i]];
    const knee = { h: b.h, v: a.v };
    for (const [p, q] of [[a, knee], [knee, b]]) {
      boxes.push({ left: Math.min(p.h, q.h) - 1, right: Math.max(p.h, q.h) + 1,
                   top: Math.min(p.v, q.v) - 1, bottom: Math.max(p.v, q.v) + 1 });
    }
  }
  return boxes;
}

// Names of the points on fronts, each where it covers no marker, no front and no other name.
function names(frame, at, drawn, fronts) {
  const around = ({ h, v }, r) => ({ left: h - r, right: h + r, top: v - r, bottom: v + r });
  const taken = [...drawn.map((i) => around(at(i), 6)),
                 ...fronts.flatMap((front) => trail(front.map(at)))];
  const made = svg("g", { class: "names" });
  for (const i of fronts.flat().filter((i) => drawn.includes(i))) {
    const { h, v } = at(i), label = data.points[i].label;
    const width = label.length * LABEL_SIZE * 0.58;
    for (const [dx, dy] of PLACES) {
      const left = dx < 0 ? h + dx - width : h + dx;
      const box = { left, right: left + width, top: v + dy - 8, bottom: v + dy + 8 };
      const inside = box.left > frame.left && box.right < frame.right && box.top > frame.top
        && box.bottom < frame.bottom;
      const far = Math.abs(dy) > 11;
      const line = far ? SHARES.map((t) => around({ h: h + t * dx, v: v + t * dy }, 1)) : [];
      const free = (b) => !taken.some((other) => overlaps(b, other));
      if (!inside || ![box, ...line].every(free)) continue;
      taken.push(box, ...line);
      const near = 8 / Math.hypot(dx, dy);
      if (far) {
        made.append(svg("line", { x1: h + near * dx, y1: v + near * dy, x2: h + dx, y2: v + dy }));
      }
      made.append(svg("text", { x: h + dx, y: v + dy + 4, "text-anchor": dx < 0 ? "end" : "start" },
                      label));
      break;
    }
  }
  return made;
}

function axes(frame, x, y, h, v) {
  const made = svg("g", { class: "axes" });
  let last = -Infinity;
  for (const [tick, label] of ticksWithin(x, h.low, h.high)) {
    const at = h.position(tick);
    made.append(svg("line", { x1: at, x2: at, y1: frame.top, y2: frame.bottom }));
    if (at - last < 7 * label.length + 8) continue;
    last = at;
    made.append(svg("text", { x: at, y: frame.bottom + 17, "text-anchor": "middle" }, label));
  }
  for (const [tick, label] of ticksWithin(y, v.low, v.high)) {
    const at = v.position(tick);
    made.append(svg("line", { x1: frame.left, x2: frame.right, y1: at, y2: at }),
                svg("text", { x: frame.left - 7, y: at + 4, "text-anchor": "end" }, label));
  }
  made.append(
    svg("path", { class: "frame", d: `M${frame.left} ${frame.top}V${frame.bottom}H${frame.right}` }),
    svg("text", { class: "title", x: (frame.left + frame.right) / 2, y: frame.bottom + 38,
                  "text-anchor": "middle" }, x.title));
  return made;
}

function marker(point, at, onFront) {
  const link = svg("a", { href: `#${point.name}`, class: onFront ? "front" : "behind",
                          "aria-label": point.label });
  const size = onFront ? 6.5 : 5, { colour, holes } = data.marks[point.format];
  [1, ...holes].forEach((share, i) => link.append(svg("path", {
    d: data.shapes[point.family], class: i ? "hole" : "outline",
    style: `fill:${i % 2 ? "var(--paper)" : colour}`,
    transform: `translate(${at.h} ${at.v}) scale(${size * share})` })));
  link.addEventListener("pointerenter", (event) => {
    if (event.pointerType !== "touch") showTip(point, at);
  });
  link.addEventListener("focus", () => showTip(point, at));
  for (const end of ["pointerleave", "blur"]) link.addEventListener(end, () => { tip.hidden = true; });
  return link;
}

function showTip(point, at) {
  const rows = data.hover.map((key) => element("tr", {},
    element("td", {}, data.columns[key].title), element("td", {}, point.text[key])));
  tip.replaceChildren(element("b", {}, point.label), element("div", {}, point.spec),
                      element("table", {}, ...rows));
  tip.hidden = false;
  const fits = at.h + 16 + tip.offsetWidth <= plot.clientWidth;
  const left = fits ? at.h + 16 : at.h - 16 - tip.offsetWidth;
  tip.style.left = `${Math.max(0, left)}px`;
  tip.style.top = `${Math.max(0, Math.min(at.v - 20, plot.clientHeight - tip.offsetHeight))}px`;
}

// The part of an axis where the points are that a picture shows, if it does not show all of them.
function extent(axis, points) {
  if (points.length === data.points.length || !points.length) return [axis.low, axis.high];
  const of = axis.is_log ? Math.log10 : (v) => v, back = axis.is_log ? (v) => 10 ** v : (v) => v;
  const at = points.map((i) => of(axis.positions[i]));
  const low = Math.min(...at), high = Math.max(...at), room = Math.max(high - low, 0.3) / 5;
  return [Math.max(axis.low, back(low - room)), Math.min(axis.high, back(high + room))];
}

// How far a figure may be from the truth, where it is an estimate from samples.
function errorBars(points, onFront, y, v, at, frame) {
  const made = svg("g", { class: "bars" });
  for (const i of points.filter((i) => y.deviations[i])) {
    const value = y.positions[i], { h } = at(i);
    const ends = [value - y.deviations[i], value + y.deviations[i]].map((end) =>
      (y.is_log && end <= 0 ? frame.bottom
        : Math.min(Math.max(v.position(end), frame.top), frame.bottom)));
    made.append(svg("path", { class: onFront.has(i) ? "front" : "behind", d: `M${h} ${ends[0]}V${ends[1]}`
      + ends.map((end) => `M${h - 3} ${end}h6`).join("") }));
  }
  return made;
}

function draw() {
  if (plot.clientWidth <= MARGIN.left + MARGIN.right) return; // nothing to be seen
  tip.hidden = true;
  const x = data.axes[choice.x.value], y = data.axes[choice.y.value];
  const frame = { left: MARGIN.left, right: plot.clientWidth - MARGIN.right, top: MARGIN.top,
                  bottom: plot.clientHeight - MARGIN.bottom };
  const both = data.points.map((p, i) => i)
    .filter((i) => x.positions[i] !== null && y.positions[i] !== null);
  const h = scale(x, view?.x ?? extent(x, both), frame.left, frame.right);
  const v = scale(y, view?.y ?? extent(y, both), frame.bottom, frame.top);
  const at = (i) => ({ h: h.position(x.positions[i]), v: v.position(y.positions[i]) });
  const there = both.filter((i) => shown(data.points[i]));
  const inside = ({ h, v }) => h >= frame.left && h <= frame.right && v >= frame.top
    && v <= frame.bottom;
  const drawn = there.filter((i) => inside(at(i)));
  const operations = Object.keys(data.nouns);
  const fronts = operations.map((operation) =>
    paretoFront(there.filter((i) => data.points[i].operation === operation), x, y));
  const onFront = new Set(fronts.flat());
  const inFrame = svg("g", { "clip-path": "url(#clip)" });
  if (choice.y.value === "accuracy" && data.baseline) {
    const level = v.position(data.baseline.accuracy);
    inFrame.append(svg("line", { class: "baseline", x1: frame.left, x2: frame.right,
                                 y1: level, y2: level }),
                   svg("text", { x: frame.right - 3, y: level - 5, "text-anchor": "end" },
                       data.baseline.name));
  }
  fronts.forEach((front, k) => {
    const d = front.map(at).map(({ h, v }, i) => (i ? `H${h}V${v}` : `M${h} ${v}`)).join("");
    inFrame.append(svg("path", { class: "line", d, "stroke-dasharray": data.dashes[operations[k]] }));
  });
  const behindFirst = [...drawn].sort((a, b) => onFront.has(a) - onFront.has(b));
  for (const line of document.querySelectorAll(".legend span")) {
    line.hidden = !(fronts[operations.indexOf(line.dataset.operation)]?.length > 1);
  }
  inFrame.append(errorBars(drawn, onFront, y, v, at, frame), names(frame, at, drawn, fronts),
                 ...behindFirst.map((i) => marker(data.points[i], at(i), onFront.has(i))));
  const clip = svg("clipPath", { id: "clip" }, svg("rect", { x: frame.left, y: frame.top - 8,
    width: frame.right - frame.left + 8, height: frame.bottom - frame.top + 8 }));
  const picture = svg("svg", { width: plot.clientWidth, height: plot.clientHeight, role: "img",
    viewBox: `0 0 ${plot.clientWidth} ${plot.clientHeight}`,
    "aria-label": `${y.title} against ${x.title}` }, clip, axes(frame, x, y, h, v), inFrame);
  picture.front = fronts.flat().map((i) => data.points[i].name);
  plot.querySelector("svg")?.remove();
  plot.prepend(picture);
  byId("vertical").textContent = y.title;
  byId("unzoom").hidden = view === null;
  zoomable(picture, frame, h, v);
}

// Dragging with a mouse draws a box to zoom into.
function zoomable(picture, frame, h, v) {
  const box = svg("rect", { class: "box" });
  const within = (event) => {
    const { left, top } = picture.getBoundingClientRect();
    return { h: Math.min(Math.max(event.clientX - left, frame.left), frame.right),
             v: Math.min(Math.max(event.clientY - top, frame.top), frame.bottom) };
  };
  let start = null, end = null;
  picture.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button || event.target.closest("a")) return;
    start = within(event);
    picture.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  picture.addEventListener("pointermove", (event) => {
    if (!start) return;
    end = within(event);
    picture.append(box);
    for (const [key, value] of Object.entries({
      x: Math.min(start.h, end.h), y: Math.min(start.v, end.v),
      width: Math.abs(start.h - end.h), height: Math.abs(start.v - end.v) })) {
      box.setAttribute(key, value);
    }
  });
  picture.addEventListener("pointerup", () => {
    const [a, b] = [start, end];
    start = end = null;
    box.remove();
    if (!a || !b || Math.abs(a.h - b.h) < 8 || Math.abs(a.v - b.v) < 8) return;
    view = { x: [h.value(Math.min(a.h, b.h)), h.value(Math.max(a.h, b.h))],
             y: [v.value(Math.max(a.v, b.v)), v.value(Math.min(a.v, b.v))] };
    draw();
  });
}

function showAll() {
  view = null;
  draw();
}

for (const select of Object.values(choice)) select.addEventListener("change", showAll);
byId("unzoom").addEventListener("click", showAll);
addEventListener("resize", draw);
