// What surrounds every view: navigation, time, filters, who got in, and how fresh all of it is.

import { useEffect, useRef, useState } from "preact/hooks";
import { paused, useResource } from "./api";
import * as format from "./format";
import { copyLink, shift, showKeys } from "./keys";
import { breachPath, breachStreamed } from "./paths";
import { useClock, useSignal } from "./signal";
import { FIELDS, type State, VIEWS, type View, WINDOWS, go, instant, link, searchLink, spanOf, viewLink } from "./state";
import { connection, lastHeard, retryNow } from "./stream";
import { nextTheme, theme } from "./theme";
import type { About, Attacker, Attackers, Health } from "./types";
import { Time } from "./widgets";

const NAMES: Record<(typeof VIEWS)[number], string> = { live: "Live", ogres: "Ogres", map: "Map", search: "Search", alerts: "Alerts", health: "Health" };
const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:.]+)$/i;

export function Header({ route, about }: { route: State; about: About | null }): preact.JSX.Element {
  return (
    <header class="top">
      <h1><a href={viewLink(route, "live")}><Eyes />Ogrewatch</a></h1>
      <nav aria-label="Views">
        {VIEWS.map((view) => (
          <a key={view} href={viewLink(route, view)} aria-current={isCurrent(route, view) ? "page" : undefined}>
            <Icon view={view} /><span>{NAMES[view]}</span>{view === "alerts" && <OpenAlerts />}
          </a>
        ))}
      </nav>
      {route.view !== "search" && <Find route={route} />}
      <div class="switches">
        <ZoneSwitch />
        <ThemeSwitch />
        <button type="button" class="plain" onClick={showKeys} aria-label="Keys" title="Keys (?)">?</button>
        {about?.you && (
          <form method="post" action="/logout" id="logout"><span id="you">{about.you.name}</span> <button class="small">Log out</button></form>
        )}
      </div>
    </header>
  );
}

/** How many alerts are open, beside their view's name. */
function OpenAlerts(): preact.JSX.Element | null {
  const open = useResource<{ total: number }>("alerts?state=open&limit=1", 15_000).data?.total ?? 0;
  return open ? <b class="open-alerts">{format.count(open)}<span class="hidden-text"> open</span></b> : null;
}

function isCurrent(route: State, view: View): boolean {
  if (route.view === "event" || route.view === "try") return view === "search";
  return route.view === view || (route.view === "address" && view === "ogres");
}

export const Eyes = () => (
  <svg class="eyes" viewBox="0 0 24 16" aria-hidden="true">
    <circle cx="6" cy="8" r="5" /><circle cx="18" cy="8" r="5" /><circle class="pupil" cx="7" cy="8.5" r="2" /><circle class="pupil" cx="17" cy="8.5" r="2" />
  </svg>
);

const SHAPES: Record<(typeof VIEWS)[number], string> = {
  live: "M2 12h4l3-8 4 14 3-9 2 3h4",
  ogres: "M5 20c0-7 3-9 7-9s7 2 7 9M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M8 5 4 3M16 5l4-2",
  map: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M3 12h18M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18",
  search: "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12M15 15l6 6",
  alerts: "M12 3 2 20h20zM12 9v5M12 17v.5",
  health: "M3 20V10M9 20V4M15 20v-8M21 20V7",
};

const Icon = ({ view }: { view: (typeof VIEWS)[number] }) => <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d={SHAPES[view]} /></svg>;

function Find({ route }: { route: State }): preact.JSX.Element {
  const [text, set] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    const words = text.trim();
    if (!words) return;
    set("");
    if (ADDRESS.test(words)) go({ address: words });
    else location.hash = searchLink(route, words);
  };
  return (
    <form class="find" role="search" onSubmit={submit}>
      <input id="find" type="search" value={text} onInput={(event) => set(event.currentTarget.value)} placeholder="Search, or an address" aria-label="Search logs, or open an address" autocomplete="off" spellcheck={false} />
    </form>
  );
}

