// Text in, elements out. Whatever comes from a log goes in as text, never as markup.

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
 * Make the rows of a table body those of `items`, in their order. A row that stays is the same element as before, so
 * that the keyboard's focus stays with it. `fill(row, item)` is called for each.
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

/** Give a row its cells, made once by `make()`, and change their texts. */
export function cells(row, make, texts) {
  if (!row.cells.length) row.append(...make());
  texts.forEach((text, index) => text !== null && say(row.cells[index].firstElementChild ?? row.cells[index], text));
}
