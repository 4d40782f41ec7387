// Colour says the family, shape the method in it: colours of Okabe and Ito, told apart by colour-blind readers.

const SHAPES = {
  circle: "M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0Z",
  square: "M-3.6,-3.6H3.6V3.6H-3.6Z",
  "triangle-up": "M0,-4.4L4.4,3.6H-4.4Z",
  diamond: "M0,-5L4,0L0,5L-4,0Z",
  "triangle-down": "M0,4.4L4.4,-3.6H-4.4Z",
  cross: "M-1.6,-4.6H1.6V-1.6H4.6V1.6H1.6V4.6H-1.6V1.6H-4.6V-1.6H-1.6Z",
  "triangle-right": "M4.4,0L-3.6,-4.4V4.4Z",
  "triangle-left": "M-4.4,0L3.6,-4.4V4.4Z",
};
const NAMES = Object.keys(SHAPES);
const COLOURS = 8;

// {families: [{name, colour, methods: [{name, shape, path, colour}]}], of(method)}, the same on every page.
export function marks(board) {
  const found = new Map();
  for (const task of board.tasks)
    for (const record of task.records.values()) {
      if (!found.has(record.family)) found.set(record.family, new Set());
      found.get(record.family).add(record.method);
    }
  const of = new Map();
  let i = 0;
  const families = [...found.keys()].sort().map((name) => {
    const colour = colourOf(`--family-${name === "dense" ? "none" : i++ % COLOURS}`);
    const methods = [...found.get(name)].sort().map((method, j) => {
      const shape = NAMES[j % NAMES.length];
      of.set(`${name}/${method}`, { name: method, family: name, shape, path: SHAPES[shape], colour });
      return of.get(`${name}/${method}`);
    });
    return { name, colour, methods };
  });
  return { families, of: (record) => of.get(`${record.family}/${record.method}`) };
}

// A custom property as the colour that it is in the theme of now.
export function colourOf(property) {
  const probe = document.createElement("i");
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

// Tells the channels of a specification which colour and which shape are whose.
export function scales(color, shape, all) {
  const methods = all.families.flatMap((family) => family.methods);
  color.scale = { domain: methods.map((m) => m.name), range: methods.map((m) => m.colour) };
  shape.scale = { domain: methods.map((m) => m.name), range: methods.map((m) => m.shape) };
}
