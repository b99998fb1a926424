// Ogres: everybody who failed to log in, as a picture and as a table that can be sorted and narrowed.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { chosen, query, useResource } from "./api";
import { useKeepFocus } from "./focus";
import * as format from "./format";
import { Nothing } from "./live";
import { type Rows, useRows } from "./rows";
import { type State, go, link } from "./state";
import type { Attacker, Attackers } from "./types";
import { Wall } from "./wall";
import { Columns, Country, GotIn, Panel, Time, Value } from "./widgets";

const SHOWS = ["both", "picture", "table"] as const;
const BEYOND = 8; // rows drawn above and below what is in sight
const MOST_PIXELS = 8_000_000; // no browser scrolls further than about 16 million

interface Column {
  name: string;
  sort?: string;
  class?: string;
  cell: (one: Attacker, route: State) => preact.ComponentChildren;
}

const COLUMNS: Column[] = [
  { name: "Address", class: "address", cell: (one, route) => <><a href={link(route, { address: one.address })} title={one.address}>{one.address}</a>{one.broke_in && <GotIn />}</> },
  { name: "Country", class: "country", cell: (one) => <Country code={one.country} /> },
  { name: "Network", class: "network wide", cell: (one) => one.as ? <span title={`AS${one.as.number} ${one.as.name}`}>{one.as.name || `AS${one.as.number}`}</span> : <span class="quiet-text">–</span> },
  { name: "Failed", sort: "failures", class: "number failed", cell: (one) => format.count(one.failures) },
  { name: "In", class: "number in", cell: (one) => format.count(one.successes) },
  { name: "Users", sort: "users", class: "users", cell: (one) => <Few list={one.users} total={one.user_count} more={one.users_more} field="user" /> },
  { name: "Hosts", sort: "hosts", class: "hosts wide", cell: (one) => <Few list={one.hosts} total={one.host_count} more={one.hosts_more} field="host" /> },
  { name: "Services", class: "services wide", cell: (one) => Object.keys(one.services ?? {}).join(", ") || <span class="quiet-text">–</span> },
  { name: "Last hour", class: "rate wide", cell: (one) => one.rate ? <Columns values={one.rate} /> : null },
  { name: "First", class: "time wide", cell: (one) => <Time at={one.first_seen} /> },
  { name: "Last", sort: "last_seen", class: "time last", cell: (one) => <Time at={one.last_seen} /> },
];

function Few({ list, total, more, field }: { list: string[]; total: number; more: boolean; field: string }): preact.JSX.Element {
  const [first] = list;
  if (first === undefined) return <span class="quiet-text">–</span>;
  return <><Value field={field} value={first} />{total > 1 && <span class="quiet-text" title={list.join(", ")}> +{format.count(total - 1)}{more && " or more"}</span>}</>;
}

export function Ogres({ route }: { route: State }): preact.JSX.Element {
  const show = SHOWS.find((name) => name === route.show) ?? "both";
  return (
    <div class={`ogres ${show}`}>
      <div class="tools">
        <h2 class="view-title">Attackers == Ogres</h2>
        <Narrow route={route} />
        <label class="check"><input type="checkbox" checked={route.rest["only"] === "in"} onChange={(event) => go({ rest: { ...route.rest, only: event.currentTarget.checked ? "in" : "" } })} /> Only who got in</label>
        <fieldset class="segments">
          <legend class="hidden-text">Show</legend>
          {SHOWS.map((name) => <label key={name}><input type="radio" name="show" checked={show === name} onChange={() => go({ show: name === "both" ? "" : name })} /><span>{name}</span></label>)}
        </fieldset>
      </div>
      {show !== "table" && <Picture route={route} />}
      {show !== "picture" && <Table route={route} />}
    </div>
  );
}

function Narrow({ route }: { route: State }): preact.JSX.Element {
  const timer = useRef(0);
  const change = (text: string) => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => go({ q: text.trim() }, true), 250);
  };
  return <input id="narrow" class="narrow" type="search" defaultValue={route.q} placeholder="Address begins with" aria-label="Addresses that begin with" onInput={(event) => change(event.currentTarget.value)} autocomplete="off" spellcheck={false} />;
}

function Picture({ route }: { route: State }): preact.JSX.Element {
  const held = useResource<Attackers>(query("attackers", { ...chosen(route), q: route.q, sort: "broke_in", limit: 1000 }), route.from ? 0 : 8000);
  return (
    <Panel title="The Wall" held={held} class="wall" lines={10} empty={(data) => !data.attackers.length && <Nothing route={route} what="Nobody has failed to log in" />}>
      {(data) => <Wall route={route} data={data} />}
    </Panel>
  );
}

