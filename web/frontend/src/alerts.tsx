// Alerts: what the rules say, open ones first, with the lines that each rests on; who may act acknowledges them here.

import { useEffect, useRef, useState } from "preact/hooks";
import { Failed, post, query, useResource } from "./api";
import { say } from "./announce";
import { type Doc, field, text } from "./events";
import * as format from "./format";
import { type State, eventLink, go, link } from "./state";
import { useStream } from "./stream";
import type { About } from "./types";
import { Panel, Time, Value } from "./widgets";

const STATES = ["open", "acknowledged", "closed", "all"] as const;
const ORDER = ["critical", "high", "medium", "low", "informational"];
const VERDICTS = ["true_positive", "false_positive", "benign"];
const SOON = 2500; // milliseconds until what somebody did is likely to be in the answers

interface Alerts {
  alerts: Doc[];
  total: number;
  total_is?: string;
}

interface Rules {
  rules: unknown[];
  refused: { where: string; reason: string }[];
  silences: unknown[];
}

export function AlertsView({ route }: { route: State }): preact.JSX.Element {
  const state = STATES.find((name) => name === route.rest["state"]) ?? "open";
  const held = useResource<Alerts>(query("alerts", { state, limit: 100 }), 5000);
  const rules = useResource<Rules>("rules", 60_000).data;
  const about = useResource<About>("about").data;
  const mayAct = !about?.you || about.you.role === "act";
  const timer = useRef(0);
  const soon = (wait: number) => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(held.retry, wait);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useStream<Doc>("alert", () => soon(SOON), [state]);
  if (held.error?.absent) return <NoRules />;
  return (
    <div class="alerts">
      <Panel title="Alerts" held={held} lines={8} extra={
        <fieldset class="segments"><legend class="hidden-text">State</legend>
          {STATES.map((name) => <label key={name}><input type="radio" name="state" checked={state === name} onChange={() => go({ rest: { ...route.rest, state: name === "open" ? "" : name } })} /><span>{name}</span></label>)}
        </fieldset>}
        empty={(data) => !data.alerts.length && <p>{state === "open" ? "No open alert." : "None of this state."} <InForce rules={rules} /></p>}>
        {(data) => <>
          <ul class="alert-list">{[...data.alerts].sort(bySeverity).map((one) => <Alert key={idOf(one)} one={one} route={route} mayAct={mayAct} renew={() => soon(SOON)} />)}</ul>
          <p class="note">{format.count(data.alerts.length)} of {data.total_is === "at least" && "at least "}{format.count(data.total)}. <InForce rules={rules} /></p>
        </>}
      </Panel>
    </div>
  );
}

function InForce({ rules }: { rules: Rules | null }): preact.JSX.Element | null {
  if (!rules) return null;
  return <>{format.plural(rules.rules.length, "rule")} in force{rules.refused.length > 0 && `, ${format.count(rules.refused.length)} refused: ${rules.refused[0]?.reason}`}.</>;
}

const idOf = (one: Doc) => text(one, "id", "event.id");
const of = (one: Doc, name: string) => text(one, `ogrewatch.alert.${name}`);
const levelOf = (one: Doc) => of(one, "level") || "medium";
const statusOf = (one: Doc) => of(one, "status") || "open";
const whenOf = (one: Doc) => text(one, "event.end", "@timestamp");
const listOf = <T,>(one: Doc, name: string): T[] => {
  const found = field(one, `ogrewatch.alert.${name}`);
  return Array.isArray(found) ? (found as T[]) : [];
};

function bySeverity(a: Doc, b: Doc): number {
  return Number(statusOf(a) !== "open") - Number(statusOf(b) !== "open") || ORDER.indexOf(levelOf(a)) - ORDER.indexOf(levelOf(b)) || whenOf(b).localeCompare(whenOf(a));
}

function NoRules(): preact.JSX.Element {
  return (
    <section class="panel" aria-labelledby="no-alerts">
      <div class="panel-head"><h2 id="no-alerts">Alerts</h2></div>
      <div class="empty">
        <p>This server cannot list alerts yet. What the rules find will be here: open first, with the lines that each rests on.</p>
        <p>The bar above does the work of the first rule: it names every address that guessed and got in.</p>
      </div>
    </section>
  );
}

interface AlertProps {
  one: Doc;
  route: State;
  mayAct: boolean;
  renew: () => void;
}

function Alert({ one, route, mayAct, renew }: AlertProps): preact.JSX.Element {
  const id = idOf(one);
  const open = route.show === id;
  const level = levelOf(one);
  const address = text(one, "source.ip");
  const count = Number(of(one, "count") || 1);
  return (
    <li class={`alert level-${level}`}>
      <div class="alert-head">
        <Severity level={level} />
        <button type="button" class="alert-title" aria-expanded={open} onClick={() => go({ show: open ? "" : id }, true)}>{format.brief(text(one, "rule.name", "message") || id, 120)}</button>
        {address && <a href={link(route, { address })}>{address}</a>}
        <span class="quiet-text">{format.plural(count, "event")}, <Time at={whenOf(one)} zoned /></span>
        <span class="badge">{statusOf(one)}{of(one, "verdict") && `: ${of(one, "verdict").replace("_", " ")}`}</span>
        {of(one, "silenced") === "true" && <span class="badge">silenced</span>}
      </div>
      {open && <Detail one={one} route={route} mayAct={mayAct} renew={renew} />}
    </li>
  );
}

