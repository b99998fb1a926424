// Search: events in Elasticsearch by the search language, with their distribution over time and the commonest values.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Failed, ask, query, useResource } from "./api";
import { TimeChart } from "./chart";
import { messageOf } from "./eventlist";
import { type Doc, type Events, documentOf, eventsPath, flat, idOf, instants, text } from "./events";
import * as format from "./format";
import { type State, WINDOWS, eventLink, go, link, seconds, viewLink } from "./state";
import { Outcome } from "./tail";
import { AsTable, Legend, Skeleton, Time, Value } from "./widgets";

const PAGE = 50;
const FACETS: [string, string, string][] = [
  ["event.dataset", "dataset", "Dataset"],
  ["event.outcome", "outcome", "Outcome"],
  ["host.hostname", "host", "Host"],
  ["user.name", "user", "User"],
  ["source.geo.country_iso_code", "country", "Country"],
];
const EXAMPLES = ["outcome:failure service:sshd", 'user:root -ip:10.0.0.0/8', '"invalid user"', "port:>1024 user:adm*"];

interface Without {
  term: string;
  total: number;
}
type Found = Events & { without?: Without[] };

interface Histogram {
  step: number;
  buckets: { time: string; count: number; failures?: number }[];
}

interface Facets {
  fields: Record<string, { values: { value: string; count: number }[]; other: number; distinct: number }>;
}

/** A search starts when it is asked for, not with each letter; a window that slides is cut to when that was. */
export function Search({ route }: { route: State }): preact.JSX.Element {
  const [turn, again] = useState(0);
  const span = useMemo(() => instants(route), [route.window, route.from, route.to, route.q, turn]);
  const asked = { q: route.q, ...span };
  const oldest = route.sort === "oldest";
  const first = useResource<Found>(eventsPath({ ...asked, limit: PAGE, sort: oldest ? "oldest" : undefined }), 0);
  const histogram = useResource<Histogram>(query("events/histogram", { ...asked, buckets: 120 }), 0);
  const facets = useResource<Facets>(query("events/facets", { ...asked, fields: FACETS.map(([name]) => name).join() }), 0);
  return (
    <div class="search">
      <QueryBox route={route} error={first.error} submit={() => again((n) => n + 1)} />
      <section class="panel" aria-label="Events over time">
        <p class="panel-head"><Totals found={first.data} failed={first.error !== null} /><Legend others /></p>
        {histogram.error && !first.error && <p class="problem">{histogram.error.message}</p>}
        {histogram.data ? <Bars data={histogram.data} old={histogram.old} /> : !histogram.error && <Skeleton lines={3} />}
      </section>
      <div class="search-body">
        <aside class="panel facets" aria-label="Commonest values">
          <h2>Commonest values</h2>
          {facets.data ? FACETS.map(([name, short, title]) => <Facet key={name} short={short} title={title} facet={facets.data?.fields[name]} />) : facets.error ? <p class="note">None to show.</p> : <Skeleton lines={6} />}
        </aside>
        <section class={`panel results ${first.old ? "old" : ""}`} aria-labelledby="results-title">
          <div class="panel-head">
            <h2 id="results-title">Events</h2>
            <span class="buttons">
              <button type="button" class="small" onClick={() => go({ sort: oldest ? "" : "oldest" })}>{oldest ? "Oldest first" : "Newest first"}</button>
              <a class="button small" href={`/api/v1/${eventsPath({ ...asked, format: "csv", limit: 10_000 })}`} download>CSV</a>
              <a class="button small" href={`/api/v1/${eventsPath({ ...asked, format: "ndjson", limit: 10_000 })}`} download>NDJSON</a>
              <a class="button small" href={viewLink(route, "try")}>Try a line</a>
            </span>
          </div>
          {first.error ? <Trouble error={first.error} retry={first.retry} /> : first.data ? <Results key={JSON.stringify(asked) + oldest} route={route} first={first.data} asked={asked} oldest={oldest} /> : <Skeleton lines={10} />}
        </section>
      </div>
    </div>
  );
}

