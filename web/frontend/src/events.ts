// Events as the API answers them: documents in ECS, nested or with dotted names.

import { query } from "./api";
import { type State, spanOf } from "./state";

export type Doc = Record<string, unknown>;

export interface Events {
  total: number;
  total_is?: string;
  events: Doc[];
  after?: unknown[] | null;
  took_ms?: number;
  complete?: boolean;
  source?: string;
}

/** A field of a document, whether its names are nested or dotted. */
export function field(doc: Doc | undefined, name: string): unknown {
  if (!doc) return undefined;
  if (name in doc) return doc[name];
  let at: unknown = doc;
  for (const part of name.split(".")) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Doc)[part];
  }
  return at;
}

export function text(doc: Doc | undefined, ...names: string[]): string {
  for (const name of names) {
    const found = field(doc, name);
    const one = Array.isArray(found) ? found[0] : found;
    if (one !== undefined && one !== null && one !== "") return String(one);
  }
  return "";
}

/** The document itself: some answers put it into an envelope with its id. */
export const documentOf = (one: Doc): Doc => (typeof one["event"] === "object" && one["event"] !== null && field(one, "event.@timestamp") ? (one["event"] as Doc) : one);
export const idOf = (one: Doc): string => text(one, "id", "_id", "event.id");

/** All fields of a document with dotted names, in their order. */
export function flat(doc: Doc, before = ""): [string, string][] {
  return Object.entries(doc).flatMap(([name, value]): [string, string][] => {
    const key = before + name;
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value.length ? [[key, value.map((one) => (typeof one === "object" ? JSON.stringify(one) : String(one))).join(", ")]] : [];
    if (typeof value === "object") return flat(value as Doc, `${key}.`);
    return [[key, String(value)]];
  });
}

/** The chosen time as two instants, which searches need; a sliding window is cut to whole seconds. */
export function instants(state: State): { from: string; to: string } {
  const { since, until } = spanOf(state);
  const iso = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
  return { from: iso(since), to: iso(until + 1000) };
}

export const eventsPath = (parameters: Record<string, string | number | undefined>) => query("events", parameters);
