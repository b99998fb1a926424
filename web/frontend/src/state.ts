// The part of the address after # is the whole state of the page: `#/ogres?window=1h&service=sshd&address=192.0.2.1`.

import { useEffect, useState } from "preact/hooks";

export const VIEWS = ["live", "ogres", "map", "search", "alerts", "health"] as const;
export const WINDOWS = ["5m", "15m", "1h", "6h", "24h"] as const;
/** What the numbers can be narrowed to; Search has its own language for everything else. */
export const FIELDS = ["service", "user", "host", "country"] as const;
const PAGES = [...VIEWS, "address", "event", "try"] as const;

export type View = (typeof PAGES)[number];
export type Field = (typeof FIELDS)[number];

export interface State {
  view: View;
  /** The address or event that the view is about. */
  id: string;
  window: string;
  /** An absolute time instead of a window that slides; both or neither. ISO 8601. */
  from: string;
  to: string;
  filters: Partial<Record<Field, string>>;
  /** The address whose panel is open beside the view. */
  address: string;
  q: string;
  sort: string;
  order: string;
  show: string;
  rest: Record<string, string>;
  /** What could not be followed in the link, as a sentence. */
  note: string;
}

const KNOWN = ["window", "from", "to", "address", "q", "sort", "order", "show", ...FIELDS] as const;
const REST = ["only", "lanes", "state", "columns", "line"] as const;
const isOneOf = <T extends string>(list: readonly T[], text: string): text is T => (list as readonly string[]).includes(text);

export function parse(hash: string): State {
  const text = hash.replace(/^#/, "");
  const [path = "", query = ""] = text.startsWith("/") ? split(text.slice(1)) : ["live", text];
  const [page = "", ...others] = path.split("/");
  const given = new URLSearchParams(query);
  const notes: string[] = [];
  const view = isOneOf(PAGES, page) ? page : "live";
  if (page && view !== page) notes.push(`There is no view “${page.slice(0, 40)}”; this is Live.`);
  const get = (name: string) => given.get(name) ?? "";
  let window = get("window") || "1h";
  if (!isOneOf(WINDOWS, window)) {
    notes.push(`“${window.slice(0, 40)}” is none of ${WINDOWS.join(", ")}; this is 1h.`);
    window = "1h";
  }
  let [from, to] = [instant(get("from")), instant(get("to"))];
  if ((get("from") || get("to")) && !(from && to && from < to)) {
    notes.push("from and to are no two times in order; the window is shown instead.");
    from = to = "";
  }
  const filters: State["filters"] = {};
  for (const field of FIELDS) if (get(field)) filters[field] = get(field);
  const rest: Record<string, string> = {};
  for (const name of REST) if (get(name)) rest[name] = get(name);
  return {
    view, id: decoded(others.join("/")), window, from, to, filters, rest, note: notes.join(" "),
    address: get("address"), q: get("q"), sort: get("sort"), order: get("order"), show: get("show"),
  };
}

function split(text: string): [string, string] {
  const at = text.indexOf("?");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A time as somebody typed or pasted it, as ISO 8601; empty when it is none. Without a zone it is UTC. */
export function instant(text: string): string {
  const trimmed = text.trim().replace(" ", "T");
  const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(trimmed) || !trimmed.includes("T") ? trimmed : `${trimmed}Z`;
  const time = Date.parse(zoned);
  return trimmed && Number.isFinite(time) ? new Date(time).toISOString().replace(".000Z", "Z") : "";
}

export function link(state: State, changes: Partial<State> = {}): string {
  const next = { ...state, ...changes };
  const query = new URLSearchParams();
  if (next.from && next.to) {
    query.set("from", next.from);
    query.set("to", next.to);
  } else query.set("window", next.window);
  for (const name of KNOWN) {
    const value = isOneOf(FIELDS, name) ? next.filters[name] : name === "window" || name === "from" || name === "to" ? "" : next[name];
    if (value) query.set(name, value);
  }
  for (const [name, value] of Object.entries(next.rest)) if (value) query.set(name, value);
  const id = next.id ? `/${encodeURIComponent(next.id)}` : "";
  return `#/${next.view}${id}?${query}`;
}

/** The link to another view, with time and filters and without what belongs to this view alone. */
export const viewLink = (state: State, view: View, changes: Partial<State> = {}) =>
  link(state, { view, id: "", address: "", sort: "", order: "", show: "", rest: {}, q: "", ...changes });

export const searchLink = (state: State, q: string, changes: Partial<State> = {}) => viewLink(state, "search", { filters: {}, q, ...changes });
export const eventLink = (state: State, id: string) => viewLink(state, "event", { id });

let current = parse(location.hash);
const listeners = new Set<() => void>();

/** The address bar says what is shown: without a name that is none, and in today's form. */
function correct(): void {
  const right = link(current);
  if (location.hash && location.hash !== right) history.replaceState(null, "", right);
}
correct();

addEventListener("hashchange", () => {
  current = parse(location.hash);
  correct();
  for (const listener of listeners) listener();
});

export const state = () => current;

export function go(changes: Partial<State>, replace = false): void {
  const next = link(current, { note: "", ...changes });
  if (next === location.hash) return;
  if (replace) {
    history.replaceState(null, "", next);
    current = parse(next);
    for (const listener of listeners) listener();
  } else location.hash = next;
}

export function useRoute(): State {
  const [shown, set] = useState(current);
  useEffect(() => {
    const follow = () => set(current);
    listeners.add(follow);
    follow();
    return () => void listeners.delete(follow);
  }, []);
  return shown;
}

/** The query parameters of the time that is chosen. */
export const timeOf = ({ from, to, window }: State): Record<string, string> => (from && to ? { from, to } : { window });

/** The chosen time in milliseconds: from when, until when, and whether its end is now. */
export function spanOf(state: State): { since: number; until: number; sliding: boolean } {
  if (state.from && state.to) return { since: Date.parse(state.from), until: Date.parse(state.to), sliding: false };
  const until = Date.now();
  return { since: until - seconds(state.window) * 1000, until, sliding: true };
}

export function seconds(window: string): number {
  return Number.parseInt(window, 10) * (window.endsWith("h") ? 3600 : 60);
}
