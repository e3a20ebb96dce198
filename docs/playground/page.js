// The playground's page: asks Python (worker.js, answers.py) and shows what it says.
"use strict";

const $ = id => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// -- Python ---------------------------------------------------------------------------------------

async function inflated(text) {
  const bytes = Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What a script of build/ brings: files, and the address of the worker among them. */
async function unpacked(name) {
  if (!window[name]) throw new Error("build/ is missing: run `make playground`");
  const names = Object.keys(window[name]);
  const contents = await Promise.all(names.map(file => inflated(window[name][file])));
  const files = Object.fromEntries(names.map((file, i) => [file, contents[i]]));
  const worker = URL.createObjectURL(new Blob([files["worker.js"]], {type: "text/javascript"}));
  delete files["worker.js"];
  delete window[name];
  return {files, worker};
}

/** A program in a worker. Of questions of a kind that wait only the last one is asked. */
class Program {
  #runtime;
  #worker = null;
  #waiting = new Map();
  #asked = null;
  #number = 0;

  /** `runtime` gives, when something is asked, what `unpacked` does. */
  constructor(runtime) {
    this.#runtime = runtime;
  }

  async #start() {
    const {files, worker} = await this.#runtime();
    this.#worker = new Worker(worker);
    await new Promise((resolve, reject) => {
      this.#worker.onerror = event => reject(new Error(event.message || "the worker did not start"));
      this.#worker.onmessage = ({data}) => (data.ready ? resolve() : reject(new Error(data.broken)));
      this.#worker.postMessage({files});
    });
    this.#worker.onmessage = ({data}) => this.#answered(data);
  }

  /** What the program answers; null if a later question of the kind took the place of this one. */
  ask(...question) {
    return new Promise((resolve, reject) => {
      this.#waiting.get(question[0])?.resolve(null);
      this.#waiting.set(question[0], {question, resolve, reject});
      this.#next();
    });
  }

  async #next() {
    if (this.#asked || !this.#waiting.size) return;
    const [kind, asked] = this.#waiting.entries().next().value;
    this.#waiting.delete(kind);
    this.#asked = asked;
    busy(1);
    try {
      if (!this.#worker) await this.#start();
      this.#worker.postMessage({number: ++this.#number, question: asked.question});
    } catch (error) {
      this.#done();
      asked.reject(error);
    }
  }

  #answered({number, text}) {
    if (number !== this.#number || !this.#asked) return;
    const {resolve} = this.#asked;
    this.#done();
    resolve(JSON.parse(text));
    this.#next();
  }

  #done() {
    this.#asked = null;
    busy(-1);
  }

  /** Give up what is asked. The next question starts anew. */
  stop() {
    this.#worker?.terminate();
    this.#worker = null;
    const given = [this.#asked, ...this.#waiting.values()];
    this.#waiting.clear();
    if (this.#asked) this.#done();
    for (const one of given) one?.resolve(null);
  }
}

const interpreter = unpacked("PYTHON");
const python = new Program(() => interpreter);
const writer = new Program(() => interpreter); // of Verilog, which may take long
let gates; // yosys, loaded when it is first asked for
const mapper = new Program(() => gates ??= new Promise((resolve, reject) => {
  const script = element("script", {src: "build/yosys.js"});
  script.onload = () => resolve(unpacked("YOSYS"));
  script.onerror = () => reject(new Error("build/yosys.js is missing: run `make playground`"));
  document.head.append(script);
}));
let pending = 0;

function busy(change) {
  pending += change;
  setTimeout(() => {
    if (document.body.dataset.state === "broken") return;
    document.body.dataset.state = pending ? "busy" : "idle";
    if (!pending) document.body.dataset.shown = location.hash; // for tests: all of it is there
  });
}

function broken(error) {
  $("status").textContent = `Python did not start: ${error.message}`;
  document.body.dataset.state = "broken";
}

function wrong(id, message) {
  $(id).textContent = message ?? "";
  $(id).hidden = !message;
}

// -- the address ----------------------------------------------------------------------------------

const state = {view: "unit", spec: "mul:a=e4m3fn", operands: null, format: "e4m3fn", value: "0.3", overflow: "satprop"};

function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has("unit")) {
    Object.assign(state, {view: "unit", spec: given.get("unit"), operands: given.has("x") ? given.getAll("x") : null});
  } else if (given.has("format")) {
    state.view = "format";
    state.format = given.get("format");
    state.value = given.get("value") ?? state.value;
    state.overflow = given.get("overflow") ?? state.overflow;
  }
}

