// Before the first paint, or a dark page would flash light: the visitor's choice, where there is one.
const chosen = localStorage.getItem("hybridmem-theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
