// Reads the counts of minutes: sums over services, coarser steps, and what the event stream adds.

import type { Curve } from "./chart";
import { epoch } from "./format";
import type { Series } from "./types";

export interface Minutes {
  /** Epoch seconds. */
  times: number[];
  step: number;
  success: number[];
  failure: number[];
}

const STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400]; // seconds
const MOST_BARS = 100;

/** The sum of all services, or one of them, in at most a hundred steps. */
export function minutesOf(series: Series, service?: string): Minutes {
  const chosen = service === undefined ? Object.values(series.rows) : [series.rows[service]].filter((row) => row !== undefined);
  const times = series.times.map(epoch);
  const sum = (kind: "success" | "failure") => times.map((_, n) => chosen.reduce((all, row) => all + (row[kind][n] ?? 0), 0));
  return coarser({ times, step: series.step, success: sum("success"), failure: sum("failure") });
}

export function coarser(all: Minutes, most = MOST_BARS): Minutes {
  const span = all.times.length * all.step;
  const step = STEPS.find((one) => one >= all.step && span / one <= most) ?? 86_400;
  if (step === all.step) return all;
  const sums = new Map<number, [number, number]>();
  all.times.forEach((time, n) => {
    const at = Math.floor(time / step) * step;
    const [good, bad] = sums.get(at) ?? [0, 0];
    sums.set(at, [good + (all.success[n] ?? 0), bad + (all.failure[n] ?? 0)]);
  });
  const times = [...sums.keys()];
  return { times, step, success: times.map((at) => sums.get(at)?.[0] ?? 0), failure: times.map((at) => sums.get(at)?.[1] ?? 0) };
}

/** Curves of failures and, stacked on them, successes; a success among hundreds of failures is drawn high enough to be seen. */
export function stacked({ success, failure }: Minutes): Curve[] {
  const least = Math.max(...success.map((good, n) => good + (failure[n] ?? 0))) * 0.04;
  const sum = success.map((good, n) => (failure[n] ?? 0) + (good ? Math.max(good, least) : 0));
  return [
    { label: "successful", kind: "success", bars: true, values: sum, told: success },
    { label: "failed", kind: "failure", bars: true, values: failure },
  ];
}

export const ratios = ({ success, failure }: Minutes) =>
  success.map((good, n) => (good + (failure[n] ?? 0) ? good / (good + (failure[n] ?? 0)) : null));

export interface SeriesEvent {
  minute: string | number;
  by: string;
  rows: Record<string, [number, number, number?]>;
}

/** The series with a minute that changed; minutes that the window has left behind are dropped. */
export function withMinute(before: Series, event: SeriesEvent, keep: number): Series {
  if (before.step !== 60) return before; // coarser steps are asked for anew
  const minute = epoch(event.minute);
  const old = before.times.map(epoch);
  const last = old.at(-1) ?? minute;
  const added: number[] = [];
  for (let at = last + before.step; at <= minute && added.length < 1500; at += before.step) added.push(at);
  const times = [...old, ...added];
  const drop = Math.max(0, times.length - keep);
  const at = times.indexOf(minute);
  const rows: Series["rows"] = {};
  for (const name of new Set([...Object.keys(before.rows), ...Object.keys(event.rows)])) {
    const filled = (kind: "success" | "failure") => times.map((_, n) => before.rows[name]?.[kind][n] ?? 0);
    const row = { success: filled("success"), failure: filled("failure") };
    const now = event.rows[name];
    if (now && at >= 0) [row.success[at], row.failure[at]] = [now[0], now[1]];
    rows[name] = { success: row.success.slice(drop), failure: row.failure.slice(drop) };
  }
  return { ...before, times: times.slice(drop), rows };
}