let written = "";

function write() {
  const kept = new URLSearchParams();
  if (state.view === "unit") {
    kept.set("unit", state.spec);
    for (const text of state.operands ?? []) kept.append("x", text);
  } else {
    kept.set("format", state.format);
    kept.set("value", state.value);
    if (state.overflow !== "satprop") kept.set("overflow", state.overflow);
  }
  const wanted = "#" + kept.toString().replace(/%3A/g, ":").replace(/%2C/g, ",").replace(/%3D/g, "=");
  if (location.hash !== wanted) location.replace(wanted);
  written = location.hash;
}

window.addEventListener("hashchange", () => {
  if (location.hash === written) return; // our own
  read();
  show();
});

function show() {
  for (const name of ["unit", "format"]) {
    $(`tab-${name}`).setAttribute("aria-selected", String(state.view === name));
    $(`view-${name}`).hidden = state.view !== name;
  }
  return (state.view === "unit" ? showUnit() : showFormat()).catch(broken);
}

for (const name of ["unit", "format"]) {
  $(`tab-${name}`).onclick = () => {
    state.view = name;
    show();
  };
}

function soon(action, delay = 120) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, delay);
  };
}

// -- codes ----------------------------------------------------------------------------------------

function bits(fields) {
  const parts = fields.map(([name, text]) => element("span", {class: name, title: name}, text));
  const spoken = fields.map(([name, text]) => `${name} ${text}`).join(", ");
  return element("span", {class: "bits", role: "img", "aria-label": spoken}, ...parts);
}

function oneCode({code, value, bits: fields}) {
  return element("div", {class: "one"}, element("span", {class: "number"}, value), element("code", {}, code), bits(fields));
}

const FIELDS = ["sign", "exponent", "fraction", "integer"];
$("legend").append("Bits: ", ...FIELDS.flatMap(name => [element("span", {class: name}, name), " "]));

function facts(list, pairs) {
  list.replaceChildren(...pairs.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
}

// -- a unit ---------------------------------------------------------------------------------------

let unit = null;

/** Parameters as a spec gives them; a comma in parentheses is part of a value. */
function given(spec) {
  const at = spec.indexOf(":");
  const items = at < 0 ? [] : spec.slice(at + 1).split(/,(?![^()]*\))/);
  return new Map(items.filter(Boolean).map(item => [item.split("=")[0].trim(), item.slice(item.indexOf("=") + 1).trim()]));
}

function changeParameter(name, value) {
  const parameters = given(state.spec);
  if (value === "") parameters.delete(name);
  else parameters.set(name, /,/.test(value) ? `(${value})` : value);
  const family = state.spec.split(":")[0].trim();
  state.spec = [family, [...parameters].map(pair => pair.join("=")).join(",")].filter(Boolean).join(":");
  show();
}

function control(parameter) {
  const {name, value, choices, allowed, help} = parameter;
  let field;
  if (choices.length) {
    const all = choices.includes(value) ? choices : [value, ...choices];
    field = element("select", {}, ...all.map(choice => element("option", {value: choice}, choice || "–")));
  } else {
    field = element("input", {class: "code", spellcheck: "false", autocapitalize: "off", autocomplete: "off", placeholder: allowed});
    if (parameter.format) field.setAttribute("list", "formats");
  }
  field.value = given(state.spec).get(name)?.replace(/^\(|\)$/g, "") ?? value;
  field.id = `parameter-${name}`;
  field.onchange = () => changeParameter(name, field.value.trim());
  return element("label", {title: `${help}; allowed: ${allowed}`}, name, field);
}

