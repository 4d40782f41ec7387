// The legend of a plot, of real buttons: a family is shown or not, a method is isolated.
import { el, symbol } from "./dom.js";

// `state.off`: families that are hidden, joined by "|". `state.only`: the method that is isolated, or "".
export function legend(all, records, state, changed) {
  const present = new Set(records.map((record) => `${record.family}/${record.method}`));
  const families = all.families
    .map((family) => ({ ...family, methods: family.methods.filter((m) => present.has(`${family.name}/${m.name}`)) }))
    .filter((family) => family.methods.length);
  const syncs = [];
  const node = el(
    "div",
    { class: "legend" },
    families.map((family) => group(family)),
  );

  function group(family) {
    const box = el("input", { type: "checkbox", onchange: () => toggle(family.name) });
    syncs.push(() => {
      box.checked = !hidden(state).has(family.name);
    });
    return el("fieldset", {}, el("legend", {}, el("label", {}, box, family.name)), family.methods.map(entry));
  }

  function entry(method) {
    const button = el(
      "button",
      {
        type: "button",
        "data-method": method.name,
        onclick: () => isolate(method.name),
        title: "Show this method alone; again: show all",
      },
      symbol(method),
      method.name,
    );
    syncs.push(() => {
      button.setAttribute("aria-pressed", String(state.only === method.name));
      button.classList.toggle("faded", state.only !== "" && state.only !== method.name);
      button.disabled = hidden(state).has(method.family);
    });
    return button;
  }

  function toggle(family) {
    const off = hidden(state);
    if (!off.delete(family)) off.add(family);
    state.off = [...off].sort().join("|");
    changed();
  }

  function isolate(method) {
    state.only = state.only === method ? "" : method;
    changed();
  }

  function sync() {
    for (const each of syncs) each();
  }

  return { node, sync };
}

export const hidden = (state) => new Set(state.off ? state.off.split("|") : []);
