// Formats values for people. Times are in UTC or the browser's zone, as the reader chose, and the zone is always written.

import { signal } from "./signal";

const number = new Intl.NumberFormat("en");
const compactNumber = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const regions = new Intl.DisplayNames("en", { type: "region" });
const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone || "local";

export const zone = signal<"UTC" | "local">(localStorage.getItem("zone") === "local" ? "local" : "UTC");
zone.listen(() => localStorage.setItem("zone", zone.value));

/** The name of the zone in which times are shown. */
export const zoneName = () => (zone.value === "UTC" ? "UTC" : LOCAL);
export const localZone = LOCAL;

const made = new Map<string, Intl.DateTimeFormat>();
function formatter(kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = kind + zone.value;
  let found = made.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", zone.value === "UTC" ? { ...options, timeZone: "UTC" } : options);
    made.set(key, found);
  }
  return found;
}
const TWO = "2-digit" as const;
const clockOf = () => formatter("clock", { hour: TWO, minute: TWO, second: TWO });
const minuteOf = () => formatter("minute", { hour: TWO, minute: TWO });
const dayOf = () => formatter("day", { day: "numeric", month: "short" });

export const count = (value: number) => number.format(value);
export const short = (value: number) => (value < 10_000 ? number.format(value) : compactNumber.format(value));
export const rate = (value: number | null) => (value === null ? "none" : percent.format(value));
export const plural = (value: number, one: string, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function country(code: string | null | undefined): string {
  try {
    return code && code !== "unknown" ? (regions.of(code) ?? code) : "Unknown";
  } catch {
    return code ?? "Unknown";
  }
}

/** The time without its zone, for a column whose head names it; with the date unless it is today. */
export function time(iso: string | number): string {
  const moment = new Date(iso);
  if (Number.isNaN(+moment)) return String(iso);
  const day = dayOf().format(moment);
  return day === dayOf().format(Date.now()) ? clockOf().format(moment) : `${day}, ${clockOf().format(moment)}`;
}

export const zoned = (iso: string | number) => `${time(iso)} ${zoneName()}`;
export const minute = (iso: string | number) => minuteOf().format(new Date(iso));
export const day = (iso: string | number) => dayOf().format(new Date(iso));

/** A length of time in words, in its largest unit. */
export function duration(ms: number): string {
  const units: [number, string][] = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"]];
  for (const [size, name] of units) if (ms >= size) return `${Math.floor(ms / size)} ${name}`;
  return `${Math.max(0, ms / 1000).toFixed(1)} s`;
}

export const ago = (iso: string | number) => `${duration(Date.now() - +new Date(iso))} ago`;

/** The first `most` of some names, and how many more there are. */
export function names(list: string[], total: number, more: boolean, most: number): string {
  const shown = list.slice(0, most);
  const rest = total - shown.length;
  const others = rest > 0 ? ` and ${more ? "at least " : ""}${count(rest)} more` : more ? " and more" : "";
  return shown.join(", ") + others;
}

export const epoch = (time: string | number) => (typeof time === "number" ? time : Date.parse(time) / 1000);

/** A name for a sentence: its beginning, where somebody has chosen one that would fill the page. */
export const brief = (text: string, most = 48) => (text.length > most ? `${text.slice(0, most)}…` : text);

// Characters that show nothing, or that change the direction of what follows: both can forge what a line says.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The text with such characters written out, as ‹U+202E›. */
export const visible = (text: string) =>
  text.replace(UNSEEN, (one) => `‹U+${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
