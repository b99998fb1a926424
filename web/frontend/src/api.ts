// Asks the API for JSON, and keeps the answers of paths that are on show fresh, each by itself: one slow or failing
// answer holds up nothing else.

import { useEffect, useRef, useState } from "preact/hooks";
import { signal } from "./signal";
import { type State, timeOf } from "./state";

const TIMEOUT = 8000; // milliseconds
const KEPT = 20_000; // milliseconds that an answer is kept when nobody looks at it, for Back

/** Why there is no answer; the message can be shown. */
export class Failed extends Error {
  constructor(
    message: string,
    readonly status = 0,
    readonly body: Record<string, unknown> = {},
  ) {
    super(message);
  }

  /** Whether this server has no such path, as one of an earlier version. */
  get absent(): boolean {
    return this.status === 404 && /^[A-Z]+ \/api\//.test(this.message);
  }
}

export async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  let response: Response;
  const limit = AbortSignal.timeout(TIMEOUT);
  const signals = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  try {
    response = await fetch(`/api/v1/${path}`, { ...options, signal: signals });
  } catch (why) {
    if (options.signal?.aborted) throw why;
    throw new Failed(limit.aborted ? `No answer within ${TIMEOUT / 1000} s.` : "The web role does not answer.");
  }
  if (response.status === 401) {
    location.assign("/login");
    throw new Failed("You are logged out.", 401);
  }
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    throw new Failed(`The web role answers with status ${response.status}.`, response.status);
  }
  if (response.ok || (path === "health" && response.status === 503)) return body as T;
  const said = body as Record<string, unknown>;
  throw new Failed(String(said["error"] ?? `Status ${response.status}.`), response.status, said);
}

export const post = <T>(path: string, body: unknown) =>
  ask<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const query = (path: string, parameters: Record<string, string | number | undefined>) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : path;
};

/** The parameters of the chosen time and filters, for paths that count. */
export const chosen = (state: State): Record<string, string> => ({ ...timeOf(state), ...state.filters });

/** An answer as it stands: `at` is when it came, `error` why the latest try failed. */
export interface Held<T> {
  data: T | null;
  error: Failed | null;
  at: number;
  /** Whether the data belong to an earlier question, and the answer to this one is under way. */
  old: boolean;
}

export const paused = signal(false);
/** By how much polling is slowed down while the event stream brings what is new. */
export const slowed = signal(1);

class Resource {
  held: Held<unknown> = { data: null, error: null, at: 0, old: false };
  every = 0;
  /** Whether the event stream brings what is new, so that asking is only for what it may have missed. */
  streamed = false;
  readonly watchers = new Set<() => void>();
  private timer = 0;
  private asked: AbortController | null = null;

  constructor(readonly path: string) {}

  async refresh(): Promise<void> {
    clearTimeout(this.timer);
    this.asked?.abort();
    const mine = (this.asked = new AbortController());
    try {
      this.set({ data: await ask(this.path, { signal: mine.signal }), error: null, at: Date.now(), old: false });
    } catch (why) {
      if (mine.signal.aborted) return;
      const error = why instanceof Failed ? why : new Failed(String(why));
      // What it showed stays and ages, unless the question itself was wrong.
      const gone = error.status >= 400 && error.status < 500;
      this.set(gone ? { data: null, error, at: 0, old: false } : { ...this.held, error });
    }
    this.asked = null;
    this.plan();
  }

  set(held: Held<unknown>): void {
    this.held = held;
    for (const watcher of [...this.watchers]) watcher();
  }

  plan(): void {
    clearTimeout(this.timer);
    if (!this.watchers.size || !this.every || document.hidden || paused.value) return;
    const factor = this.held.error ? 2 : this.streamed ? slowed.value : 1;
    const wait = this.held.error?.absent ? 60_000 : this.every * factor;
    this.timer = window.setTimeout(() => void this.refresh(), wait);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.asked = null;
  }
}

const resources = new Map<string, Resource>();

function resource(path: string): Resource {
  let found = resources.get(path);
  if (!found) resources.set(path, (found = new Resource(path)));
  return found;
}

/** Ask again for everything on show. */
export function refreshAll(): void {
  for (const one of resources.values()) if (one.watchers.size && one.every) void one.refresh();
}

const replan = () => {
  for (const one of resources.values()) one.plan();
};
slowed.listen(replan);
paused.listen(() => (paused.value ? replan() : refreshAll()));
document.addEventListener("visibilitychange", () => (document.hidden ? replan() : paused.value || refreshAll()));

/** Change what is held of a path, if somebody looks at it: how events of the stream come in. */
export function patch<T>(path: string, change: (before: T | null) => T | null): void {
  const found = resources.get(path);
  if (!found?.watchers.size) return;
  const data = change(found.held.data as T | null);
  if (data !== null) found.set({ data, error: null, at: Date.now(), old: false });
}

/**
 * The answer of a path (null: of none), asked for again every `every` ms (0: once). While the answer to a new path is
 * under way, the one before stays, marked as old.
 */
export function useResource<T>(path: string | null, every = 0, streamed = false): Held<T> & { retry: () => void } {
  const [, draw] = useState(0);
  const before = useRef<unknown>(null);
  useEffect(() => {
    if (path === null) return;
    const mine = resource(path);
    const follow = () => draw((n) => n + 1);
    mine.watchers.add(follow);
    mine.every = mine.watchers.size > 1 && mine.every ? Math.min(mine.every, every || mine.every) : every;
    mine.streamed = streamed;
    if (!mine.held.data || Date.now() - mine.held.at > Math.max(every, 1000)) void mine.refresh();
    else mine.plan();
    follow();
    return () => {
      mine.watchers.delete(follow);
      if (mine.watchers.size) return;
      mine.stop();
      setTimeout(() => mine.watchers.size || resources.get(path) !== mine || resources.delete(path), KEPT);
    };
  }, [path, every, streamed]);
  const held: Held<unknown> = path === null ? { data: null, error: null, at: 0, old: false } : resource(path).held;
  if (held.data !== null) before.current = held.data;
  else if (held.error) before.current = null;
  const data = held.data ?? (path === null ? null : before.current);
  return { ...(held as Held<T>), data: data as T | null, old: held.data === null && data !== null, retry: () => path && void resource(path).refresh() };
}