function Severity({ level }: { level: string }): preact.JSX.Element {
  const shapes: Record<string, string> = { critical: "M8 1 15 15H1z", high: "M8 1 15 15H1z", medium: "M8 1 15 8 8 15 1 8z", low: "M2 2h12v12H2z" };
  return <span class={`severity ${level}`}><svg viewBox="0 0 16 16" aria-hidden="true">{shapes[level] ? <path d={shapes[level]} /> : <circle cx="8" cy="8" r="6" />}</svg>{level}</span>;
}

function Detail({ one, route, mayAct, renew }: AlertProps): preact.JSX.Element {
  const evidence = listOf<{ id: string; at?: string; line?: string }>(one, "evidence");
  const group = listOf<string>(one, "group").map((pair): [string, string] => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  const samples = listOf<string>(one, "samples");
  const harmless = listOf<string>(one, "false_positives");
  const acts = listOf<{ offset: number; kind: string; by: string; at: string; comment?: string; verdict?: string }>(one, "acts");
  return (
    <div class="alert-detail">
      <p class="why">{text(one, "event.reason")}{of(one, "window.start") && <>, from <Time at={of(one, "window.start")} zoned /></>}.</p>
      {group.length > 0 && <p>{group.map(([name, value], n) => <span key={name}>{n > 0 && ", "}{name} <Value field={name} value={value} /></span>)}</p>}
      {samples.length > 0 && <p>Among them: {samples.map((name) => format.brief(String(name))).join(", ")}.</p>}
      {text(one, "rule.description") && <p class="note">{text(one, "rule.description")}</p>}
      {harmless.length > 0 && <p class="note">May be harmless: {harmless.join("; ")}.</p>}
      {of(one, "runbook") && <p><b>What to do:</b> {of(one, "runbook")}</p>}
      {evidence.length > 0 && <>
        <h3>The lines it rests on</h3>
        <ul class="evidence">{evidence.map((line) => <li key={line.id}><a href={eventLink(route, line.id)}>{line.at ? <Time at={line.at} /> : line.id}</a> <span class="message">{line.line || line.id}</span></li>)}</ul>
      </>}
      {acts.length > 0 && <>
        <h3>What was done</h3>
        <ul>{acts.map((act) => <li key={act.offset}><Time at={act.at} zoned /> {act.by}: {act.kind}{act.verdict && `, ${act.verdict.replace("_", " ")}`}{act.comment && ` “${act.comment}”`}</li>)}</ul>
      </>}
      <Act one={one} mayAct={mayAct} renew={renew} />
    </div>
  );
}

/** Acknowledging, closing, opening again, with a note. Whoever may only look is told so. */
function Act({ one, mayAct, renew }: { one: Doc; mayAct: boolean; renew: () => void }): preact.JSX.Element {
  const [note, write] = useState("");
  const [verdict, judge] = useState("");
  const [said, tell] = useState<{ text: string; wrong: boolean } | null>(null);
  const status = statusOf(one);
  if (!mayAct) return <p class="note">You may look; acknowledging needs a token with the role act.</p>;
  const act = async (verb: string) => {
    try {
      await post(`alerts/${encodeURIComponent(idOf(one))}/${verb}`, { ...(note && { note }), ...(verb === "close" && verdict && { verdict }) });
      write("");
      tell({ text: "Written down; it will be shown here in a moment.", wrong: false });
      say("Written down", true);
      renew();
    } catch (why) {
      tell({ text: why instanceof Failed ? why.message : String(why), wrong: true });
    }
  };
  const button = (verb: string, name: string) => <button type="button" class="small" onClick={() => void act(verb)}>{name}</button>;
  return (
    <form class="act" onSubmit={(event) => event.preventDefault()}>
      <label>Note <input type="text" value={note} maxLength={1000} onInput={(event) => write(event.currentTarget.value)} /></label>
      {status === "open" && button("ack", "Acknowledge")}
      {status !== "closed" && <>
        <label>Verdict <select value={verdict} onChange={(event) => judge(event.currentTarget.value)}><option value="">none</option>{VERDICTS.map((name) => <option key={name} value={name}>{name.replace("_", " ")}</option>)}</select></label>
        {button("close", "Close")}
      </>}
      {status !== "open" && button("reopen", "Open again")}
      {note && button("note", "Only note")}
      {said && <p class={said.wrong ? "problem" : "note"} role={said.wrong ? "alert" : "status"}>{said.text}</p>}
    </form>
  );
}
