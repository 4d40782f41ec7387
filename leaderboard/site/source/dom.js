// Elements made without markup: whatever a record says becomes text or the value of an attribute.

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

export function append(node, children) {
  node.append(...[children].flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
}

export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

export function symbol(mark) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "-6 -6 12 12");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("symbol");
  const shape = document.createElementNS(space, "path");
  for (const [name, value] of Object.entries({
    d: mark.path,
    fill: mark.fill,
    stroke: mark.colour,
    "stroke-width": 0.8,
  }))
    shape.setAttribute(name, value);
  svg.append(shape);
  return svg;
}

// One of several, as buttons. Returns the group; `group.sync(chosen)` shows which is chosen.
export function choice(label, options, choose) {
  const buttons = options.map(([value, text]) =>
    el("button", { type: "button", "data-value": value, onclick: () => choose(value) }, text),
  );
  const group = el("div", { class: "choice", role: "group", "aria-label": label }, el("span", {}, label), buttons);
  group.sync = (chosen) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.value === chosen));
  };
  return group;
}

export function picker(label, options, chosen, choose) {
  const select = el(
    "select",
    { "aria-label": label, onchange: () => choose(select.value) },
    options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)),
  );
  return el("label", { class: "pick" }, el("span", {}, label), select);
}

export function facts(pairs) {
  return el(
    "dl",
    { class: "facts" },
    pairs.filter(Boolean).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

export function copyButton(text) {
  const button = el("button", { type: "button", class: "copy", onclick: copy }, "Copy");
  async function copy() {
    const done = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    button.textContent = done ? "Copied" : "Select it and copy";
    setTimeout(() => {
      button.textContent = "Copy";
    }, 1500);
  }
  return button;
}
