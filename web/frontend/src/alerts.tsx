// Alerts: what the rules say, newest first, with the lines that each rests on; who may act acknowledges them here.

import { useState } from "preact/hooks";
import { patch, post, query, useResource } from "./api";
import { type Doc, field, text } from "./events";
import * as format from "./format";
import { type State, eventLink, go, link } from "./state";
import { useStream } from "./stream";
import type { About } from "./types";
import { Panel, Time, Value } from "./widgets";

const STATES = ["open", "acknowledged", "closed", "all"] as const;
const ORDER = ["critical", "high", "medium", "low", "informational"];

interface Alerts {
  alerts: Doc[];
  total: number;
  rules?: number;
}

export function AlertsView({ route }: { route: State }): preact.JSX.Element {
  const state = STATES.find((name) => name === route.rest["state"]) ?? "open";
  const path = query("alerts", { state: state === "all" ? undefined : state, limit: 100 });
  const held = useResource<Alerts>(path, 5000);
  const about = useResource<About>("about").data;
  const mayAct = !about?.you || about.you.role === "act";
  useStream<Doc>("alert", (alert) => patch<Alerts>(path, (before) => before && withAlert(before, alert, state)), [path]);
  if (held.error?.absent) return <NoRules />;
  return (
    <div class="alerts">
      <Panel title="Alerts" held={held} lines={8} extra={
        <fieldset class="segments"><legend class="hidden-text">State</legend>
          {STATES.map((name) => <label key={name}><input type="radio" name="state" checked={state === name} onChange={() => go({ rest: { ...route.rest, state: name === "open" ? "" : name } })} /><span>{name}</span></label>)}
        </fieldset>}
        empty={(data) => !data.alerts.length && <p>{state === "open" ? "No open alert." : "None of this state."} {data.rules === 0 && "No rule is in force."}</p>}>
        {(data) => <>
          <ul class="alert-list">{[...data.alerts].sort(bySeverity).map((one) => <Alert key={idOf(one)} one={one} route={route} mayAct={mayAct} renew={held.retry} />)}</ul>
          <p class="note">{format.count(data.alerts.length)} of {format.count(data.total)}.</p>
        </>}
      </Panel>
    </div>
  );
}

const idOf = (one: Doc) => text(one, "id", "_id", "event.id", "kibana.alert.uuid");
const alertField = (one: Doc, name: string) => text(one, name, `ogrewatch.alert.${name}`);
const levelOf = (one: Doc) => text(one, "level", "severity", "rule.level", "log.level", "ogrewatch.alert.level") || "medium";
const statusOf = (one: Doc) => alertField(one, "state") || alertField(one, "status") || "open";

function bySeverity(a: Doc, b: Doc): number {
  return ORDER.indexOf(levelOf(a)) - ORDER.indexOf(levelOf(b)) || whenOf(b).localeCompare(whenOf(a));
}

const whenOf = (one: Doc) => text(one, "last", "last_seen", "@timestamp", "opened", "ogrewatch.alert.last");

function withAlert(before: Alerts, alert: Doc, state: string): Alerts {
  const id = idOf(alert);
  const others = before.alerts.filter((one) => idOf(one) !== id);
  const fits = state === "all" || statusOf(alert) === state;
  const change = (fits ? 1 : 0) - (before.alerts.length - others.length);
  return { ...before, alerts: fits ? [alert, ...others] : others, total: before.total + change };
}

function NoRules(): preact.JSX.Element {
  return (
    <section class="panel" aria-labelledby="no-alerts">
      <div class="panel-head"><h2 id="no-alerts">Alerts</h2></div>
      <div class="empty">
        <p>This server cannot list alerts yet. What the rules find will be here: open first, with the lines that each rests on.</p>
        <p>Until then the bar above does the work of the first rule: it names every address that guessed and got in.</p>
      </div>
    </section>
  );
}

