// The tables: a click on a heading sorts, another one turns the order round.
function sortBy(heading) {
  const body = heading.closest("table").tBodies[0];
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

for (const heading of document.querySelectorAll("th.sortable button")) {
  heading.addEventListener("click", () => sortBy(heading.closest("th")));
}
byId("all").addEventListener("change", (event) => {
  byId("points").classList.toggle("brief", !event.target.checked);
});