function QueryBox({ route, error, submit }: { route: State; error: Failed | null; submit: () => void }): preact.JSX.Element {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.value = route.q;
  }, [route.q]);
  const run = (event: Event) => {
    event.preventDefault();
    const q = box.current?.value.trim() ?? "";
    if (q === route.q) submit();
    else go({ q });
  };
  const column = Number(error?.body["column"] ?? 0);
  const wrong = error?.status === 400;
  return (
    <form role="search" class="query" onSubmit={run}>
      <label class="hidden-text" for="find">Search</label>
      <div class="query-line">
        <input ref={box} id="find" type="search" class="mono" defaultValue={route.q} placeholder='service:sshd outcome:failure ip:81.2.69.0/24 "invalid user"' autocomplete="off" spellcheck={false}
          aria-invalid={wrong} aria-describedby={wrong ? "query-error" : "query-help"} />
        <button>Search</button>
      </div>
      {wrong ? <div class="query-error" id="query-error" role="alert">
        {column > 0 && <pre aria-hidden="true">{" ".repeat(column - 1)}{"^".repeat(Math.max(1, Number(error.body["length"] ?? 1)))}</pre>}
        <p class="problem">{error.message}</p>
      </div> : <p class="note" id="query-help">Words, “phrases”, <code>field:value</code>, <code>-not</code>, networks, <code>&gt; &lt;</code>, <code>*</code> at the end. Try {EXAMPLES.map((one, n) => <span key={one}>{n > 0 && ", "}<a href={link(route, { q: one })}><code>{one}</code></a></span>)}.</p>}
    </form>
  );
}

function Totals({ found, failed }: { found: Found | null; failed: boolean }): preact.JSX.Element {
  if (!found) return <span role="status">{failed ? "" : "Searching"}</span>;
  return <span role="status"><b>{found.total_is === "at least" && "at least "}{format.plural(found.total, "event")}</b>{found.took_ms !== undefined && ` in ${format.count(found.took_ms)} ms`}{found.complete === false && "; not complete: the time was up"}</span>;
}

function Trouble({ error, retry }: { error: Failed; retry: () => void }): preact.JSX.Element {
  if (error.status === 400) return <p class="empty">Mend the search above.</p>;
  return <p class="problem">{error.absent ? "This server cannot search yet." : error.message} {!error.absent && <button type="button" class="small" onClick={retry}>Try again</button>}</p>;
}

function Bars({ data, old }: { data: Histogram; old: boolean }): preact.JSX.Element {
  const { times, curves, all } = useMemo(() => {
    const counts = data.buckets.map((one) => one.count);
    const failures = data.buckets.map((one) => one.failures ?? 0);
    return {
      all: counts.reduce((a, b) => a + b, 0),
      times: data.buckets.map((one) => format.epoch(one.time)),
      curves: [
        { label: "events in all", kind: "quiet" as const, bars: true, values: counts },
        { label: "failed", kind: "failure" as const, bars: true, values: failures },
      ],
    };
  }, [data]);
  return (
    <div class={old ? "old" : ""}>
      <TimeChart times={times} step={data.step} curves={curves} height={110} label={`${format.count(all)} events over time`} />
      <AsTable caption="Events over time" head={[`Time (${format.zoneName()})`, "Events", "Failed"]} rows={() => data.buckets.filter((one) => one.count).map((one) => [<Time at={one.time} />, format.count(one.count), format.count(one.failures ?? 0)])} />
    </div>
  );
}

function Facet({ title, short, facet }: { title: string; short: string; facet: Facets["fields"][string] | undefined }): preact.JSX.Element | null {
  if (!facet?.values.length) return null;
  const most = Math.max(...facet.values.map((one) => one.count));
  return <>
    <h3>{title} <span class="quiet-text">{format.count(facet.distinct)}</span></h3>
    <ul class="facet">
      {facet.values.slice(0, 8).map(({ value, count }) => (
        <li key={value}>
          <Value field={short} value={String(value)}>{short === "country" ? `${value} ${format.country(String(value))}` : String(value)}</Value>
          <span class="number">{format.short(count)}</span>
          <i class="meter" aria-hidden="true" style={{ width: `${(100 * count) / most}%` }} />
        </li>
      ))}
    </ul>
  </>;
}