function Table({ route }: { route: State }): preact.JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const height = narrow ? 56 : 34;
  const [top, scrolled] = useState(0);
  const [seen, sized] = useState(20);
  const only = route.rest["only"] === "in";
  const sort = only ? "" : route.sort;
  const first = Math.max(0, Math.floor(top / height) - BEYOND);
  const last = Math.ceil(top / height) + seen + BEYOND;
  const rows = useRows({ ...chosen(route), q: route.q, sort: sort || "broke_in", order: route.order }, first, last, !route.from);
  const total = Math.min(only ? rows.breaches : rows.total, Math.floor(MOST_PIXELS / height));
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const watch = new ResizeObserver(() => sized(Math.ceil(place.clientHeight / height)));
    watch.observe(place);
    return () => watch.disconnect();
  }, [height, rows.held.data === null]);
  useLayoutEffect(() => {
    if (box.current) box.current.scrollTop = 0;
    scrolled(0);
  }, [JSON.stringify([route.filters, route.q, sort, route.order, only])]);
  const shown = only ? total : rows.total;
  return (
    <Panel title="Addresses" held={rows.held} class="addresses" lines={10} extra={<span class="note" id="extent" role="status">{extent(rows, only)}</span>}
      empty={() => !shown && <Nothing route={route} what={only ? "Nobody has got in by guessing" : "Nobody has failed to log in"} />}>
      {() => (
        <div class="vtable" ref={box} role="table" aria-label="Addresses that failed to log in" aria-rowcount={total + 1} onScroll={(event) => scrolled(event.currentTarget.scrollTop)}>
          <Head route={route} />
          <Body route={route} rows={rows} first={first} last={Math.min(last, total)} total={total} height={height} />
        </div>
      )}
    </Panel>
  );
}

function extent(rows: Rows, only: boolean): string {
  if (!rows.held.data) return "";
  if (only) return `${format.count(rows.breaches)} of ${format.plural(rows.total, "address", "addresses")}`;
  return `${format.plural(rows.total, "address", "addresses")}; ${format.count(rows.breaches)} got in by guessing`;
}

function Head({ route }: { route: State }): preact.JSX.Element {
  const sort = route.sort || "broke_in";
  const rising = route.order === "asc";
  const turn = (by: string) => {
    if (sort !== by) return go({ sort: by, order: "" });
    return rising ? go({ sort: "", order: "" }) : go({ order: "asc" });
  };
  return (
    <div role="rowgroup" class="vhead">
      <div role="row" class="vrow" aria-rowindex={1}>
        {COLUMNS.map(({ name, sort: by, class: kind }) => (
          <div key={name} role="columnheader" class={kind} aria-sort={by === sort ? (rising ? "ascending" : "descending") : undefined}>
            {by ? <button type="button" onClick={() => turn(by)}>{name}<span class="arrow" aria-hidden="true">{by === sort ? (rising ? " ▲" : " ▼") : ""}</span></button> : name}
            {kind?.includes("time") && <small> {format.zoneName()}</small>}
          </div>
        ))}
      </div>
    </div>
  );
}

interface BodyProps {
  route: State;
  rows: Rows;
  first: number;
  last: number;
  total: number;
  height: number;
}

function Body({ route, rows, first, last, total, height }: BodyProps): preact.JSX.Element {
  useKeepFocus();
  const places = Array.from({ length: Math.max(0, last - first) }, (_, n) => first + n);
  return (
    <div role="rowgroup" class="vbody" style={{ height: `${total * height}px` }}>
      {places.map((index) => {
        const one = rows.at(index);
        return (
          <div key={one?.address ?? index} role="row" class={`vrow ${one?.broke_in ? "breached" : ""} ${index % 2 ? "odd" : ""}`} aria-rowindex={index + 2}
            aria-busy={!one} data-row={one ? "" : undefined} style={{ top: `${index * height}px`, height: `${height}px` }}>
            {COLUMNS.map(({ name, class: kind, cell }, n) => (
              <div key={name} role={n ? "cell" : "rowheader"} class={kind}>{one ? cell(one, route) : <i class="bone" />}</div>
            ))}
          </div>
        );
      })}
    </div>
  );
}

export function useNarrow(): boolean {
  const [query] = useState(() => matchMedia("(max-width: 48rem)"));
  const [narrow, set] = useState(query.matches);
  useEffect(() => {
    const follow = () => set(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [query]);
  return narrow;
}
