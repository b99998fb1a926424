// A value that components can watch.

import { useEffect, useState } from "preact/hooks";

export interface Signal<T> {
  value: T;
  listen(listener: () => void): () => void;
}

export function signal<T>(first: T): Signal<T> {
  const listeners = new Set<() => void>();
  let held = first;
  return {
    get value() {
      return held;
    },
    set value(next: T) {
      if (Object.is(held, next)) return;
      held = next;
      for (const listener of [...listeners]) listener();
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The value, and a new drawing of the component whenever it changes. */
export function useSignal<T>(watched: Signal<T>): T {
  const [, draw] = useState(0);
  useEffect(() => watched.listen(() => draw((n) => n + 1)), [watched]);
  return watched.value;
}

/** Draws the component again every `ms`, for what is said of ages. */
export function useClock(ms: number): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => document.hidden || set(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}
