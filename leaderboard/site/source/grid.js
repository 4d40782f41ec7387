// A table whose headers sort it. It scrolls inside its box, so that the page never does sideways.
import { el, fill } from "./dom.js";

const FIRST = 300; // rows that are drawn before someone asks for all

// `columns`: [{id, title, hint, numeric, value(row), cell(row), rising}]. `state.sort`: "-quality" is falling.
export function grid(caption, columns, state, changed) {
  const body = el("tbody");
  const headers = columns.map((column) => header(column));
  const table = el(
    "table",
    { class: "grid" },
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, headers)),
    body,
  );
  const more = el("p", { class: "more" });
  const box = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
  let all = false;

  function header(column) {
    const button = column.value
      ? el("button", { type: "button", onclick: () => sortBy(column), title: column.hint || null }, column.title)
      : el("span", { title: column.hint || null }, column.title);
    return el("th", { scope: "col", "data-column": column.id, class: column.numeric ? "number" : null }, button);
  }

  function sortBy(column) {
    const [chosen, falling] = reading(state.sort);
    const turned = chosen === column.id ? !falling : !column.rising;
    state.sort = (turned ? "-" : "") + column.id;
    changed();
  }

  function show(rows, describe) {
    const [chosen, falling] = reading(state.sort);
    const column = columns.find((one) => one.id === chosen && one.value);
    headers.forEach((th, i) => {
      th.setAttribute("aria-sort", columns[i] !== column ? "none" : falling ? "descending" : "ascending");
    });
    const sorted = column ? [...rows].sort(by(column.value, falling)) : rows;
    const drawn = all ? sorted : sorted.slice(0, FIRST);
    fill(
      body,
      drawn.map((row) => line(row, describe)),
    );
    fill(
      more,
      drawn.length < sorted.length &&
        el(
          "button",
          {
            type: "button",
            onclick: () => {
              all = true;
              show(rows, describe);
            },
          },
          `Show all ${sorted.length} rows`,
        ),
    );
  }

  function line(row, describe) {
    const cells = columns.map((column, i) =>
      el(
        i === 0 ? "th" : "td",
        { scope: i === 0 ? "row" : null, class: column.numeric ? "number" : null },
        column.cell(row),
      ),
    );
    return el("tr", describe?.(row) ?? {}, cells);
  }

  return { node: el("div", { class: "gridbox" }, box, more), show };
}

const reading = (sort) => [sort.replace(/^-/, ""), sort.startsWith("-")];

// What is missing comes last, either way.
function by(value, falling) {
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    const [noX, noY] = [x === null || x === undefined, y === null || y === undefined];
    if (noX || noY) return noX - noY;
    const order = typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y;
    return falling ? -order : order;
  };
}

// One that does not sort; it scrolls alike.
export function table(caption, headers, lines) {
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      { class: "grid" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          headers.map((text, i) => el("th", { scope: "col", class: lines[0]?.children[i]?.className || null }, text)),
        ),
      ),
      el("tbody", {}, lines),
    ),
  );
}

export const td = (...content) => el("td", { class: "number" }, content);
export const small = (text) => text && el("small", {}, text);