async function showUnit() {
  write();
  $("spec").value = state.spec;
  const answer = await python.ask("unit", state.spec);
  if (answer === null) return;
  wrong("unit-wrong", answer.wrong);
  for (const id of ["results", "verilog", "error"]) $(id).classList.toggle("stale", Boolean(answer.wrong));
  if (answer.wrong) return;
  if (unit?.family !== answer.is.family) { // results of another unit say nothing of this one
    for (const id of ["results", "error", "notes"]) $(id).replaceChildren();
  }
  unit = answer.is;
  const chosen = [...$("family").options].find(option => option.dataset.name === unit.family);
  if (chosen) chosen.selected = true;
  $("parameters").replaceChildren(...unit.parameters.filter(p => !p.quiet).map(control));
  $("quiet").replaceChildren(...unit.parameters.filter(p => p.quiet).map(control));
  const more = unit.parameters.filter(p => p.quiet && given(state.spec).has(p.name));
  if (more.length) $("more").open = true;
  const [kind, bound, source] = unit.contract;
  facts($("promises"), [["contract", `${kind}; ${bound}`], ["source", source], ...Object.entries(unit.conventions)]);
  if (state.operands?.length !== unit.operands.length) state.operands = unit.operands.map(port => port.example);
  $("operands").replaceChildren(...unit.operands.map(operand));
  $("verilog-title").textContent = `Verilog of ${unit.name}`;
  await evaluate(); // before another Python starts
  await showVerilog();
}

function heading(port) {
  const many = port.lanes ? ` × ${port.lanes}` : port.several && `, ${port.several}`;
  return [port.name, " ", element("small", {title: port.meaning}, `${port.format}${many}`)];
}

function operand(port, i) {
  const field = element("input", {id: `operand-${port.name}`, class: "code", spellcheck: "false", autocapitalize: "off", autocomplete: "off"});
  field.value = state.operands[i];
  field.oninput = () => {
    state.operands[i] = field.value;
    evaluateSoon();
  };
  const label = element("label", {class: "name"}, ...heading(port), field);
  return element("div", {class: "port"}, label, element("div", {class: "codes", id: `codes-${port.name}`}));
}

const evaluateSoon = soon(() => evaluate().catch(broken));

async function evaluate() {
  write();
  const answer = await python.ask("evaluate", state.spec, state.operands);
  if (answer === null) return;
  wrong("operand-wrong", answer.wrong);
  for (const id of ["results", "error", "notes"]) $(id).classList.toggle("stale", Boolean(answer.wrong));
  if (answer.wrong) return;
  const found = answer.is;
  for (const [name, codes] of Object.entries(found.operands)) {
    $(`codes-${name}`)?.replaceChildren(...codes.map(oneCode));
  }
  $("notes").replaceChildren(...found.notes.map(note => element("li", {}, note)));
  $("results").replaceChildren(...unit.results.filter(port => found.results[port.name]).map(port => element(
    "div", {class: "port", id: `result-${port.name}`},
    element("div", {class: "name"}, ...heading(port)),
    element("div", {class: "codes"}, ...found.results[port.name].map(oneCode)),
  )));
  const rows = [];
  if (found.flags) rows.push(["flags", found.flags.join(", ") || "none"]);
  if (found.error) {
    const {exact, fraction, ulps, place} = found.error;
    rows.push(["exact result", fraction && fraction !== exact ? `${exact} = ${fraction}` : exact]);
    if (ulps !== null) rows.push(["error", ulps === "0" ? "0: the result is exact" : `${ulps} ulp, of ${place}`]);
  }
  facts($("error"), rows);
  document.body.dataset.first ??= Math.round(performance.now());
}

$("family").onchange = () => {
  Object.assign(state, {spec: $("family").value, operands: null});
  show();
};
$("spec").onchange = () => {
  Object.assign(state, {spec: $("spec").value.trim()});
  show();
};

// -- its Verilog ----------------------------------------------------------------------------------

let file = null;
let texts = "";

const KEYWORDS = /\b(module|endmodule|input|output|wire|reg|assign|always|posedge|begin|end|if|else|case|casez|endcase|default|signed|localparam|logic)\b/g;