interface ResultsProps {
  route: State;
  first: Found;
  asked: Record<string, string>;
  oldest: boolean;
}

function Results({ route, first, asked, oldest }: ResultsProps): preact.JSX.Element {
  const [pages, set] = useState<Found[]>([]);
  const [error, fail] = useState("");
  const [asking, wait] = useState(false);
  const all = [first, ...pages];
  const events = all.flatMap((page) => page.events);
  const after = all.at(-1)?.after;
  if (!events.length) return <NoHits route={route} without={first.without ?? []} />;
  const more = async () => {
    wait(true);
    fail("");
    try {
      const page = await ask<Found>(eventsPath({ ...asked, limit: PAGE, sort: oldest ? "oldest" : undefined, after: JSON.stringify(after) }));
      set((before) => [...before, page]);
    } catch (why) {
      fail(String((why as Error).message));
    }
    wait(false);
  };
  return <>
    <div class="scroll">
      <table class="events">
        <caption class="hidden-text">Events</caption>
        <thead><tr><th scope="col"><span class="hidden-text">Fields</span></th><th scope="col">Time ({format.zoneName()})</th><th scope="col" class="wide">Dataset</th><th scope="col" class="wide">Host</th><th scope="col"><span class="hidden-text">Outcome</span></th><th scope="col">Message</th></tr></thead>
        <tbody>{events.map((one) => <Result key={idOf(one)} route={route} one={one} />)}</tbody>
      </table>
    </div>
    <p class="note">{format.count(events.length)} of {first.total_is === "at least" && "at least "}{format.count(first.total)}. {after && <button type="button" disabled={asking} onClick={() => void more()}>{asking ? "Asking" : `${PAGE} more`}</button>}</p>
    {error && <p class="problem" role="alert">{error}</p>}
  </>;
}

function Result({ route, one }: { route: State; one: Doc }): preact.JSX.Element {
  const [open, set] = useState(false);
  const doc = documentOf(one);
  const host = text(doc, "host.hostname", "host.name");
  const id = idOf(one);
  return <>
    <tr data-row class={open ? "open" : ""}>
      <td><button type="button" class="small turn" aria-expanded={open} aria-label={`Fields of ${id}`} onClick={() => set(!open)}>{open ? "−" : "+"}</button></td>
      <td class="when"><a href={eventLink(route, id)}><Time at={text(doc, "@timestamp")} /></a></td>
      <td class="wide">{text(doc, "event.dataset")}</td>
      <td class="wide">{host && <Value field="host" value={host} />}</td>
      <td><Outcome outcome={text(doc, "event.outcome")} /></td>
      <td class="message">{messageOf(doc)}</td>
    </tr>
    {open && <tr><td colSpan={6}><FieldTable doc={doc} /></td></tr>}
  </>;
}

export function FieldTable({ doc }: { doc: Doc }): preact.JSX.Element {
  return (
    <dl class="fields">
      {flat(doc).map(([name, value]) => (
        <div key={name}><dt>{name}</dt><dd>{name === "message" || value.length > 120 || name.startsWith("@") ? value : <Value field={name} value={value} />}</dd></div>
      ))}
    </dl>
  );
}

/** No event: which one term to drop, or how much longer to look. */
function NoHits({ route, without }: { route: State; without: Without[] }): preact.JSX.Element {
  const useful = without.filter((one) => one.total > 0);
  const longer = WINDOWS.find((one) => seconds(one) > seconds(route.window));
  return (
    <div class="empty">
      <p>No event in this time{route.q && " that fits"}. {longer && !route.from && <button type="button" class="small" onClick={() => go({ window: longer })}>Look back {longer}</button>}</p>
      {useful.length > 0 && <>
        <p>Without one of the terms there are:</p>
        <ul>{useful.map((one) => <li key={one.term}><a href={link(route, { q: route.q.split(one.term).join(" ").replace(/\s+/g, " ").trim() })}>without <code>{one.term}</code></a>: {format.count(one.total)}</li>)}</ul>
      </>}
    </div>
  );
}
