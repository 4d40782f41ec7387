// Draws a Vega-Lite specification in the page's colours.
import { colourOf } from "./marks.js";
import { library, specs } from "./store.js";

function config() {
  const [ink, muted, line] = ["--ink", "--muted", "--line"].map((name) => colourOf(`var(${name})`));
  const font = getComputedStyle(document.body).fontFamily;
  return {
    background: null,
    font,
    view: { stroke: null },
    axis: {
      labelColor: muted,
      titleColor: muted,
      gridColor: line,
      domainColor: line,
      tickColor: line,
      labelFontSize: 11,
      titleFontSize: 12,
      titleFontWeight: "normal",
      titlePadding: 8,
    },
    text: { color: muted, fontSize: 11 },
    line: { color: ink },
    rule: { color: ink },
    point: { color: ink },
  };
}

// `prepare(spec)` fills in data, titles and scales. Returns the Vega view, null if another drawing has begun since.
export async function draw(host, name, prepare) {
  const turn = (host.turn ?? 0) + 1;
  host.turn = turn;
  const [embed, all] = await Promise.all([library(), specs()]);
  const spec = structuredClone(all[name]);
  prepare(spec);
  if (turn !== host.turn || !host.isConnected) return null;
  host.view?.finalize();
  const options = {
    ast: true,
    actions: false,
    renderer: "svg",
    defaultStyle: false,
    tooltip: false,
    mode: "vega-lite",
    logLevel: 1,
  };
  host.view = (await embed(host, { ...spec, config: config() }, options)).view;
  host.dataset.drawn = String(turn);
  return host.view;
}
