"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const plot = document.getElementById("plot");
const choice = { x: document.getElementById("x"), y: document.getElementById("y") };
const hidden = new Set();
const LABEL_SIZE = 12;

function theme() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(name).trim();
  return { paper: get("--paper"), ink: get("--ink"), soft: get("--soft"), line: get("--line") };
}

function shown(point) {
  return !hidden.has(point.family) && !hidden.has(point.format);
}

function plotAxis(axis, colours) {
  const log = (v) => (axis.is_log ? Math.log10(v) : v);
  return {
    title: { text: axis.title, standoff: 12 }, type: axis.is_log ? "log" : "linear",
    range: [log(axis.low), log(axis.high)], tickvals: axis.ticks, ticktext: axis.tick_labels,
    gridcolor: colours.line, linecolor: colours.soft, zeroline: false, ticks: "outside",
    tickcolor: colours.soft,
  };
}

function hover(point) {
  const rows = data.hover.map((key) => `${data.titles[key]}: ${point.text[key]}`);
  return `<b>${point.label}</b><br>${point.spec}<br>${rows.join("<br>")}`;
}

function markers(x, y, onFront, colours) {
  const of = data.points.map((p, i) => i).filter((i) => shown(data.points[i]));
  const pick = (f) => of.map((i) => f(data.points[i], i));
  return {
    type: "scatter", mode: "markers", showlegend: false, hovertemplate: "%{text}<extra></extra>",
    x: pick((p, i) => x.positions[i]), y: pick((p, i) => y.positions[i]), text: pick(hover),
    marker: {
      color: pick((p) => data.colours[p.format]), symbol: pick((p) => data.shapes[p.family]),
      size: pick((p, i) => (onFront.has(i) ? 13 : 10)),
      opacity: pick((p, i) => (onFront.has(i) ? 1 : 0.55)),
      line: { color: colours.ink, width: pick((p, i) => (onFront.has(i) ? 1.4 : 0)) },
    },
  };
}

function frontLine(x, y, operation, front, colours) {
  return {
    type: "scatter", mode: "lines", hoverinfo: "skip", name: `front of ${data.nouns[operation]}s`,
    x: front.map((i) => x.positions[i]), y: front.map((i) => y.positions[i]),
    line: { shape: "hv", color: colours.soft, width: 1.6, dash: data.dashes[operation] },
  };
}

function overlaps(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

const SHARES = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

// Where the name of a point may stand, in pixels from it: beside it if there is room, and
// farther away with a line to it if not.
const PLACES = [];
for (const [reach, side] of [[11, 9], [9, 0], [26, 14], [44, 20], [64, 26], [88, 30], [112, 34]]) {
  for (const [h, v] of [[-1, 1], [1, -1], [-1, -1], [1, 1]]) {
    PLACES.push(side === 0 ? [h * reach * 1.4, 0] : [h * side, v * reach]);
  }
}

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

function labels(x, y, fronts, colours, size) {
  const share = (axis, value) => {
    const scale = axis.is_log ? Math.log10 : (v) => v;
    return (scale(value) - scale(axis.low)) / (scale(axis.high) - scale(axis.low));
  };
  const at = (i) => ({ h: share(x, x.positions[i]) * size.width,
                       v: (1 - share(y, y.positions[i])) * size.height });
  const drawn = (i) => shown(data.points[i]) && x.positions[i] !== null && y.positions[i] !== null;
  const around = ({ h, v }, r) => ({ left: h - r, right: h + r, top: v - r, bottom: v + r });
  const taken = [
    ...data.points.map((p, i) => i).filter(drawn).map((i) => around(at(i), 6)),
    ...fronts.flatMap((front) => trail(front.map(at))),
  ];
  const annotations = [];
  for (const i of fronts.flat().filter(drawn)) {
    const { h, v } = at(i);
    const width = data.points[i].label.length * LABEL_SIZE * 0.58;
    for (const [dx, dy] of PLACES) {
      const left = dx < 0 ? h + dx - width : h + dx;
      const box = { left, right: left + width, top: v + dy - 8, bottom: v + dy + 8 };
      const inside = box.left > 0 && box.right < size.width && box.top > 0
        && box.bottom < size.height;
      const far = Math.abs(dy) > 11;
      const line = far ? SHARES.map((t) => around({ h: h + t * dx, v: v + t * dy }, 1)) : [];
      const free = (b) => !taken.some((other) => overlaps(b, other));
      if (!inside || ![box, ...line].every(free)) continue;
      taken.push(box, ...line);
      annotations.push({
        x: x.is_log ? Math.log10(x.positions[i]) : x.positions[i],
        y: y.is_log ? Math.log10(y.positions[i]) : y.positions[i],
        text: data.points[i].label, font: { size: LABEL_SIZE, color: colours.ink },
        xanchor: dx < 0 ? "right" : "left", yanchor: "middle",
        ...(far ? { showarrow: true, ax: dx, ay: dy, arrowhead: 0, arrowwidth: 0.8,
                    arrowcolor: colours.soft, standoff: 6 }
                : { showarrow: false, xshift: dx, yshift: -dy }),
      });
      break;
    }
  }
  return annotations;
}

function reference(y, colours) {
  if (choice.y.value !== "accuracy") return { shapes: [], annotations: [] };
  const line = { color: colours.soft, width: 1, dash: "dash" };
  return {
    shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: data.float64_accuracy,
               y1: data.float64_accuracy, line }],
    annotations: [{ xref: "paper", x: 1, xanchor: "right", y: data.float64_accuracy,
                    yanchor: "bottom", text: "float64", showarrow: false,
                    font: { size: LABEL_SIZE, color: colours.soft } }],
  };
}

