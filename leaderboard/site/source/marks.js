// The marks of methods, as the board tells them, in the colours of now.

// {families: [{name, colour, methods: [{name, family, shape, path, colour, fill}]}], of(method)}
export function marks(board) {
  const of = new Map();
  const families = board.marks.map(({ name, colour, methods }) => {
    const own = methods.map((method) => {
      const fill = colourOf(`color-mix(in srgb, var(${colour}) ${100 * method.fill}%, var(--surface))`);
      const mark = { ...method, family: name, colour: colourOf(`var(${colour})`), fill };
      of.set(`${name}/${method.name}`, mark);
      return mark;
    });
    return { name, methods: own };
  });
  return { families, of: (record) => of.get(`${record.family}/${record.method}`) };
}

// An expression as the colour that it is in the theme of now.
export function colourOf(expression) {
  const probe = document.createElement("i");
  probe.style.color = expression;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

// Tells the channels of a specification, which name the field "method", which mark is whose.
export function scale(spec, all) {
  const methods = all.families.flatMap((family) => family.methods);
  const domain = methods.map((method) => method.name);
  const ranges = { color: "colour", stroke: "colour", fill: "fill", shape: "shape" };
  for (const { encoding = {} } of spec.layer)
    for (const [channel, name] of Object.entries(ranges))
      if (encoding[channel]?.field === "method")
        encoding[channel].scale = { domain, range: methods.map((method) => method[name]) };
}
