// Small tools over the document. All text goes in as text, never as HTML.

export const $ = (id) => document.getElementById(id);

// el makes an element: properties, "on..." listeners, "data-..." and "aria-..."
// attributes, then children.
export function el(tag, props = {}, ...children) {
  const svg = ["svg", "line", "path", "text", "g", "rect", "title", "circle"].includes(tag);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (svg || key.includes("-") || key === "role" || key === "for") node.setAttribute(key, value === true ? "" : value);
    else node[key] = value;
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined));
  return node;
}

// keyed makes the children of parent be those of items, in order, keeping those
// that are there already, and with them the focus.
export function keyed(parent, items, keyOf, make, update) {
  const old = new Map();
  for (const child of parent.children) old.set(child.dataset.key, child);
  let at = null;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = old.get(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    old.delete(key);
    update(child, item);
    const next = at ? at.nextElementSibling : parent.firstElementChild;
    if (next !== child) parent.insertBefore(child, next);
    at = child;
  }
  for (const child of old.values()) child.remove();
}

// text sets an element's text when it differs: a screen reader is told of changes.
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}
