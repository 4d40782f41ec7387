// Where the page is: "#/task/digits?x=macs". Everything that a view shows can be linked to.

export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const decode = (part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  return { path: path.split("/").filter(Boolean).map(decode), query: Object.fromEntries(new URLSearchParams(query)) };
}

export function link(path, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(kept).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

// The address follows the view without a step of history for every click.
export function remember(path, query) {
  history.replaceState(null, "", link(path, query));
}

export const toTask = (task, query) => link(["task", task], query);
export const toRecord = (task, key) => link(["record", task, key]);
export const toCompare = (task, a, b) => link(["compare", task], { a, b });
