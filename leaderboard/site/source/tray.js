// The rows that were picked for comparison, at the foot of the page.
import { el, fill } from "./dom.js";
import { toCompare } from "./route.js";

const picked = { task: null, ids: [] };

export function chooser(row) {
  const box = el("input", {
    type: "checkbox",
    "aria-label": `Compare ${row.info.label} ${row.strength}`,
    onchange: () => toggle(row, box),
  });
  box.checked = picked.task === row.info.task && picked.ids.includes(row.id);
  box.dataset.id = row.id;
  return box;
}

function toggle(row, box) {
  if (picked.task !== row.info.task) Object.assign(picked, { task: row.info.task, ids: [] });
  picked.ids = box.checked ? [...picked.ids, row.id].slice(-2) : picked.ids.filter((id) => id !== row.id);
  tray();
}

export function clearTray() {
  picked.ids = [];
  tray();
}

export function tray() {
  const node = document.getElementById("tray");
  for (const box of document.querySelectorAll("input[data-id]")) box.checked = picked.ids.includes(box.dataset.id);
  node.hidden = picked.ids.length === 0;
  fill(
    node,
    el("span", {}, picked.ids.join("  and  ")),
    picked.ids.length === 2
      ? el("a", { class: "button", href: toCompare(picked.task, ...picked.ids) }, "Compare")
      : el("span", { class: "note" }, "pick one more"),
    el("button", { type: "button", class: "quiet", onclick: clearTray }, "Clear"),
  );
}
