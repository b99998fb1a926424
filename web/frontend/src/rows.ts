// Rows of a long list that the server sorts: the pages in sight are asked for, and asked again while they are in sight.

import { useEffect, useRef, useState } from "preact/hooks";
import { Failed, type Held, ask, paused, query, slowed } from "./api";
import type { Attacker, Attackers } from "./types";

const PAGE = 100; // rows a question
const AGAIN = 3000; // milliseconds
const SETTLED = 60; // milliseconds without scrolling before rows are asked for

export interface Rows {
  total: number;
  breaches: number;
  /** The row at a place, undefined while it is not known. */
  at: (index: number) => Attacker | undefined;
  held: Held<Attackers> & { retry: () => void };
}

/** The list of `path` with these parameters, of which the rows from `first` to `last` are in sight. */
export function useRows(parameters: Record<string, string>, first: number, last: number, again: boolean): Rows {
  const key = JSON.stringify(parameters);
  const [, draw] = useState(0);
  const pages = useRef(new Map<number, Attacker[]>());
  const held = useRef<Held<Attackers>>({ data: null, error: null, at: 0, old: false });
  const shownKey = useRef(key);
  const [turn, retry] = useState(0);
  const [from, to] = [Math.floor(first / PAGE), Math.floor(Math.max(first, last) / PAGE)];
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const load = async () => {
      try {
        for (let page = from; page <= to; page++) {
          const answer = await ask<Attackers>(query("attackers", { ...parameters, offset: page * PAGE, limit: PAGE }), { signal: stop.signal });
          if (shownKey.current !== key) pages.current.clear();
          shownKey.current = key;
          pages.current.set(page, answer.attackers);
          held.current = { data: answer, error: null, at: Date.now(), old: false };
          draw((n) => n + 1);
        }
      } catch (why) {
        if (stop.signal.aborted) return;
        const error = why instanceof Failed ? why : new Failed(String(why));
        held.current = error.status >= 400 && error.status < 500 ? { data: null, error, at: 0, old: false } : { ...held.current, error };
        draw((n) => n + 1);
      }
      plan(AGAIN * Math.min(3, slowed.value));
    };
    const plan = (wait: number) => {
      clearTimeout(timer);
      if (again && !paused.value && !document.hidden) timer = window.setTimeout(() => void load(), wait);
    };
    const wake = () => plan(0);
    timer = window.setTimeout(() => void load(), pages.current.has(from) && shownKey.current === key ? AGAIN : held.current.data ? SETTLED : 0);
    if (shownKey.current === key && from !== to && !pages.current.has(to)) timer = window.setTimeout(() => void load(), SETTLED);
    document.addEventListener("visibilitychange", wake);
    const unpause = paused.listen(wake);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
      unpause();
    };
  }, [key, from, to, again, turn]);
  const { data } = held.current;
  return {
    total: data?.total ?? 0,
    breaches: data?.broke_in_total ?? 0,
    at: (index) => pages.current.get(Math.floor(index / PAGE))?.[index % PAGE],
    held: { ...held.current, old: data !== null && shownKey.current !== key, retry: () => retry((n) => n + 1) },
  };
}
