// Places attackers on The Wall. Parallel projection: area is failures, height is when they were seen last, the lane is the
// country or network. Positions follow from the address alone, so that a reload and a colleague see the same scene.

import { country } from "./format";
import type { Attacker } from "./types";

export type Pose = "in" | "moving" | "standing" | "asleep";

export interface Figure {
  one: Attacker;
  /** Where the feet are, in CSS pixels. */
  x: number;
  y: number;
  /** Height in CSS pixels. */
  size: number;
  pose: Pose;
}

export interface Lane {
  name: string;
  count: number;
  left: number;
  width: number;
}

export interface Scene {
  width: number;
  height: number;
  /** Where the field begins, where the wall stands, and where it ends. */
  top: number;
  wall: number;
  foot: number;
  lanes: Lane[];
  /** From the back to the front. */
  figures: Figure[];
  dots: { x: number; y: number }[];
  /** Those that got in and have no place in the picture. */
  hidden: number;
  marks: { y: number; age: number }[];
}

const FIGURES = 300;
const DOTS = 2000;
const SMALLEST = 13; // pixels
const LARGEST = 150;
const INSIDE = 74; // least pixels of who got in: cannot be overlooked
const ROW = 138; // pixels of a row of those inside
const PLACE = 158; // pixels that one of them takes, with its name
const MOST_ROWS = 3;
const WALL = 26;
const HEAD = 30;
const LEFT = 64; // pixels for the names of times
const NARROWEST = 74; // pixels of a lane

export function hash(text: string): number {
  let value = 2166136261;
  for (let n = 0; n < text.length; n++) value = Math.imul(value ^ text.charCodeAt(n), 16777619) >>> 0;
  return ((value ^ (value >>> 13)) >>> 0) % 10_007;
}

export function pose(one: Attacker, now: number): Pose {
  if (one.broke_in) return "in";
  const age = now - Date.parse(one.last_seen);
  return age < 90_000 ? "moving" : age < 15 * 60_000 ? "standing" : "asleep";
}

/** The scene of these attackers at `now`, over `span` milliseconds, in a place that is `width` pixels wide. */
export function arrange(all: Attacker[], by: "country" | "network", now: number, span: number, width: number): Scene {
  const inside = all.filter((one) => one.broke_in);
  const outside = all.filter((one) => !one.broke_in).sort((a, b) => b.failures - a.failures);
  const field = Math.max(240, Math.min(400, width * 0.3));
  const [top, wall] = [HEAD, HEAD + field];
  const foot = wall + WALL;
  const perRow = Math.max(1, Math.floor((width - 16) / PLACE));
  const rows = Math.min(MOST_ROWS, Math.ceil(inside.length / perRow));
  const lanes = lanesOf(outside, by, width);
  const most = Math.max(1, ...all.map((one) => one.failures));
  const largest = Math.min(LARGEST, field * 0.42);
  const yOf = (one: Attacker, size: number) => {
    const age = Math.max(0, Math.min(1, (now - Date.parse(one.last_seen)) / span));
    return wall - 14 - age * (field - 30 - Math.min(size, 40));
  };
  const xOf = (one: Attacker, size: number) => {
    const lane = lanes.get(laneOf(one, by)) ?? lanes.get("");
    if (!lane) return width / 2;
    const margin = Math.min(lane.width / 2, size * 0.5 + 4);
    return lane.left + margin + (hash(one.address) / 10_007) * Math.max(0, lane.width - 2 * margin);
  };
  const figures: Figure[] = outside.slice(0, FIGURES).map((one) => {
    const size = Math.max(SMALLEST, largest * Math.sqrt(one.failures / most));
    return { one, size, x: xOf(one, size), y: yOf(one, size), pose: pose(one, now) };
  });
  figures.sort((a, b) => a.y - b.y || b.size - a.size);
  inside.slice(0, rows * perRow).forEach((one, n) => {
    const size = Math.max(INSIDE, Math.min(96, largest * Math.sqrt(one.failures / most)));
    const across = Math.min(perRow, inside.length);
    figures.push({ one, size, pose: "in", x: 16 + PLACE * ((n % across) + 0.5), y: foot + 100 + ROW * Math.floor(n / across) });
  });
  return {
    width, top, wall, foot, figures,
    height: foot + Math.max(40, rows * ROW + 8),
    lanes: [...new Set(lanes.values())],
    dots: outside.slice(FIGURES, FIGURES + DOTS).map((one) => ({ x: xOf(one, 4), y: yOf(one, 4) })),
    hidden: Math.max(0, inside.length - rows * perRow),
    marks: [0, 0.25, 0.5, 0.75, 1].map((age) => ({ age: age * span, y: wall - 14 - age * (field - 30) })),
  };
}

const laneOf = (one: Attacker, by: "country" | "network") => (by === "country" ? one.country || "?" : one.as?.name || "?");

/** Lanes by their name, widest first; those that would be too narrow share the last one, which "" leads to as well. */
function lanesOf(all: Attacker[], by: "country" | "network", width: number): Map<string, Lane> {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(laneOf(one, by), (counts.get(laneOf(one, by)) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
  const shown = Math.max(1, Math.min(sorted.length, Math.floor((width - LEFT) / NARROWEST)));
  const own = sorted.length > shown ? sorted.slice(0, shown - 1) : sorted;
  const others = sorted.slice(own.length);
  const groups: [string, number, string[]][] = own.map(([key, count]) => [nameOf(key, by), count, [key]]);
  if (others.length) groups.push([`${others.length} others`, others.reduce((sum, [, n]) => sum + n, 0), ["", ...others.map(([key]) => key)]]);
  const weights = groups.map(([, count]) => Math.sqrt(count));
  const spare = width - LEFT - groups.length * NARROWEST;
  const sum = weights.reduce((a, b) => a + b, 0) || 1;
  const lanes = new Map<string, Lane>();
  let left = LEFT;
  groups.forEach(([name, count, keys], n) => {
    const lane = { name, count, left, width: NARROWEST + (Math.max(0, spare) * (weights[n] ?? 0)) / sum };
    left += lane.width;
    for (const key of keys) lanes.set(key, lane);
  });
  return lanes;
}

const nameOf = (key: string, by: "country" | "network") => (key === "?" ? "Unknown" : by === "country" ? country(key) : key);

/** The figure at a place, the one in front first. */
export function at(scene: Scene, x: number, y: number): Figure | undefined {
  return scene.figures.findLast((figure) => Math.abs(x - figure.x) < Math.max(7, figure.size * 0.38) && y < figure.y + 4 && y > figure.y - Math.max(14, figure.size));
}
