// The tail: lines as they arrive, at most fifty a second, and how many there were.

import { useEffect, useRef, useState } from "preact/hooks";
import { paused } from "./api";
import * as format from "./format";
import { useSignal } from "./signal";
import { type State, eventLink } from "./state";
import { connection, useStream } from "./stream";
import type { TailRow } from "./types";
import { Time, Value } from "./widgets";

const MOST = 200; // lines kept
const SHOWN = 100;

interface TailEvent {
  rows: TailRow[];
  seen: number;
  shown: number;
}

export function Tail({ route }: { route: State }): preact.JSX.Element {
  const link = useSignal(connection);
  const still = useSignal(paused);
  const [rows, set] = useState<TailRow[]>([]);
  const [filter, narrow] = useState("");
  const [held, hold] = useState(false);
  const waiting = useRef<TailRow[]>([]);
  const [rate, rated] = useState({ seen: 0, shown: 0 });
  useStream<TailEvent>("tail", (event) => {
    rated({ seen: event.seen, shown: event.shown });
    waiting.current = [...event.rows, ...waiting.current].slice(0, MOST);
    if (!held) flush();
  }, [held, route]);
  const flush = () => {
    const fresh = waiting.current;
    waiting.current = [];
    set((before) => [...fresh, ...before].slice(0, MOST));
  };
  useEffect(() => {
    if (!held) flush();
  }, [held]);
  const wanted = filter.toLowerCase();
  const shown = rows.filter((row) => !wanted || JSON.stringify(row).toLowerCase().includes(wanted)).slice(0, SHOWN);
  return (
    <section class="panel tail" aria-labelledby="tail-title">
      <div class="panel-head">
        <h2 id="tail-title">Tail</h2>
        <span class="note">{rate.seen > 0 && `${format.count(Math.min(rate.shown, rate.seen))} of ${format.plural(rate.seen, "line")} of the last second`}</span>
        <span class="grow" />
        <input type="search" class="narrow" placeholder="Narrow these lines" aria-label="Narrow the lines of the tail" value={filter} onInput={(event) => narrow(event.currentTarget.value)} />
        <button type="button" class="small" aria-pressed={held} onClick={() => hold(!held)}>{held ? `Go on (${waiting.current.length} newer)` : "Hold"}</button>
      </div>
      {shown.length ? <Lines route={route} rows={shown} /> : <p class="empty">{silence(link.kind, still, route, rows.length)}</p>}
    </section>
  );
}

function silence(kind: string, still: boolean, route: State, any: number): string {
  if (any) return "None of the lines holds that.";
  if (still) return "Paused.";
  if (route.from) return "A fixed time has no tail; choose a window that ends now.";
  if (kind === "open" || kind === "connecting") return "Lines will appear here as they arrive.";
  return "The tail needs the event stream, which is not there at present.";
}

function Lines({ route, rows }: { route: State; rows: TailRow[] }): preact.JSX.Element {
  return (
    <div class="lines" tabIndex={0} role="region" aria-label="Latest lines">
      <table>
        <caption class="hidden-text">Latest lines, newest first</caption>
        <thead class="hidden-text"><tr><th scope="col">Time</th><th scope="col">Source</th><th scope="col">Outcome</th><th scope="col">Message</th></tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} class={row.outcome ?? ""}>
              <td><a href={eventLink(route, row.id)}><Time at={row["@timestamp"]} /></a></td>
              <td><Source row={row} /></td>
              <td><Outcome outcome={row.outcome} /></td>
              <td class="message">{row.message ?? ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Source = ({ row }: { row: TailRow }) => <>{row.dataset} {row.host && <Value field="host" value={row.host} />}</>;

/** An outcome by a shape and a word in the accessible name. */
export function Outcome({ outcome }: { outcome: string | null | undefined }): preact.JSX.Element | null {
  if (outcome === "failure") return <span class="mark failure" title="failure"><span aria-hidden="true">✕</span><span class="hidden-text">failure</span></span>;
  if (outcome === "success") return <span class="mark success" title="success"><span aria-hidden="true">✓</span><span class="hidden-text">success</span></span>;
  return null;
}