function highlighted(text) {
  const safe = text.replace(/[&<>]/g, letter => ({"&": "&amp;", "<": "&lt;", ">": "&gt;"})[letter]);
  return safe.split("\n").map(line => {
    const at = line.search(/\/\/|\/\*/);
    const code = at < 0 ? line : line.slice(0, at);
    return code.replace(KEYWORDS, "<b>$1</b>") + (at < 0 ? "" : `<i>${line.slice(at)}</i>`);
  }).join("\n");
}

async function showVerilog() {
  const spec = unit.spec;
  if (texts === spec) return;
  texts = "";
  if (pendingVerilog) writer.stop();
  $("verilog").classList.add("stale");
  wrong("verilog-wrong", null);
  for (const id of ["download", "copy", "area"]) $(id).disabled = true;
  $("verilog-facts").textContent = "writing…";
  const patience = setTimeout(() => ($("cancel").hidden = false), 1500);
  pendingVerilog = true;
  let answer;
  try {
    answer = await writer.ask("verilog", spec);
  } finally {
    clearTimeout(patience);
    pendingVerilog = false;
  }
  if (unit.spec !== spec) return;
  $("cancel").hidden = true;
  $("verilog-facts").textContent = answer === null ? "stopped" : "";
  if (answer === null) return;
  wrong("verilog-wrong", answer.wrong);
  if (answer.wrong) return;
  file = answer.is;
  texts = spec;
  $("verilog").innerHTML = highlighted(file.text);
  $("verilog").classList.remove("stale");
  $("verilog-facts").textContent = `${file.name}, ${file.text.split("\n").length - 1} lines`;
  for (const id of ["download", "copy", "area"]) $(id).disabled = false;
}

async function showArea() {
  const spec = texts;
  const told = text => ($("verilog-facts").textContent = text);
  $("area").disabled = true;
  told("yosys maps it to gates…");
  try {
    const recipe = await python.ask("recipe", spec);
    const answer = recipe?.is && await mapper.ask("map", {...recipe.is, "unit.v": file.text});
    if (!answer || texts !== spec) return;
    wrong("verilog-wrong", answer.wrong);
    const {num_cells: cells, area} = answer.is?.design ?? {};
    told(answer.wrong ? "" : `${cells} gates, area ${area.toFixed(1)} of a NAND2's (yosys 0.55)`);
  } catch (error) {
    told("");
    wrong("verilog-wrong", error.message);
  } finally {
    $("area").disabled = false;
  }
}

$("area").onclick = showArea;

let pendingVerilog = false;

