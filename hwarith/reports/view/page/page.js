"use strict";
// What the parts of the page share: the data, the choice of axes, the filters, the theme.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const choice = { x: byId("x"), y: byId("y") };
const hidden = new Set();
const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shown(point) {
  const words = byId("find").value.toLowerCase().split(/\s+/);
  const text = `${point.label} ${point.spec}`.toLowerCase();
  return !hidden.has(`family ${point.family}`) && !hidden.has(`format ${point.format}`)
    && words.every((word) => text.includes(word));
}

// A chip switches its family or format off and on.
function toggle(chip) {
  const name = chip.dataset.name;
  if (!hidden.delete(name)) hidden.add(name);
  chip.setAttribute("aria-pressed", String(!hidden.has(name)));
  filter();
}

function filter() {
  const rows = new Map([...byId("points").tBodies[0].rows].map((row) => [row.dataset.name, row]));
  const there = data.points.filter(shown);
  for (const row of rows.values()) row.hidden = true;
  for (const point of there) rows.get(point.name).hidden = false;
  byId("count").textContent = there.length === data.points.length
    ? `${there.length} shown` : `${there.length} of ${data.points.length} shown`;
  draw();
}

// The theme is the system's until the switch is used.
const system = matchMedia("(prefers-color-scheme: dark)");
let chosen = null;

function applyTheme() {
  const theme = chosen ?? (system.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
}

byId("theme").addEventListener("click", () => {
  chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  applyTheme();
});
system.addEventListener("change", applyTheme);
applyTheme();
for (const chip of document.querySelectorAll(".chips button")) {
  chip.addEventListener("click", () => toggle(chip));
}
byId("find").addEventListener("input", filter);
byId("reset").addEventListener("click", () => {
  hidden.clear();
  byId("find").value = "";
  for (const chip of document.querySelectorAll(".chips button")) {
    chip.setAttribute("aria-pressed", "true");
  }
  filter();
});
