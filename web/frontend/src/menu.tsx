// The menu of a value: only this, not this, copy. One for the whole page; a click on any `data-field` opens it.

import { useEffect, useRef, useState } from "preact/hooks";
import { FIELDS, type Field, type State, go, searchLink, state } from "./state";
import { copy } from "./widgets";

interface Target {
  field: string;
  value: string;
  element: HTMLElement;
}

/** A term of the search language. */
export function term(field: string, value: string, not = false): string {
  const bare = /^[\w.:/@-]+$/.test(value) && !value.startsWith("-") ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`;
  return `${not ? "-" : ""}${field}:${bare}`;
}

const without = (q: string, part: string) => q.split(part).join(" ").replace(/\s+/g, " ").trim();
export const withTerm = (q: string, part: string) => `${without(q, part)} ${part}`.trim();

export function ValueMenu(): preact.JSX.Element {
  const [target, set] = useState<Target | null>(null);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const open = (event: MouseEvent) => {
      const element = (event.target as Element | null)?.closest?.<HTMLElement>("[data-field]");
      if (!element) return;
      event.preventDefault();
      set({ element, field: element.dataset["field"] ?? "", value: element.dataset["value"] ?? "" });
    };
    document.addEventListener("click", open);
    return () => document.removeEventListener("click", open);
  }, []);
  useEffect(() => {
    const menu = box.current;
    if (!target || !menu) return;
    menu.showPopover();
    place(menu, target.element);
    menu.querySelector("button")?.focus();
  }, [target]);
  const done = (act: () => void) => () => {
    box.current?.hidePopover();
    act();
  };
  const closed = (event: Event) => {
    if ((event as ToggleEvent).newState !== "closed") return;
    if (document.activeElement === document.body || box.current?.contains(document.activeElement)) target?.element.focus();
    set(null);
  };
  return (
    <div ref={box} popover="auto" class="menu" role="menu" aria-label={target ? `${target.field} ${target.value}` : "Value"} onToggle={closed} onKeyDown={arrows}>
      {target && <>
        <p class="menu-title"><b>{target.field}</b> <span>{target.value}</span></p>
        <button type="button" role="menuitem" onClick={done(() => only(target))}>Only this</button>
        <button type="button" role="menuitem" onClick={done(() => exclude(target))}>Not this{state().view !== "search" && " (in Search)"}</button>
        {state().view !== "search" && <button type="button" role="menuitem" onClick={done(() => void (location.hash = searchLink(state(), term(target.field, target.value))))}>Search for it</button>}
        <button type="button" role="menuitem" onClick={done(() => void copy(target.value, `Copied ${target.field}`))}>Copy</button>
      </>}
    </div>
  );
}

function only({ field, value }: Target): void {
  const now = state();
  if (now.view === "search") go({ q: withTerm(now.q, term(field, value)) });
  else if (field === "address" || field === "ip") go({ address: value });
  else if ((FIELDS as readonly string[]).includes(field)) go({ filters: { ...now.filters, [field as Field]: value } });
  else location.hash = searchLink(now, term(field, value));
}

/** Leave a value out: in Search, which can do that. */
export function exclude({ field, value }: Pick<Target, "field" | "value">): void {
  const now: State = state();
  const part = term(field, value, true);
  if (now.view === "search") go({ q: withTerm(now.q, part) });
  else location.hash = searchLink(now, [...Object.entries(now.filters).map(([name, text]) => term(name, text)), part].join(" "));
}

function place(menu: HTMLElement, beside: HTMLElement): void {
  const at = beside.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(4, Math.min(at.left, innerWidth - size.width - 4))}px`;
  menu.style.top = `${at.bottom + size.height + 4 > innerHeight ? Math.max(4, at.top - size.height - 4) : at.bottom + 4}px`;
}

function arrows(event: KeyboardEvent): void {
  const items = [...(event.currentTarget as HTMLElement).querySelectorAll("button")];
  const at = items.indexOf(document.activeElement as HTMLButtonElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  items[(at + step + items.length) % items.length]?.focus();
}
