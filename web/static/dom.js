// Makes and changes elements. What comes from a log is always set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Set text only where it differs: a screen reader announces every change of a live region. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Make the rows of a table body show `items`, in their order; `fill(row, item)` is called for each. An item keeps its
 * row element, so that the keyboard's focus stays in it.
 */
export function rows(body, items, keyOf, fill) {
  const before = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const focus = document.activeElement;
  items.forEach((item, index) => {
    const key = keyOf(item);
    const row = before.get(key) ?? element("tr");
    before.delete(key);
    row.dataset.key = key;
    fill(row, item);
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  });
  for (const row of before.values()) row.remove();
  if (focus !== document.activeElement && focus.isConnected) focus.focus({ preventScroll: true });
}

/** Set the texts of the cells of a row; `make()` makes the cells when the row is new. */
export function cells(row, make, texts) {
  if (!row.cells.length) row.append(...make());
  texts.forEach((text, index) => text !== null && say(row.cells[index].firstElementChild ?? row.cells[index], text));
}