$("cancel").onclick = () => writer.stop();
$("download").onclick = () => {
  const url = URL.createObjectURL(new Blob([file.text], {type: "text/plain"}));
  element("a", {href: url, download: file.name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
};
$("copy").onclick = async () => {
  try {
    await navigator.clipboard.writeText(file.text);
    $("verilog-facts").textContent = "copied";
  } catch {
    getSelection().selectAllChildren($("verilog"));
    $("verilog-facts").textContent = "selected: press Ctrl+C";
  }
};

// -- a format -------------------------------------------------------------------------------------

async function showFormat() {
  write();
  if ($("format").value.trim() !== state.format) $("format").value = state.format;
  if ($("value").value.trim() !== state.value) $("value").value = state.value;
  const answer = await python.ask("format", state.format, state.value, state.overflow);
  if (answer === null) return;
  wrong("format-wrong", answer.wrong);
  const lines = ["rounded", "near", "log", "linear"];
  for (const id of ["facts", ...lines]) $(id).classList.toggle("stale", Boolean(answer.wrong));
  if (answer.wrong) return;
  const found = answer.is;
  facts($("facts"), Object.entries(found.facts));
  if (!found.rounded) { // blocks: their elements have all that
    for (const id of lines) $(id).replaceChildren();
    return;
  }
  $("overflow").replaceChildren(...found.overflows.map(name => element("option", {value: name}, name)));
  $("overflow").value = state.overflow;
  $("rounded").replaceChildren(
    element("tr", {}, ...["mode", "value", "code", "bits", "error (ulp)"].map(title => element("th", {scope: "col"}, title))),
    ...found.rounded.map(row => element("tr", {},
      element("td", {class: "code"}, row.mode), element("td", {class: "number"}, row.value),
      element("td", {class: "code"}, row.code), element("td", {}, bits(row.bits)), element("td", {}, row.ulps ?? ""))),
  );
  const marks = found.near.map(([at, text]) => ({at, text, modes: found.rounded.filter(row => row.value === text).map(row => row.mode)}));
  drawNear(marks, found.near_given);
  $("log-what").textContent = found.listed ? "(every value; subnormal ones in violet)" : "(powers of two)";
  draw($("log"), found.log, found.log_given, [...ends(found.log_ends), ...found.log_ones.map(([at, power]) => ({at, text: `2^${power}`, above: true}))]);
  draw($("linear"), found.linear.map(at => [at, false]), found.linear_given, [...ends(found.linear_ends), {at: found.linear_zero, text: "0", above: true}]);
}

function ends([first, last]) {
  return [{at: 0, text: shortened(first)}, {at: 1, text: shortened(last)}];
}

/** A long number with four digits; as it is where none of JavaScript's holds it. */
function shortened(text) {
  const number = Number(text);
  return text.length > 12 && number && Number.isFinite(number) ? `≈ ${Number(number.toPrecision(4))}` : text;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function path(places, kind = "", from = 0, to = 100) {
  return svg("path", {class: kind, d: places.map(at => `M${(at * 1000).toFixed(2)} ${from}V${to}`).join("")});
}

function label({at, text, above, kind = ""}) {
  const side = at < 0.04 ? "first" : at > 0.96 ? "last" : "";
  return element("span", {class: `${above ? "above" : "below"} ${side} ${kind}`, style: `left:${at * 100}%`}, text);
}

/** A number line: places from 0 to 1, each with whether it is of a subnormal number. */
function draw(line, places, at, labels) {
  const inside = at !== null && at >= 0 && at <= 1;
  const picture = svg("svg", {viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true"},
    svg("path", {class: "axis", d: "M0 100H1000"}),
    path(places.filter(([, subnormal]) => !subnormal).map(([place]) => place), "", 30),
    path(places.filter(([, subnormal]) => subnormal).map(([place]) => place), "subnormal", 30),
    path(inside ? [at] : [], "given"));
  const given = inside ? [{at, text: state.value, kind: "given"}] : [];
  line.setAttribute("role", "img");
  line.setAttribute("aria-label", `${places.length} values from ${labels[0].text} to ${labels[1].text}`);
  line.replaceChildren(picture, ...[...labels, ...given].map(label));
}

/** Values beside the given one, with the modes that round to them. */
function drawNear(marks, at) {
  if (!marks.length) return $("near").replaceChildren();
  const last = marks.length - 1;
  const labels = marks.flatMap(({at: place, text, modes}, i) => {
    const kind = !modes.length || place === at ? "" : place < at ? "left" : "right"; // beside it
    return [
      ...(i === 0 || i === last || modes.length ? [{at: place, text, kind}] : []),
      ...(modes.length ? [{at: place, text: modes.join(" "), above: true, kind}] : []),
    ];
  });
  draw($("near"), marks.map(mark => [mark.at, false]), at, labels.length > 1 ? labels : [labels[0], labels[0]]);
}

const formatSoon = soon(() => showFormat().catch(broken));
for (const name of ["format", "value"]) {
  $(name).oninput = () => {
    state[name] = $(name).value.trim();
    formatSoon();
  };
}
$("overflow").onchange = () => {
  state.overflow = $("overflow").value;
  show();
};

// -- the beginning --------------------------------------------------------------------------------

(async () => {
  read();
  const {is: known} = await python.ask("start");
  $("version").textContent = known.version;
  $("family").replaceChildren(...known.units.map(({unit: name, what, spec}) =>
    element("option", {value: spec, "data-name": name}, `${name}: ${what}`)));
  const options = names => names.map(name => element("option", {value: name}));
  $("formats").replaceChildren(...options(known.formats));
  $("formats-all").replaceChildren(...options([...known.formats, ...known.blocks]));
  $("patterns").textContent = `A name, or: ${known.patterns.join(", ")}.`;
  $("status").textContent = "";
  await show();
})().catch(broken);
