// Parts that several views share: panels with their states, copying, values with a menu, and small drawings.

import type { ComponentChildren, JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { Failed, Held } from "./api";
import * as format from "./format";
import { say } from "./announce";
import { useClock } from "./signal";
import type { Partitions } from "./types";

const STALE = 15_000; // milliseconds without an answer after which numbers are called old

interface PanelProps<T> {
  title: ComponentChildren;
  held: Held<T> & { retry: () => void };
  children: (data: T) => ComponentChildren;
  /** What to say when there is nothing in the answer; null when there is something. */
  empty?: (data: T) => ComponentChildren | null;
  extra?: ComponentChildren;
  class?: string;
  id?: string;
  lines?: number;
}

/** A section of a view. It says whether it is loading, empty, partial, old or in error, without regard to others. */
export function Panel<T>({ title, held, children, empty, extra, class: name = "", id, lines = 4 }: PanelProps<T>): JSX.Element {
  const key = useId();
  const { data, error } = held;
  const nothing = data !== null && empty ? empty(data) : null;
  return (
    <section id={id} class={`panel ${name} ${held.old ? "old" : ""}`} aria-labelledby={key} aria-busy={held.old || (!data && !error)}>
      <div class="panel-head">
        <h2 id={key}>{title}</h2>
        {extra}
      </div>
      {error && <Problem error={error} held={held} />}
      {data !== null && <Missing {...(data as Answer)} />}
      {data === null && !error && <Skeleton lines={lines} />}
      {data !== null && (nothing ? <div class="empty">{nothing}</div> : children(data))}
    </section>
  );
}

export function Skeleton({ lines }: { lines: number }): JSX.Element {
  return (
    <div class="skeleton">
      <span class="hidden-text">Loading</span>
      {Array.from({ length: lines }, (_, n) => <i key={n} aria-hidden="true" />)}
    </div>
  );
}

function Problem({ error, held }: { error: Failed; held: Held<unknown> & { retry: () => void } }): JSX.Element {
  const now = useClock(1000);
  const text = error.absent ? `This server cannot answer that: it has no ${error.message.split(" ")[1]?.replace(/:$/, "").replace("/api/v1", "")} yet.` : error.message;
  return (
    <p class="problem">
      {text}
      {held.data !== null && held.at > 0 && now - held.at > STALE && ` What is shown is ${format.duration(now - held.at)} old.`}{" "}
      {!error.absent && <button type="button" class="small" onClick={held.retry}>Try again</button>}
    </p>
  );
}

interface Answer {
  partitions?: Partitions | undefined;
  complete?: boolean | undefined;
}

/** What an answer does not cover. */
export function Missing({ partitions, complete }: Answer): JSX.Element | null {
  if (!partitions?.missing.length) return complete === false ? <p class="problem partial">Not complete: what is stored did not answer in time, so the numbers are too low.</p> : null;
  const { missing, of } = partitions;
  return <p class="problem partial">The numbers are too low: partition{missing.length > 1 && "s"} {missing.join(", ")} of {of} {missing.length > 1 ? "do" : "does"} not answer.</p>;
}

export async function copy(text: string, what = "Copied"): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context there is no clipboard; a selected field still lets the reader copy.
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "hidden-text" });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  say(`${what}.`, true);
}

export function CopyLine({ text, label }: { text: string; label: string }): JSX.Element {
  return (
    <div class="copy-line">
      <code tabIndex={0} role="group" aria-label={label}>{text}</code>
      <button type="button" class="small" onClick={() => void copy(text)} aria-label={`Copy ${label}`}>Copy</button>
    </div>
  );
}

/** A time with its full form in a tooltip. */
export function Time({ at, zoned = false }: { at: string | number | null | undefined; zoned?: boolean }): JSX.Element {
  if (at === null || at === undefined || at === "") return <span>–</span>;
  const moment = new Date(at);
  const iso = Number.isNaN(+moment) ? String(at) : moment.toISOString();
  return <time dateTime={iso} title={iso}>{zoned ? format.zoned(at) : format.time(at)}</time>;
}

