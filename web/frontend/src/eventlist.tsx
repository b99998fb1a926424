// A list of events: time, source, outcome and message, each leading to its raw line.

import { type Doc, documentOf, idOf, text } from "./events";
import * as format from "./format";
import { type State, eventLink } from "./state";
import { Outcome } from "./tail";
import { Time, Value } from "./widgets";

export function EventList({ route, events, label }: { route: State; events: Doc[]; label: string }): preact.JSX.Element {
  return (
    <div class="scroll">
      <table class="events">
        <caption class="hidden-text">{label}</caption>
        <thead><tr><th scope="col">Time ({format.zoneName()})</th><th scope="col" class="wide">Source</th><th scope="col" class="wide">Host</th><th scope="col"><span class="hidden-text">Outcome</span></th><th scope="col">Message</th></tr></thead>
        <tbody>{events.map((one) => <Row key={idOf(one)} route={route} one={one} />)}</tbody>
      </table>
    </div>
  );
}

function Row({ route, one }: { route: State; one: Doc }): preact.JSX.Element {
  const doc = documentOf(one);
  const host = text(doc, "host.hostname", "host.name", "host");
  return (
    <tr data-row>
      <td class="when"><a href={eventLink(route, idOf(one))}><Time at={text(doc, "@timestamp")} /></a></td>
      <td class="wide">{text(doc, "event.dataset", "dataset")}</td>
      <td class="wide">{host && <Value field="host" value={host} />}</td>
      <td><Outcome outcome={text(doc, "event.outcome", "outcome")} /></td>
      <td class="message">{messageOf(doc)}</td>
    </tr>
  );
}

export const messageOf = (doc: Doc) => text(doc, "message", "event.original", "event.reason", "event.action") || "–";
