// One event with its lineage: the raw line, what each part of it became, and every step until it was stored. And a box
// in which the same is tried with any line.

import { useRef, useState } from "preact/hooks";
import { type Failed, post, useResource } from "./api";
import { EventList } from "./eventlist";
import { type Doc, flat, text } from "./events";
import { brief } from "./format";
import { term } from "./menu";
import { FieldTable } from "./search";
import { type State, go, searchLink, viewLink } from "./state";
import { CopyLine, Skeleton, Time, copy } from "./widgets";

interface Raw {
  topic: string;
  partition: number;
  offset: number;
  key?: string | null;
  timestamp?: string | number | null;
  text?: string | null;
  base64?: string | null;
}

interface Step {
  step: string;
  at?: string | null;
  says: string;
}

interface Span {
  from: number;
  to: number;
  field: string;
}

interface Lineage {
  event: Doc | null;
  raw?: Raw | null;
  raw_missing?: string | null;
  store_error?: string | null;
  dead_letter?: { component: string; reason: string; error?: string; time?: string; command?: string } | null;
  steps?: Step[];
  spans?: Span[];
  before?: Doc[];
  after?: Doc[];
}

const STEPS: Record<string, string> = { came: "Came", header: "Header", stream: "Stream", attempt: "Attempt", enrich: "Enriched", index: "To be stored", stored: "Stored", rule: "Rules", "dead letter": "Dead letter" };

export function EventView({ route }: { route: State }): preact.JSX.Element {
  const held = useResource<Lineage>(`events/${encodeURIComponent(route.id)}`, 0);
  return (
    <section class="panel event" aria-labelledby="event-title">
      <div class="panel-head">
        <h2 id="event-title" class="view-title">{route.id}</h2>
        <span class="buttons">
          <button type="button" class="small" onClick={() => history.back()}>Back</button>
          {held.data?.event && <button type="button" class="small" onClick={() => void copy(JSON.stringify(held.data?.event, null, 2), "JSON copied")}>Copy JSON</button>}
          {held.data?.raw?.text && <a class="button small" href={viewLink(route, "try", { rest: { line: held.data.raw.text.slice(0, 4000) } })}>Try this line</a>}
          <button type="button" class="small" onClick={() => void copy(`ogrewatch explain --id ${JSON.stringify(route.id)}`, "Command copied")}>Copy command</button>
        </span>
      </div>
      {held.error && <Trouble error={held.error} retry={held.retry} />}
      {!held.data && !held.error && <Skeleton lines={8} />}
      {held.data && <Shown route={route} data={held.data} />}
    </section>
  );
}

function Trouble({ error, retry }: { error: Failed; retry: () => void }): preact.JSX.Element {
  if (error.absent) return <p class="problem">This server cannot show single events yet.</p>;
  if (error.status === 404) return <p class="empty">{error.message}</p>;
  return <p class="problem">{error.message} <button type="button" class="small" onClick={retry}>Try again</button></p>;
}

function Shown({ route, data }: { route: State; data: Lineage }): preact.JSX.Element {
  const { event, raw } = data;
  return <>
    {raw?.text ? <RawLine line={raw.text} spans={data.spans ?? []} /> : event && text(event, "event.original", "message") ? <>
      {raw?.base64 && <p class="note">The raw record holds bytes that are no text.</p>}
      <RawLine line={text(event, "event.original", "message")} spans={[]} />
    </> : null}
    {raw && <p class="note">Record <code>{raw.topic} {raw.partition} @ {raw.offset}</code>{raw.key && <>, key <code>{raw.key}</code></>}{raw.timestamp ? <>, <Time at={raw.timestamp} zoned /></> : null}.</p>}
    {data.store_error && <p class="problem">{data.store_error} What is shown is what the line would become.</p>}
    {data.dead_letter && <div class="problem"><p><b>Dead letter</b> of {data.dead_letter.component}: {data.dead_letter.error || data.dead_letter.reason}</p>{data.dead_letter.command && <CopyLine label="command that sends it again" text={data.dead_letter.command} />}</div>}
    {!raw && <p class="note">{data.raw_missing || "The raw record is no longer in Kafka; this is the document that was made of it."}</p>}
    <ol class="steps">
      {(data.steps ?? []).map((one, n) => <li key={n} class={`step-${one.step}`}><b>{STEPS[one.step] ?? one.step}</b><p>{one.at && <><Time at={one.at} zoned />: </>}{one.says}</p></li>)}
    </ol>
    {event && <>
      <h3>Fields</h3>
      <FieldTable doc={event} />
      <Around route={route} data={data} event={event} />
    </>}
  </>;
}