function Alert({ one, route, mayAct, renew }: { one: Doc; route: State; mayAct: boolean; renew: () => void }): preact.JSX.Element {
  const [open, set] = useState(route.show === idOf(one));
  const id = idOf(one);
  const level = levelOf(one);
  const title = text(one, "title", "rule.name", "rule.title", "rule") || id;
  const address = text(one, "address", "source.ip", "group.source.ip");
  const count = alertField(one, "count");
  return (
    <li class={`alert level-${level}`}>
      <div class="alert-head">
        <Severity level={level} />
        <button type="button" class="alert-title" aria-expanded={open} onClick={() => set(!open)}>{title}</button>
        {address && <a href={link(route, { address })}>{address}</a>}
        <span class="quiet-text">{count && `${format.plural(Number(count), "match", "matches")}, `}<Time at={whenOf(one)} zoned /></span>
        <span class="badge">{statusOf(one)}</span>
      </div>
      {open && <Detail one={one} route={route} mayAct={mayAct} renew={renew} />}
    </li>
  );
}

function Severity({ level }: { level: string }): preact.JSX.Element {
  const shapes: Record<string, string> = { critical: "M8 1 15 15H1z", high: "M8 1 15 15H1z", medium: "M8 1 15 8 8 15 1 8z", low: "M2 2h12v12H2z" };
  return <span class={`severity ${level}`}><svg viewBox="0 0 16 16" aria-hidden="true">{shapes[level] ? <path d={shapes[level]} /> : <circle cx="8" cy="8" r="6" />}</svg>{level}</span>;
}

interface Evidence {
  id: string;
  at?: string | number;
  line?: string;
}

function Detail({ one, route, mayAct, renew }: { one: Doc; route: State; mayAct: boolean; renew: () => void }): preact.JSX.Element {
  const listed = field(one, "evidence") ?? field(one, "ogrewatch.alert.evidence");
  const evidence = (Array.isArray(listed) ? listed : []).map((item): Evidence => (typeof item === "object" && item ? (item as Evidence) : { id: String(item) }));
  const why = alertField(one, "why") || alertField(one, "reason") || text(one, "message");
  const group = field(one, "group") ?? field(one, "ogrewatch.alert.group");
  return (
    <div class="alert-detail">
      {why && <p class="why">{why}</p>}
      {typeof group === "object" && group !== null && <p>{Object.entries(group as Doc).map(([name, value], n) => <span key={name}>{n > 0 && ", "}{name} <Value field={name} value={String(value)} /></span>)}</p>}
      {text(one, "description", "rule.description") && <p class="note">{text(one, "description", "rule.description")}</p>}
      {evidence.length > 0 && <>
        <h3>The lines it rests on</h3>
        <ul class="evidence">{evidence.map((line) => <li key={line.id}><a href={eventLink(route, line.id)}>{line.at ? <Time at={typeof line.at === "number" ? line.at / 1000 : line.at} /> : line.id}</a> <span class="message">{line.line || line.id}</span></li>)}</ul>
      </>}
      <Act one={one} mayAct={mayAct} renew={renew} />
    </div>
  );
}

/** Acknowledging and closing, with a note. Whoever may only look is told so. */
function Act({ one, mayAct, renew }: { one: Doc; mayAct: boolean; renew: () => void }): preact.JSX.Element {
  const [note, write] = useState("");
  const [said, tell] = useState("");
  const status = statusOf(one);
  if (!mayAct) return <p class="note">You may look; to acknowledge needs a token with the role act.</p>;
  const act = (verb: string) => async () => {
    try {
      await post(`alerts/${encodeURIComponent(idOf(one))}/${verb}`, { note });
      tell("");
      write("");
      renew();
    } catch (why) {
      tell((why as Error).message);
    }
  };
  return (
    <form class="act" onSubmit={(event) => event.preventDefault()}>
      <label>Note <input type="text" value={note} maxLength={1000} onInput={(event) => write(event.currentTarget.value)} /></label>
      {status === "open" && <button type="button" class="small" onClick={() => void act("ack")()}>Acknowledge</button>}
      {status !== "closed" && <button type="button" class="small" onClick={() => void act("close")()}>Close</button>}
      {said && <p class="problem" role="alert">{said}</p>}
    </form>
  );
}

