// The event stream of the page: one EventSource for all that moves. Where the server has none, or too many viewers, or
// it is lost, the page polls, and says so.

import { useEffect } from "preact/hooks";
import { chosen, paused, query, refreshAll, slowed } from "./api";
import { signal } from "./signal";
import type { State } from "./state";

const HIDDEN = 60_000; // milliseconds out of sight after which the stream is closed
const AGAIN = 60_000; // milliseconds until a server without a stream is asked for one again
const BACKOFF = [2000, 4000, 8000, 15_000]; // milliseconds
const STREAMED = 10; // times slower polling beside a stream that brings the same

const EVENTS = ["hello", "ratio", "series", "attackers", "tail", "alert", "health"] as const;
export type EventName = (typeof EVENTS)[number];

export type Connection =
  | { kind: "connecting" | "open" | "still" }
  | { kind: "polling"; why: string }
  | { kind: "lost"; again: number; since: number };

export const connection = signal<Connection>({ kind: "connecting" });
export const lastHeard = signal(0);

const handlers = new Map<EventName, Set<(data: unknown) => void>>(EVENTS.map((name) => [name, new Set()]));
let source: EventSource | null = null;
let url = "";
let timer = 0;
let tries = 0;

/** Call `handle` with the data of each event of this name while the component is there. */
export function useStream<T>(name: EventName, handle: (data: T) => void, dependencies: unknown[]): void {
  useEffect(() => {
    const called = handle as (data: unknown) => void;
    handlers.get(name)?.add(called);
    return () => void handlers.get(name)?.delete(called);
  }, dependencies);
}

/** Follow the stream that belongs to what the page shows. A time that stands still needs none. */
export function follow(state: State): void {
  const wanted = state.from || paused.value ? "" : query("/api/v1/live", { view: state.view === "try" ? "event" : state.view, ...chosen(state) });
  if (wanted === url) return;
  url = wanted;
  tries = 0;
  open();
}

function close(): void {
  clearTimeout(timer);
  source?.close();
  source = null;
  slowed.value = 1;
}

function open(): void {
  close();
  if (!url) {
    connection.value = { kind: "still" };
    return;
  }
  if (connection.value.kind === "still") connection.value = { kind: "connecting" };
  const mine = (source = new EventSource(url));
  mine.onopen = () => {
    tries = 0;
    slowed.value = STREAMED;
    connection.value = { kind: "open" };
  };
  for (const name of EVENTS) mine.addEventListener(name, (event) => receive(name, event as MessageEvent<string>));
  mine.onerror = () => void lost(mine);
}

function receive(name: EventName, event: MessageEvent<string>): void {
  lastHeard.value = Date.now();
  let data: unknown;
  try {
    data = JSON.parse(event.data);
  } catch {
    return; // the next event says it again
  }
  for (const handle of handlers.get(name) ?? []) handle(data);
}

async function lost(mine: EventSource): Promise<void> {
  if (source !== mine) return;
  const refused = mine.readyState === EventSource.CLOSED;
  close();
  const wait = BACKOFF[Math.min(tries++, BACKOFF.length - 1)] ?? 2000;
  const status = refused ? await statusOf(url) : 0;
  if (source) return; // the view was changed meanwhile
  if (status === 401) return location.assign("/login");
  if (status === 404) again(AGAIN, { kind: "polling", why: "This server has no event stream." });
  else if (status === 503) again(BACKOFF[3] ?? 15_000, { kind: "polling", why: "Too many viewers for the event stream." });
  else if (status >= 400) again(AGAIN, { kind: "polling", why: `The event stream answers with status ${status}.` });
  else again(wait, { kind: "lost", again: Date.now() + wait, since: lastHeard.value || Date.now() });
}

/** The status with which the stream is refused, which an EventSource does not tell; 0 when nobody answers. */
async function statusOf(path: string): Promise<number> {
  const stop = new AbortController();
  const limit = setTimeout(() => stop.abort(), 3000);
  try {
    return (await fetch(path, { signal: stop.signal })).status;
  } catch {
    return 0;
  } finally {
    clearTimeout(limit);
    stop.abort();
  }
}

function again(wait: number, shown: Connection): void {
  connection.value = shown;
  refreshAll();
  timer = window.setTimeout(open, wait);
}

export const retryNow = () => open();

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.hidden) timer = window.setTimeout(close, HIDDEN);
  else if (!source && url) open();
});
