// The keys of the page, their list (`?`), and the switch that turns them off (WCAG 2.1.4).

import { useEffect, useRef } from "preact/hooks";
import { paused } from "./api";
import { say } from "./announce";
import { exclude } from "./menu";
import { signal, useSignal } from "./signal";
import { type VIEWS, WINDOWS, go, link, spanOf, state, viewLink } from "./state";
import { nextTheme } from "./theme";
import { copy } from "./widgets";

export const keysOn = signal(localStorage.getItem("keys") !== "off");
keysOn.listen(() => localStorage.setItem("keys", keysOn.value ? "on" : "off"));
const listOpen = signal(false);
export const showKeys = () => (listOpen.value = true);

const LETTERS: Record<string, (typeof VIEWS)[number]> = { l: "live", o: "ogres", m: "map", s: "search", a: "alerts", h: "health" };
const LIST: [string, string][] = [
  ["g then l o m s a h", "Live, Ogres, Map, Search, Alerts, Health"],
  ["/", "search, or open an address"],
  ["1 to 5", `the last ${WINDOWS.join(", ")}`],
  ["[ and ]", "earlier, later"],
  ["Space", "pause and go on"],
  ["j and k", "next and previous row"],
  ["Enter", "open the row"],
  ["Esc", "close what is open"],
  ["x", "leave the value under the focus out"],
  ["y", "copy a link to what is shown"],
  ["t", "light, dark, or as the system"],
  ["?", "this list"],
];

let afterG = 0;

/** The link to what is shown, with a sliding time pinned to where it is now, so that a colleague sees the same. */
export function copyLink(): void {
  const { since, until } = spanOf(state());
  const iso = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
  const pinned = link(state(), { from: iso(since), to: iso(until) });
  void copy(`${location.origin}${location.pathname}${pinned}`, "Link copied");
}

export function shift(direction: number): void {
  const { since, until } = spanOf(state());
  const step = Math.max(until - since, 1000) * direction;
  const iso = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
  if (until + step > Date.now()) go({ from: "", to: "" });
  else go({ from: iso(since + step), to: iso(until + step) });
}

function moveRow(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")].filter((row) => row.offsetParent);
  if (!rows.length) return;
  const inside = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[inside < 0 ? (step > 0 ? 0 : rows.length - 1) : inside + step];
  const aim = next?.querySelector<HTMLElement>("a, button");
  aim?.focus();
  aim?.scrollIntoView({ block: "nearest" });
}

function close(): void {
  const now = state();
  if (now.address) go({ address: "" });
  else if (now.view === "event" || now.view === "address") history.back();
  else if (Object.keys(now.filters).length) go({ filters: {} });
}

function act(key: string, event: KeyboardEvent): boolean {
  const window = WINDOWS[Number(key) - 1];
  if (window) return go({ window, from: "", to: "" }), true;
  const actions: Record<string, () => void> = {
    "/": () => document.getElementById("find")?.focus(),
    "?": showKeys,
    "[": () => shift(-1),
    "]": () => shift(1),
    " ": () => {
      paused.value = !paused.value;
      say(paused.value ? "Paused" : "Going on", true);
    },
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: () => {
      const { field, value } = document.activeElement?.closest<HTMLElement>("[data-field]")?.dataset ?? {};
      if (field && value) exclude({ field, value });
    },
    y: copyLink,
    t: nextTheme,
    g: () => (afterG = Date.now()),
  };
  const found = actions[key];
  if (!found) return false;
  // Space and Enter belong to what has the focus.
  if (key === " " && (event.target as Element).closest("button, a, summary, [tabindex='0'], select")) return false;
  found();
  return true;
}

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
  const target = event.target as HTMLElement;
  const types = target.closest("input, textarea, select, [contenteditable]");
  const inDialog = document.querySelector("dialog[open]") ?? document.querySelector(":popover-open");
  if (event.key === "Escape" && !inDialog) {
    if (types) return target.blur();
    return close(); // works without the keys, too: every reader expects it
  }
  if (types || inDialog || !keysOn.value || event.shiftKey && event.key !== "?" ) return;
  const view = LETTERS[event.key];
  if (view && Date.now() - afterG < 1500) {
    afterG = 0;
    event.preventDefault();
    location.hash = viewLink(state(), view);
  } else if (act(event.key, event)) event.preventDefault();
}

export function Keys(): preact.JSX.Element {
  const on = useSignal(keysOn);
  const open = useSignal(listOpen);
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  useEffect(() => {
    if (open && !box.current?.open) box.current?.showModal();
  }, [open]);
  return (
    <dialog ref={box} class="keys" aria-labelledby="keys-title" onClose={() => (listOpen.value = false)}>
      <h2 id="keys-title">Keys</h2>
      <dl>{LIST.map(([key, what]) => <div key={key}><dt>{key}</dt><dd>{what}</dd></div>)}</dl>
      <label><input type="checkbox" checked={on} onChange={(event) => (keysOn.value = event.currentTarget.checked)} /> Keys without a modifier work</label>
      <form method="dialog"><button>Close</button></form>
    </dialog>
  );
}