function draw() {
  const colours = theme();
  const x = data.axes[choice.x.value], y = data.axes[choice.y.value];
  const fronts = data.fronts[choice.x.value][choice.y.value];
  const onFront = new Set(Object.values(fronts).flat());
  const margin = { l: 96, r: 16, t: 10, b: 58 };
  const size = { width: plot.clientWidth - margin.l - margin.r,
                 height: plot.clientHeight - margin.t - margin.b };
  const lines = Object.entries(fronts).map(([operation, points]) =>
    frontLine(x, y, operation, points, colours));
  const mark = reference(y, colours);
  Plotly.react(plot, [...lines, markers(x, y, onFront, colours)], {
    margin, paper_bgcolor: colours.paper, plot_bgcolor: colours.paper, hovermode: "closest",
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colours.ink },
    xaxis: plotAxis(x, colours), yaxis: plotAxis(y, colours), shapes: mark.shapes,
    annotations: [...labels(x, y, Object.values(fronts), colours, size), ...mark.annotations],
    hoverlabel: { align: "left", bgcolor: colours.paper, font: { color: colours.ink } },
    legend: { x: 0.995, y: 0.94, xanchor: "right", bgcolor: "rgba(0,0,0,0)", font: { size: 12 } },
  }, { displaylogo: false, responsive: true,
       modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] });
}

function sortBy(heading) {
  const table = heading.closest("table"), body = table.tBodies[0];
  const column = heading.cellIndex;
  const descending = heading.getAttribute("aria-sort") === "ascending";
  const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const order = (a, b) => {
    const [p, q] = [key(a), key(b)];
    if (p === "" || q === "") return (p === "") - (q === "");
    const difference = heading.dataset.kind === "text" ? p.localeCompare(q) : p - q;
    return descending ? -difference : difference;
  };
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  body.append(...[...body.rows].sort(order));
}

for (const select of Object.values(choice)) select.addEventListener("change", draw);
for (const chip of document.querySelectorAll(".chips button")) {
  chip.addEventListener("click", () => {
    const name = chip.dataset.name;
    if (!hidden.delete(name)) hidden.add(name);
    chip.setAttribute("aria-pressed", String(!hidden.has(name)));
    draw();
  });
}
for (const heading of document.querySelectorAll("th.sortable")) {
  heading.addEventListener("click", () => sortBy(heading));
}
document.getElementById("all").addEventListener("change", (event) => {
  document.getElementById("points").classList.toggle("brief", !event.target.checked);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", draw);
draw();
