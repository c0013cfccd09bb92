// Pan and zoom: the drawing stays as it came, only its view box moves.

const drawing = document.querySelector("#graph");

if (drawing) {
  const whole = drawing.viewBox.baseVal;
  const [width, height] = [whole.width, whole.height];
  let view = { x: 0, y: 0, width, height };
  let held = null;

  const show = () => drawing.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  const move = (x, y) => {
    view.x = Math.min(width - view.width / 2, Math.max(-view.width / 2, view.x + x));
    view.y = Math.min(height - view.height / 2, Math.max(-view.height / 2, view.y + y));
    show();
  };
  const at = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY);
    return point.matrixTransform(drawing.getScreenCTM().inverse());
  };
  const zoom = (by, place = { x: view.x + view.width / 2, y: view.y + view.height / 2 }) => {
    const wide = Math.min(width * 1.5, Math.max(width / 8, view.width / by));
    const scale = wide / view.width;
    view = {
      x: place.x - (place.x - view.x) * scale,
      y: place.y - (place.y - view.y) * scale,
      width: wide,
      height: wide * (height / width),
    };
    show();
  };
  const all = () => {
    view = { x: 0, y: 0, width, height };
    show();
  };

  drawing.addEventListener("wheel", (event) => {
    // Over the drawing the wheel scrolls the page, as everywhere, unless a key or a pinch says that it is to zoom.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, at(event));
  }, { passive: false });

  drawing.addEventListener("pointerdown", (event) => {
    held = { x: event.clientX, y: event.clientY, moved: false };
  });
  drawing.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.moved && Math.hypot(x, y) < 4) return;
    if (!held.moved) drawing.setPointerCapture(event.pointerId);
    const scale = view.width / drawing.clientWidth;
    move(-x * scale, -y * scale);
    held = { x: event.clientX, y: event.clientY, moved: true };
  });
  const release = () => setTimeout(() => (held = null));
  drawing.addEventListener("pointerup", release);
  drawing.addEventListener("pointercancel", release);
  // What was dragged was not clicked.
  drawing.addEventListener("click", (event) => held?.moved && event.preventDefault(), true);
  drawing.addEventListener("dragstart", (event) => event.preventDefault());

  // On a phone the whole drawing is too small to read: begin with its middle.
  if (drawing.clientWidth < 520) zoom(1.8);

  const step = () => view.width / 12;
  const keys = {
    "+": () => zoom(1.25),
    "=": () => zoom(1.25),
    "-": () => zoom(0.8),
    0: all,
    ArrowLeft: () => move(-step(), 0),
    ArrowRight: () => move(step(), 0),
    ArrowUp: () => move(0, -step()),
    ArrowDown: () => move(0, step()),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    // Arrows scroll the page, unless the drawing is what they are for.
    if (!keys[event.key] || (event.key.startsWith("Arrow") && document.activeElement !== drawing)) return;
    event.preventDefault();
    keys[event.key]();
  });
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => ({ in: () => zoom(1.25), out: () => zoom(0.8), all })[button.dataset.zoom]());
  }
}
