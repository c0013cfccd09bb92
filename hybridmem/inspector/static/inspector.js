// Keys, the help, the theme, and forms that take a while. Every page works without any of it.

const $ = (selector) => document.querySelector(selector);
const help = $("#help");

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("hybridmem-theme", root.dataset.theme);
}

function step(by) {
  const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by))];
  const target = row.querySelector("input:not([type=hidden]), a, button");
  if (!target) return;
  target.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function search() {
  const field = $("[data-search]");
  if (!field) {
    location.assign($('nav [data-key="s"]').href);
    return;
  }
  field.focus();
  field.select();
}

let waiting = false;
const actions = { "/": search, "?": () => help.showModal(), ".": toggleTheme, j: () => step(1), k: () => step(-1) };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && event.target.closest("input")) {
    event.preventDefault();
    event.target.click();
    return;
  }
  if (waiting) {
    waiting = false;
    const there = document.querySelector(`nav [data-key="${CSS.escape(event.key)}"]`);
    if (there) {
      event.preventDefault();
      location.assign(there.href);
    }
    return;
  }
  if (event.key === "g") {
    waiting = true;
    setTimeout(() => (waiting = false), 1200);
  } else if (actions[event.key]) {
    event.preventDefault();
    actions[event.key]();
  }
});

$("[data-theme-toggle]").addEventListener("click", toggleTheme);
$("[data-help-open]").addEventListener("click", () => help.showModal());

for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    button.textContent = form.dataset.busy;
    button.disabled = true;
  });
}
// A page that comes back from the browser's cache is not busy any more.
addEventListener("pageshow", (event) => event.persisted && location.reload());

// On a phone the navigation and the year are wider than the screen: show where one is. Not by scrollIntoView, from
// where the first Tab would then go on.
for (const [frame, part] of [[$("nav"), $("nav [aria-current]")], [$(".scroll"), $(".calendar .listed")]]) {
  if (!frame || !part) continue;
  frame.scrollLeft = part.getBoundingClientRect().left - frame.getBoundingClientRect().left - frame.clientWidth / 2;
}

const menu = $(".switch");
document.addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