/** A value of a log that opens a menu: only this, not this, copy. The page listens for `data-field`. */
export function Value({ field, value, children }: { field: string; value: string; children?: ComponentChildren }): JSX.Element {
  return (
    <button type="button" class="value" data-field={field} data-value={value} aria-haspopup="menu" title={`${value}: narrow to it, or copy it`}>
      {children ?? value}
    </button>
  );
}

export function Country({ code, plain = false }: { code: string; plain?: boolean }): JSX.Element {
  const name = format.country(code);
  if (!code || code === "unknown" || plain) return <span class="quiet-text">{name}</span>;
  return <Value field="country" value={code}><span class="code">{code}</span> {name}</Value>;
}

export const GotIn = ({ text = "got in" }: { text?: string }) => <span class="badge breach"><span aria-hidden="true">! </span>{text}</span>;

/** A line through numbers of the same distance; nulls are gaps. A picture only: the numbers are beside it. */
export function Spark({ values, most, kind = "rate" }: { values: (number | null)[]; most?: number; kind?: string }): JSX.Element {
  const top = most ?? Math.max(1, ...values.map((value) => value ?? 0));
  const step = values.length > 1 ? 100 / (values.length - 1) : 100;
  let drawing = false;
  const path = values.map((value, n) => {
    if (value === null) return void (drawing = false), "";
    const command = `${drawing ? "L" : "M"}${(n * step).toFixed(1)} ${(19 - (18 * value) / top).toFixed(1)}`;
    const alone = !drawing && values[n + 1] === null;
    drawing = true;
    return alone ? `${command}h.8` : command;
  });
  return (
    <svg class={`spark ${kind}`} viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
      <path d={path.join("")} />
    </svg>
  );
}

/** Small columns, such as failures by minute. */
export function Columns({ values, kind = "failure" }: { values: number[]; kind?: string }): JSX.Element {
  const top = Math.max(1, ...values);
  return (
    <svg class={`columns ${kind}`} viewBox={`0 0 ${Math.max(1, values.length)} 20`} preserveAspectRatio="none" aria-hidden="true">
      {values.map((value, n) => value > 0 && <rect key={n} x={n + 0.1} width={0.8} y={20 - Math.max(1.5, (20 * value) / top)} height={Math.max(1.5, (20 * value) / top)} />)}
    </svg>
  );
}

/** Successes and failures of each row as one bar, its length by the largest. */
export function Share({ success, failure, most }: { success: number; failure: number; most: number }): JSX.Element {
  const whole = Math.max(1, most);
  return (
    <span class="share" aria-hidden="true">
      <i class="failure" style={{ width: `${(100 * failure) / whole}%` }} />
      <i class="success" style={{ width: `${(100 * success) / whole}%` }} />
    </span>
  );
}

export const Legend = ({ others = false }: { others?: boolean }) => (
  <span class="legend">
    <i class="key failure" aria-hidden="true" /> failed <i class={`key ${others ? "quiet" : "success"}`} aria-hidden="true" /> {others ? "others" : "successful"}
  </span>
);

/** The numbers of a drawing as a table, made when it is opened. */
export function AsTable({ caption, head, rows }: { caption: string; head: string[]; rows: () => ComponentChildren[][] }): JSX.Element {
  const [open, set] = useState(false);
  return (
    <details class="as-table" onToggle={(event) => set((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>As a table</summary>
      {open && (
        <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
          <table>
            <caption class="hidden-text">{caption}</caption>
            <thead><tr>{head.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
            <tbody>{rows().map((row, n) => <tr key={n}>{row.map((cell, at) => at === 0 ? <th key={at} scope="row">{cell}</th> : <td key={at}>{cell}</td>)}</tr>)}</tbody>
          </table>
        </div>
      )}
    </details>
  );
}
