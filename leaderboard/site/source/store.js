// The page's packed blocks: each is unpacked when first asked for, and kept.
const cache = new Map();

async function unpack(id) {
  const block = document.getElementById(id);
  if (!block) return null;
  const bytes = Uint8Array.from(atob(block.textContent), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

function once(id, make) {
  if (!cache.has(id))
    cache.set(
      id,
      unpack(id).then((text) => (text === null ? null : make(text))),
    );
  return cache.get(id);
}

// Tasks by name; each group knows its records, each record its group; columns and axes by id.
export function overview() {
  return once("overview", (text) => {
    const board = JSON.parse(text);
    board.byName = new Map(board.tasks.map((task) => [task.name, task]));
    for (const task of board.tasks) {
      task.records = new Map();
      task.column = Object.fromEntries(task.columns.map((column) => [column.id, column]));
      task.axis = Object.fromEntries(task.axes.map((axis) => [axis.id, axis]));
      for (const group of task.groups) {
        for (const record of group.records) {
          record.group = group.name;
          record.task = task.name;
          task.records.set(record.key, record);
        }
      }
    }
    return board;
  });
}

// From columns to rows; `row.info` is the row's record in the overview.
export async function rows(task) {
  return (
    (await once(`rows/${task.name}`, (text) => {
      const columns = JSON.parse(text);
      const names = Object.keys(columns);
      return (columns.record ?? []).map((key, i) => {
        const row = { info: task.records.get(key), id: `${key}@${columns.strength[i]}` };
        for (const name of names) row[name] = columns[name][i];
        return row;
      });
    })) ?? []
  );
}

// null where the page had no room for them.
export const details = (task) => once(`details/${task.name}`, JSON.parse);
export const outcomes = (task) => once(`outcomes/${task.name}`, JSON.parse);
export const specs = () => once("specs", JSON.parse);

// Runs the plotting library; the policy knows its hash.
export function library() {
  return once("library", (text) => {
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
    return window.vegaEmbed;
  });
}
