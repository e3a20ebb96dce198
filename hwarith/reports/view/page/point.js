// The page of one point, which its fragment addresses: report.html#mul_bf16_bf16_bf16_rne
const dialog = byId("point");
const number = (n) => n.toLocaleString("en").replaceAll(",", " ");

function section(title, ...content) {
  return element("section", {}, element("h3", {}, title), ...content);
}

function list(pairs) {
  return element("dl", { class: "facts" },
    ...pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function figures(point) {
  const rows = Object.entries(data.columns).map(([key, column]) =>
    element("tr", { title: column.definition }, element("td", {}, column.title),
            element("td", {}, point.text[key])));
  return section("Everything measured", element("table", { class: "figures" },
    element("tbody", {}, ...rows)));
}

function path({ path: [start, end] = [] }, point) {
  if (!start) return [];
  const pairs = [["From", start], ["To", end]];
  for (const key of ["delay", "depth"]) {
    if (key in data.columns) pairs.push([data.columns[key].title, point.text[key]]);
  }
  return [section("Critical path", list(pairs))];
}

function cells({ cells: types = {}, cell_areas: areas = {} }) {
  const rows = Object.entries(types).map(([type, n]) => ({ type, n, area: n * (areas[type] ?? 0) }));
  const total = rows.reduce((sum, row) => sum + row.area, 0);
  if (!rows.length) return [];
  rows.sort((a, b) => b.area - a.area || b.n - a.n);
  const largest = Math.max(...rows.map((row) => row.area)) || 1;
  const share = (row) => (total ? `${(100 * row.area / total).toFixed(1)} %` : "");
  const body = rows.map((row) => element("tr", {}, element("td", {}, row.type),
    element("td", {}, number(row.n)), element("td", {}, share(row)),
    element("td", { class: "bar" }, element("i", { style: `width:${100 * row.area / largest}%` }))));
  const heads = ["Cell", "Number", "Share of area", ""].map((text) => element("th", {}, text));
  return [section("Cells by type", element("table", { class: "figures" },
    element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body)))];
}

function breakdown({ breakdown: found }) {
  if (!found) return [];
  const paths = found.parts.reduce((sum, part) => sum + (part.delay ?? 0), 0);
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const row = (part, depth) => {
    const number = part.instances > 1 ? ` × ${part.instances}` : "";
    return element("tr", {},
      element("td", { style: `padding-left:${0.5 + 1.2 * depth}rem;white-space:nowrap` },
        part.name.replaceAll("_", " ") + number),
      element("td", {}, percent(part.share)),
      element("td", {}, paths ? percent(part.delay / paths) : ""),
      element("td", { class: "bar" }, element("i", { style: `width:${100 * part.share}%` })));
  };
  const rows = (parts, depth) =>
    parts.flatMap((part) => [row(part, depth), ...rows(part.parts, depth + 1)]);
  const heads = ["Part", "Area", "Path", ""].map((text) => element("th", {}, text));
  const more = `${found.difference < 0 ? "less" : "more"} area than as one`;
  return [section("Costs by step", element("table", { class: "figures" },
    element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows(found.parts, 0))),
  element("p", { class: "caption" }, `Mapped with its parts apart, the unit takes `
    + `${percent(Math.abs(found.difference))} ${more}.`))];
}

function histogram({ histogram: found }) {
  if (!found) return [];
  const bars = found.counts;
  const all = bars.reduce((sum, n) => sum + n, found.exact + found.below + found.above);
  const percent = (n) => `${Number((100 * n / all).toPrecision(3))} %`;
  const words = `${percent(found.exact)} of ${number(all)} results are exact`;
  if (!bars.length) return [section("Errors", element("p", {}, `${words}.`))];
  const highest = Math.max(...bars), width = 480 / bars.length, height = 130;
  const at = (ulp) => 480 * (ulp - found.low) / (found.high - found.low || 1);
  const text = (x, label, anchor) => svg("text", { x, y: height + 18, "text-anchor": anchor }, label);
  const ulps = (v) => `${Number(v.toPrecision(3))}`.replace("-", "−");
  const picture = svg("svg", { viewBox: `-6 -6 492 ${height + 30}`, role: "img",
    "aria-label": "Histogram of the errors in ulps" },
  ...bars.map((n, i) => svg("rect", { x: i * width + 0.5, width: width - 1,
    y: height * (1 - n / highest), height: height * n / highest },
  svg("title", {}, `${number(n)} results`))),
  svg("path", { class: "frame", d: `M0 ${height}H480` }),
  text(0, `${ulps(found.low)} ulp`, "start"), text(480, `${ulps(found.high)} ulp`, "end"));
  if (at(0) >= 0 && at(0) <= 480) {
    picture.append(svg("path", { class: "zero", d: `M${at(0)} 0V${height}` }));
    if (at(0) > 80 && at(0) < 400) picture.append(text(at(0), "0", "middle"));
  }
  const beyond = found.below + found.above;
  const rest = beyond ? `; ${percent(beyond)} lie beyond the ends` : "";
  return [section("Errors", picture,
    element("p", {}, `Errors in ulps of the results that are not exact. ${words}${rest}.`))];
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function verilog(point) {
  const packed = point.details.verilog;
  if (packed === null) return [];
  if (!packed) {
    const command = element("pre", {}, `hwarith generate ${point.spec}`);
    return [section("Verilog", element("p", {}, "Too long for this page. To have it:"), command)];
  }
  const code = element("pre", { class: "verilog" });
  const save = element("button", { type: "button", class: "plain" }, `Save ${point.name}.v`);
  unpack(packed).then((text) => {
    code.textContent = text;
    save.addEventListener("click", () => {
      const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
      element("a", { href: url, download: `${point.name}.v` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
  }, () => { code.textContent = "This browser cannot unpack the Verilog."; });
  return [section("Verilog", save, code)];
}

function open(point) {
  const { details } = point;
  byId("point-title").textContent = point.label;
  byId("point-body").replaceChildren(
    list([["Spec", element("code", {}, point.spec)], ...Object.entries(point.facts)]),
    element("div", { class: "columns" },
      element("div", {}, figures(point)),
      element("div", {}, ...histogram(details), ...path(details, point), ...breakdown(details),
        ...cells(details))),
    ...verilog(point));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

function follow() {
  const name = decodeURIComponent(location.hash.slice(1));
  const point = data.points.find((p) => p.name === name);
  if (point) open(point);
  else if (dialog.open) dialog.close();
}

byId("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("close", () => {
  if (location.hash.length > 1) history.pushState(null, "", "#");
});
addEventListener("popstate", follow); // also when a link changes the fragment
filter();
follow();
