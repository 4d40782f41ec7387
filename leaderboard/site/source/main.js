// Shows the view that the address names, and again when it or the colours change.
import { comparePage } from "./compare.js";
import { el, fill } from "./dom.js";
import { overviewPage } from "./overview.js";
import { recordPage } from "./record.js";
import { parse, toTask } from "./route.js";
import { overview } from "./store.js";
import { taskPage } from "./task.js";

const main = document.getElementById("main");
const pick = document.getElementById("to-task");
const toggle = document.getElementById("theme");
const dark = matchMedia("(prefers-color-scheme: dark)");

async function show(moved) {
  const board = await overview();
  const route = parse(location.hash);
  const [page, name, key] = route.path;
  const task = board.byName.get(name);
  pick.value = task?.name ?? "";
  const home = document.getElementById("to-overview");
  if (page === undefined) home.setAttribute("aria-current", "page");
  else home.removeAttribute("aria-current");
  main.dataset.ready = "";
  document.title = ["slimbench", ...(page ? route.path.slice(1) : ["leaderboard"])].join(" · ");
  try {
    await view(board, route, page, task, key);
  } finally {
    main.dataset.ready = location.hash || "#/";
    if (moved) {
      main.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }
}

function view(board, route, page, task, key) {
  if (page === undefined) return overviewPage(main, board, route);
  if (page === "task" && task) return taskPage(main, board, route, task);
  if (page === "compare" && task) return comparePage(main, board, route, task);
  const record = task?.records.get(key);
  if (page === "record" && record) return recordPage(main, board, task, record);
  return fill(
    main,
    el("h1", {}, "Not on this board"),
    el("p", {}, "Nothing has the address ", el("code", {}, location.hash), ". ", el("a", { href: "#/" }, "Overview")),
  );
}

// The system's colours until someone chooses; the choice is kept where the browser lets it.
function theme(chosen) {
  if (chosen) document.documentElement.dataset.theme = chosen;
  const now = chosen ?? (dark.matches ? "dark" : "light");
  const other = now === "dark" ? "light" : "dark";
  fill(toggle, other === "dark" ? "Dark" : "Light");
  toggle.setAttribute("aria-label", `Show in ${other} colours`);
  toggle.onclick = () => {
    keep(other);
    theme(other);
    show(false);
  };
}

const keep = (value) => {
  try {
    localStorage.setItem("theme", value);
  } catch {
    /* it is kept for this visit */
  }
};
const kept = () => {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
};

async function begin() {
  theme(kept());
  const board = await overview();
  fill(
    pick,
    el("option", { value: "", disabled: true }, "choose …"),
    board.tasks.map((task) => el("option", { value: task.name }, task.name)),
  );
  pick.addEventListener("change", () => {
    location.hash = toTask(pick.value);
  });
  addEventListener("hashchange", () => show(true));
  dark.addEventListener("change", () => {
    theme(kept());
    show(false);
  });
  await show(false);
}

begin();