function ZoneSwitch(): preact.JSX.Element {
  const zone = useSignal(format.zone);
  const other = zone === "UTC" ? format.localZone : "UTC";
  return (
    <button type="button" class="plain" onClick={() => (format.zone.value = zone === "UTC" ? "local" : "UTC")} title={`Times are in ${format.zoneName()}. Switch to ${other}.`}>
      <span class="hidden-text">Times are in </span>{format.zoneName()}
    </button>
  );
}

function ThemeSwitch(): preact.JSX.Element {
  const shown = useSignal(theme);
  return (
    <button type="button" class="plain" onClick={nextTheme} title="Light, dark, or as the system (t)">
      <span class="hidden-text">Colours: </span>{{ system: "Auto", light: "Light", dark: "Dark" }[shown]}
    </button>
  );
}

/** Time, pause, filters, and how fresh everything is. */
export function Controls({ route }: { route: State }): preact.JSX.Element {
  const still = useSignal(paused);
  return (
    <div class="controls" role="region" aria-label="Time and filters">
      <Windows route={route} />
      <Absolute route={route} />
      <span class="buttons">
        <button type="button" class="small" onClick={() => shift(-1)} aria-label="Earlier" title="Earlier ([)">‹</button>
        <button type="button" class="small" disabled={!route.from} onClick={() => shift(1)} aria-label="Later" title="Later (])">›</button>
        <button type="button" class="small" aria-pressed={still} onClick={() => (paused.value = !still)} title="Pause and go on (Space)">{still ? "Paused" : "Pause"}</button>
        <button type="button" class="small" onClick={copyLink} title="A link to what is shown (y)">Copy link</button>
      </span>
      <Source route={route} />
      <Chips route={route} />
      <Status route={route} />
    </div>
  );
}