/** The neighbours of an event: what the same host logged around it. */
function Around({ route, data, event }: { route: State; data: Lineage; event: Doc }): preact.JSX.Element | null {
  const host = text(event, "host.hostname", "host.name");
  const around = [...(data.before ?? []), { ...event, id: route.id }, ...(data.after ?? [])];
  if (!host) return null;
  return <>
    <h3>Around it on {brief(host)}</h3>
    {around.length > 1 ? <EventList route={route} events={around} label={`Events around it on ${host}`} /> : <p class="note">Nothing else is stored around it.</p>}
    <p><a href={searchLink(route, term("host", host), minutesAround(text(event, "@timestamp")))}>Search 10 minutes of {brief(host)}</a></p>
  </>;
}

function minutesAround(at: string): Partial<State> {
  const time = Date.parse(at);
  if (!Number.isFinite(time)) return {};
  const iso = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
  return { from: iso(time - 300_000), to: iso(time + 300_000) };
}

/** A line whose parts are marked with the field that they became: by colour, and by the field's name beneath. */
export function RawLine({ line, spans }: { line: string; spans: Span[] }): preact.JSX.Element {
  const parts: preact.JSX.Element[] = [];
  const legend: [string, string, number][] = [];
  let at = 0;
  [...spans].sort((a, b) => a.from - b.from || b.to - a.to).forEach((span) => {
    if (span.from < at || span.to <= span.from || span.from >= line.length) return;
    if (span.from > at) parts.push(<span key={at}>{line.slice(at, span.from)}</span>);
    const shade = legend.length % 6;
    legend.push([span.field, line.slice(span.from, span.to), shade]);
    parts.push(<mark key={`m${span.from}`} class={`span-${shade}`} title={span.field}>{line.slice(span.from, span.to)}</mark>);
    at = span.to;
  });
  if (at < line.length) parts.push(<span key={at}>{line.slice(at)}</span>);
  return <>
    <pre class="raw-line" tabIndex={0} role="group" aria-label="Raw line"><code>{parts}</code></pre>
    {legend.length > 0 && <ul class="span-legend" aria-label="What the parts became">{legend.map(([name, value, shade], n) => <li key={n}><mark class={`span-${shade}`}>{value}</mark> {name}</li>)}</ul>}
  </>;
}

/** A box for any line, for people who write parsers: nothing is stored. */
export function TryLine({ route }: { route: State }): preact.JSX.Element {
  const box = useRef<HTMLTextAreaElement>(null);
  const [found, set] = useState<Lineage | null>(null);
  const [error, fail] = useState<Failed | null>(null);
  const [asking, wait] = useState(false);
  const run = async (event: Event) => {
    event.preventDefault();
    const line = box.current?.value ?? "";
    if (!line.trim()) return;
    wait(true);
    fail(null);
    go({ rest: { ...route.rest, line: line.slice(0, 4000) } }, true);
    try {
      set(await post<Lineage>("explain", { line }));
    } catch (why) {
      set(null);
      fail(why as Failed);
    }
    wait(false);
  };
  const example = `<38>${new Date().toUTCString().slice(8, 11)} ${String(new Date().getUTCDate()).padStart(2)} 10:00:00 web1 sshd[77]: Failed password for invalid user bob from 203.0.113.9 port 40022 ssh2`;
  return (
    <section class="panel event" aria-labelledby="try-title">
      <div class="panel-head"><h2 id="try-title" class="view-title">Try a line</h2><a class="button small" href={viewLink(route, "search")}>Search</a></div>
      <form onSubmit={(event) => void run(event)}>
        <label for="line">A line as a host would send it. It is parsed, and stored nowhere.</label>
        <textarea id="line" ref={box} class="mono" rows={3} defaultValue={route.rest["line"] || example} spellcheck={false} />
        <p><button disabled={asking}>{asking ? "Asking" : "What becomes of it?"}</button></p>
      </form>
      {error && <p class="problem" role="alert">{error.absent ? "This server cannot try lines yet." : error.message}</p>}
      {found && <>
        <RawLine line={box.current?.value ?? ""} spans={found.spans ?? []} />
        <ol class="steps">{(found.steps ?? []).map((one, n) => <li key={n}><b>{STEPS[one.step] ?? one.step}</b><p>{one.says}</p></li>)}</ol>
        {found.event && flat(found.event).length > 0 && <><h3>Fields</h3><FieldTable doc={found.event} /></>}
      </>}
    </section>
  );
}

