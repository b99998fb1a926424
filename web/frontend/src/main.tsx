// Draws the page: what surrounds the views at once, each view when it is first asked for.

import { type ComponentType, options, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useResource, paused, patch } from "./api";
import { visible, zone } from "./format";
import { Keys } from "./keys";
import { Live } from "./live";
import { ValueMenu } from "./menu";
import { breachPath, breachStreamed, topPath } from "./paths";
import { BreachBar, Controls, Header } from "./shell";
import { useSignal } from "./signal";
import { type State, type View, go, link, state, useRoute } from "./state";
import { follow, useStream } from "./stream";
import type { About, Attacker, Attackers, Attribution, Health } from "./types";
import { Skeleton } from "./widgets";

type ViewOf = ComponentType<{ route: State }>;

type Part = View | "panel";
const LOADERS: Partial<Record<Part, () => Promise<ViewOf>>> = {
  ogres: async () => (await import("./ogres")).Ogres,
  address: async () => (await import("./address")).AddressPage,
  map: async () => (await import("./map")).WorldMap,
  health: async () => (await import("./health")).Health,
  alerts: async () => (await import("./alerts")).AlertsView,
  search: async () => (await import("./search")).Search,
  event: async () => (await import("./event")).EventView,
  try: async () => (await import("./event")).TryLine,
  panel: async () => (await import("./address")).AddressPanel,
};
const loaded: Partial<Record<Part, ViewOf>> = { live: Live };

function useView(view: Part | null): { View: ViewOf | null; failed: boolean } {
  const [, draw] = useState(0);
  const [failed, fail] = useState(false);
  useEffect(() => {
    const load = view && LOADERS[view];
    if (!load || loaded[view]) return;
    load().then(
      (made) => ((loaded[view] = made), draw((n) => n + 1)),
      () => fail(true),
    );
  }, [view]);
  return { View: (view && loaded[view]) ?? null, failed };
}

function Page(): preact.JSX.Element {
  const route = useRoute();
  const still = useSignal(paused);
  useSignal(zone); // every time on the page is written anew
  const counted = useResource<Attackers>(breachPath(route), route.from ? 0 : 2000, breachStreamed(route)).data !== null;
  const about = useResource<About>("about").data;
  const main = useRef<HTMLElement>(null);
  const { View, failed } = useView(route.view);
  const { View: Panel } = useView(route.address ? "panel" : null);
  const first = useRef(true);
  useEffect(() => follow(route), [route, still]);
  useEffect(() => {
    if (first.current) return void (first.current = false);
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [route.view, route.id]);
  useBreaches(route);
  useEffect(() => {
    if (counted && !performance.getEntriesByName("numbers").length) performance.mark("numbers");
  }, [counted]);
  return <>
    <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>To the content</a>
    <Header route={route} about={about} />
    <Controls route={route} />
    <BreachBar route={route} />
    {route.note && <p class="problem note-bar" role="alert">{route.note} <button type="button" class="small" onClick={() => go({ note: "" }, true)}>Good</button></p>}
    <main id="main" ref={main} tabIndex={-1} class={route.address ? "with-panel" : ""}>
      {failed ? <p class="problem">This view could not be loaded. <a href={link(route)} onClick={() => location.reload()}>Load the page again</a></p>
        : View ? <View route={route} /> : !LOADERS[route.view] ? <p class="panel empty">This view is not there yet.</p> : <div class="panel"><Skeleton lines={8} /></div>}
    </main>
    {route.address && Panel && <Panel route={route} />}
    <footer><Credits about={about} /></footer>
    <Keys />
    <ValueMenu />
    <p id="announcements" class="hidden-text" role="status" />
  </>;
}

/** What the stream says of addresses goes into the answers that are on show. */
function useBreaches(route: State): void {
  const change = (event: Attackers & { all?: Attacker[]; put?: Attacker[]; gone?: string[] }) => {
    for (const path of new Set([topPath(state()), ...(Object.keys(route.filters).length ? [] : [breachPath(state())])]))
      patch<Attackers>(path, (before) => before && merged(before, event));
  };
  useStream("attackers", change, [route]);
  useStream<Health>("health", (health) => patch<Health>("health", () => health), []);
}

export function merged(before: Attackers, event: Attackers & { all?: Attacker[]; put?: Attacker[]; gone?: string[] }): Attackers {
  const rows = new Map((event.all ? [] : before.attackers).map((one) => [one.address, one]));
  for (const address of event.gone ?? []) rows.delete(address);
  for (const one of event.all ?? event.put ?? []) rows.set(one.address, one);
  const attackers = [...rows.values()].sort(breachFirst).slice(0, 50);
  return { ...before, attackers, total: event.total ?? before.total, broke_in_total: event.broke_in_total ?? before.broke_in_total };
}

export const breachFirst = (a: Attacker, b: Attacker) =>
  Number(b.broke_in) - Number(a.broke_in) || b.failures - a.failures || b.last_seen.localeCompare(a.last_seen);

function Credits({ about }: { about: About | null }): preact.JSX.Element | null {
  if (!about) return null;
  const sources = [about.geoip, about.geoip?.asn].filter((one): one is Attribution => Boolean(one));
  return (
    <p id="attribution">
      {sources.map((one, n) => (
        <span key={n}>{n ? "Networks" : "Countries"}: {one.link ? <a href={one.link} rel="noreferrer">{one.attribution}</a> : one.attribution}, as of {one.built}. </span>
      ))}
      Ogrewatch {about.version}
    </p>
  );
}

// Whatever text any element shows, wherever it comes from: nothing in it hides or turns around what stands beside it.
const shownText = (child: unknown): unknown => (typeof child === "string" ? visible(child) : Array.isArray(child) ? child.map(shownText) : child);
const before = options.vnode;
options.vnode = (vnode) => {
  const props = vnode.props as { children?: unknown; title?: unknown };
  // Fragments and components, too: what they are given may come out of them as it is.
  if (props.children !== undefined && vnode.type !== "textarea") props.children = shownText(props.children);
  if (typeof vnode.type === "string" && typeof props.title === "string") props.title = visible(props.title);
  before?.(vnode);
};

const root = document.getElementById("page");
if (root) {
  root.textContent = "";
  render(<Page />, root);
}