function Windows({ route }: { route: State }): preact.JSX.Element {
  return (
    <fieldset class="segments">
      <legend class="hidden-text">Time window</legend>
      {WINDOWS.map((window) => (
        <label key={window}>
          <input type="radio" name="window" value={window} checked={!route.from && route.window === window} onChange={() => go({ window, from: "", to: "" })} />
          <span>{window}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Absolute({ route }: { route: State }): preact.JSX.Element {
  const box = useRef<HTMLDetailsElement>(null);
  const [wrong, set] = useState("");
  const { since, until } = spanOf(route);
  const iso = (ms: number) => new Date(ms).toISOString().slice(0, 19) + "Z";
  const submit = (event: Event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const [from, to] = [instant(String(form.get("from"))), instant(String(form.get("to")))];
    if (!from || !to || from >= to) return set("Two times, such as 2026-10-01T10:00Z, the first one earlier.");
    set("");
    if (box.current) box.current.open = false;
    go({ from, to });
  };
  return (
    <details class="absolute" ref={box}>
      <summary>{route.from ? <>{format.zoned(route.from)} to {format.zoned(route.to)}</> : "From … to"}</summary>
      <form onSubmit={submit}>
        <label>From <input name="from" defaultValue={iso(since)} key={`f${route.from}`} autocomplete="off" /></label>
        <label>To <input name="to" defaultValue={iso(until)} key={`t${route.to}`} autocomplete="off" /></label>
        {wrong && <p class="problem" role="alert">{wrong}</p>}
        <button>Show</button>
        <p class="note">Times without a zone are UTC.</p>
      </form>
    </details>
  );
}

function Chips({ route }: { route: State }): preact.JSX.Element | null {
  const given = FIELDS.filter((field) => route.filters[field]);
  if (!given.length) return null;
  const rest = (field: string) => Object.fromEntries(Object.entries(route.filters).filter(([name]) => name !== field));
  return (
    <ul class="chips" aria-label="Filters">
      {given.map((field) => (
        <li key={field}>
          <span>{field}:{route.filters[field]}</span>
          <button type="button" onClick={() => go({ filters: rest(field) })} aria-label={`Remove filter ${field} ${route.filters[field]}`}>×</button>
        </li>
      ))}
    </ul>
  );
}

/** Where the numbers come from, which the answers say. */
function Source({ route }: { route: State }): preact.JSX.Element | null {
  const { data } = useResource<Attackers>(breachPath(route), route.from ? 0 : 2000, breachStreamed(route));
  if (data?.source !== "stored") return null;
  return <span class="note" title="Longer or fixed times, and filters that are not counted live, are read from Elasticsearch">from what is stored</span>;
}

const QUIET = 90_000; // milliseconds without an event that are nothing unusual

/** Whether anything arrives, and whether what is shown is of now. */
function Status({ route }: { route: State }): preact.JSX.Element {
  const still = useSignal(paused);
  const link = useSignal(connection);
  const heard = useSignal(lastHeard);
  const now = useClock(1000);
  const health = useResource<Health>("health", 5000, true);
  const [word, text] = describe(health.data, health.error !== null, now);
  return (
    <p class="status" id="health">
      {still ? <b>Paused.</b> : route.from ? <b>A fixed time.</b> : null}{" "}
      <span class={`light ${word}`} aria-hidden="true" /> <span>{text}</span>
      {link.kind === "lost" && <> <b>Not connected, trying again in {Math.max(0, Math.ceil((link.again - now) / 1000))} s.</b> <button type="button" class="small" onClick={retryNow}>Now</button></>}
      {link.kind === "polling" && <span class="quiet-text"> {link.why} Asking every few seconds.</span>}
      {link.kind === "open" && heard > 0 && now - heard > 20_000 && <span class="quiet-text"> Last word {format.duration(now - heard)} ago.</span>}
    </p>
  );
}

function describe(health: Health | null, failed: boolean, now: number): [string, string] {
  if (failed) return ["bad", "Not connected."];
  if (!health) return ["idle", "Connecting."];
  if (health.status !== "ok") return ["bad", `Degraded: ${ailments(health)}.`];
  if (!health.newest) return ["idle", "Counting; nothing has arrived yet."];
  const age = now - Date.parse(health.newest);
  if (age > QUIET) return ["idle", `Quiet: newest event ${format.duration(age)} ago.`];
  return ["good", `Counting, newest event ${format.duration(Math.max(0, age))} ago.`];
}

function ailments({ kafka, partitions }: Health): string {
  const found = [];
  if (kafka && !kafka.reachable) found.push("Kafka does not answer");
  if (!partitions) found.push("no count worker answers");
  else if (partitions.missing.length) found.push("some counts are missing");
  return found.join(", ") || "a part does not answer";
}

/** Who guessed and got in, for as long as the chosen time holds one. On every view, whatever its filters are. */
export function BreachBar({ route }: { route: State }): preact.JSX.Element {
  const held = useResource<Attackers>(breachPath(route), route.from ? 0 : 2000, breachStreamed(route));
  const total = held.data?.broke_in_total ?? 0;
  const inside = held.data?.attackers.filter((one) => one.broke_in) ?? [];
  useEffect(() => {
    document.title = total ? `(${total}) Ogrewatch` : "Ogrewatch";
  }, [total]);
  return (
    <div class={`breaches ${total ? "some" : ""} ${held.old ? "old" : ""}`} role="region" aria-label="Who got in">
      <p role="status" id="breach-sentence">{total > 0 && `${format.plural(total, "address", "addresses")} guessed and got in`}</p>
      {total > 0 && <>
        <ul aria-label="Addresses that got in">
          {inside.slice(0, 6).map((one) => <Breach key={one.address} route={route} one={one} />)}
        </ul>
        <a class="all" href={viewLink(route, "ogres", { rest: { only: "in" }, filters: {} })}>All {format.count(total)}</a>
      </>}
    </div>
  );
}

function Breach({ route, one }: { route: State; one: Attacker }): preact.JSX.Element {
  const who = [one.users[0], one.hosts[0]].filter((name) => name !== undefined).map((name) => format.brief(name, 24)).join("@");
  return (
    <li>
      <a href={link(route, { address: one.address })} title={one.address}>{format.brief(one.address, 45)}</a>
      <span class="who"> {who}{one.user_count > 1 && ` +${format.count(one.user_count - 1)}`}, <Time at={one.last_success ?? one.last_seen} /></span>
    </li>
  );
}
