// Health: whether everything that came in is stored, how far each role has come, and what could not be understood.

import { type Held, useResource } from "./api";
import * as format from "./format";
import { type State, eventLink } from "./state";
import type { Health as HealthAnswer } from "./types";
import { Panel, Time } from "./widgets";

interface RoleState {
  members?: number;
  lag?: number;
  per_second?: number | null;
  partitions?: { topic: string; partition: number; committed: number; end: number; lag: number }[];
}

interface Roles {
  looked?: string;
  received_per_second?: number | null;
  roles: Record<string, RoleState>;
  error?: string;
}

type Json = Record<string, unknown>;

interface LedgerAnswer {
  balanced: boolean;
  exact?: boolean;
  received: number;
  stored: number;
  dead_lettered: number;
  missing: number;
  under_way: number;
  wrongs: string[];
  looked?: string;
}

interface DeadLetters {
  total: number;
  reasons: { component: string; reason: string; count: number }[];
  deadletters: Json[];
}

interface Coverage {
  lines: number;
  unparsed: number;
  datasets: { value: string; count: number }[];
  programs: { value: string; count: number }[];
  shapes?: { count: number; program: string; shape: string; example: string }[];
}

export function Health({ route }: { route: State }): preact.JSX.Element {
  const health = useResource<HealthAnswer>("health", 5000, true);
  const ledger = useResource<LedgerAnswer>("ledger", 10_000);
  const roles = useResource<Roles>("roles", 5000);
  const dead = useResource<DeadLetters>("deadletters?limit=20", 15_000);
  const coverage = useResource<Coverage>(`coverage?window=${route.from ? "24h" : route.window}`, 15_000);
  return (
    <div class="health">
      <Panel title="Ledger" held={ledger} class="ledger">{(data) => <Ledger data={data} />}</Panel>
      <Panel title="Roles" held={roles as Asked<Roles>} class="roles" lines={6}>{(data) => <RoleTable data={data} />}</Panel>
      <Panel title="Count workers and Kafka" held={health as Asked<HealthAnswer>} class="workers">{(data) => <Workers data={data} />}</Panel>
      <Panel title="Dead letters" held={dead} class="dead" empty={(data) => data.total === 0 && "None: every line could be stored."}>{(data) => <Dead route={route} data={data} />}</Panel>
      <Panel title="What was understood" held={coverage} class="coverage" empty={(data) => !data.lines && "No line in this time."}>{(data) => <Understood data={data} />}</Panel>
    </div>
  );
}

type Asked<T> = Held<T> & { retry: () => void };

/** Everything received is stored, a dead letter or under way: else something is missing. */
function Ledger({ data }: { data: LedgerAnswer }): preact.JSX.Element {
  const parts: [string, number][] = [["stored", data.stored], ["dead letters", data.dead_lettered], ["under way", data.under_way]];
  if (data.missing) parts.push(["missing", data.missing]);
  return <>
    <p class="sum"><b>{format.count(data.received)}</b> received = {parts.map(([name, value], n) => <span key={name}>{n > 0 && " + "}<b>{format.count(value)}</b> {name}</span>)}</p>
    <p class={data.balanced ? "balanced" : "unbalanced"}>{data.balanced ? `✓ Balanced${data.exact ? ", record by record" : ""}.` : "! Not balanced."} {data.looked && <span class="note">The last 24 h, looked at <Time at={data.looked} zoned />.</span>}</p>
    {data.wrongs.length > 0 && <ul class="problem">{data.wrongs.map((one, n) => <li key={n}>{one}</li>)}</ul>}
  </>;
}

function RoleTable({ data }: { data: Roles }): preact.JSX.Element {
  if (data.error) return <p class="problem">{data.error}</p>;
  const rows = Object.entries(data.roles);
  const partitions = [...new Set(rows.flatMap(([, role]) => (role.partitions ?? []).map((one) => one.partition)))].sort((a, b) => a - b);
  return <>
    {data.received_per_second != null && <p>Received: <b>{format.count(data.received_per_second)}</b> a second.</p>}
    <div class="scroll" tabIndex={0} role="region" aria-label="Workers and lag by role">
      <table id="roles">
        <thead><tr><th scope="col">Role</th><th scope="col" class="number">Workers</th><th scope="col" class="number">A second</th><th scope="col" class="number">Behind</th>{partitions.map((number) => <th key={number} scope="col" class="number wide">Partition {number}</th>)}</tr></thead>
        <tbody>
          {rows.map(([name, role]) => (
            <tr key={name} class={role.members === 0 ? "silent" : ""}>
              <th scope="row">{name}{role.members === 0 && <span class="badge">no worker</span>}</th>
              <td class="number">{format.count(role.members ?? 0)}</td>
              <td class="number">{role.per_second == null ? "–" : format.count(role.per_second)}</td>
              <td class="number strong">{format.count(role.lag ?? 0)}</td>
              {partitions.map((number) => <td key={number} class="number wide">{format.count((role.partitions ?? []).filter((one) => one.partition === number).reduce((sum, one) => sum + one.lag, 0))}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
    <p class="note">Behind: records that a role has not committed yet, in all its topics.{data.looked && <> Looked at <Time at={data.looked} zoned />.</>}</p>
  </>;
}

function Workers({ data }: { data: HealthAnswer }): preact.JSX.Element {
  const failures = Object.entries(data.failures ?? {});
  return (
    <dl class="facts">
      <div><dt>Kafka</dt><dd>{data.kafka ? `${data.kafka.servers} ${data.kafka.reachable ? "answers" : "does not answer"}` : "unknown"}</dd></div>
      {Object.entries(data.workers ?? {}).map(([url, partitions]) => <div key={url}><dt>Worker</dt><dd>{url}: partitions {partitions.join(", ") || "none"}</dd></div>)}
      {failures.map(([url, why]) => <div key={url}><dt>Silent</dt><dd>{url}: {why}</dd></div>)}
      <div><dt>Counted</dt><dd>{format.count(data.counted ?? 0)} attempts, {format.count(data.late ?? 0)} too late</dd></div>
      <div><dt>Newest</dt><dd><Time at={data.newest ?? null} zoned /></dd></div>
      {data.error && <div><dt>Trouble</dt><dd>{data.error}</dd></div>}
    </dl>
  );
}

function Dead({ route, data }: { route: State; data: DeadLetters }): preact.JSX.Element {
  const said = (one: Json, ...names: string[]) => names.map((name) => one[name]).find((value) => typeof value === "string" || typeof value === "number") as string | undefined;
  return <>
    <p><b>{format.count(data.total)}</b> of the newest: {data.reasons.slice(0, 8).map((one, n) => <span key={n}>{n > 0 && "; "}{one.component}: {one.reason} ({format.count(one.count)})</span>)}</p>
    <div class="scroll">
      <table>
        <caption class="hidden-text">Newest dead letters</caption>
        <thead><tr><th scope="col">Id</th><th scope="col">By</th><th scope="col">Reason</th></tr></thead>
        <tbody>{data.deadletters.map((one, n) => {
          const id = said(one, "id", "event") ?? [said(one, "topic"), said(one, "partition"), said(one, "offset")].join("-");
          return <tr key={`${id}${n}`} data-row><td><a href={eventLink(route, id)}>{id}</a></td><td>{said(one, "component")}</td><td class="words">{said(one, "reason", "says", "error")}</td></tr>;
        })}</tbody>
      </table>
    </div>
  </>;
}

function Understood({ data }: { data: Coverage }): preact.JSX.Element {
  const share = data.lines ? data.unparsed / data.lines : 0;
  return <>
    <p><b>{format.rate(1 - share)}</b> of {format.plural(data.lines, "line")} understood; {format.count(data.unparsed)} kept as they came.</p>
    {data.programs.length > 0 && <><h3>Programs that were not</h3><ul class="pairs">{data.programs.map((one) => <li key={one.value}>{one.value || "without a name"} <span class="quiet-text">{format.count(one.count)}</span></li>)}</ul></>}
    {(data.shapes ?? []).length > 0 && <><h3>Their commonest shapes</h3><ul class="shapes">{(data.shapes ?? []).slice(0, 10).map((one, n) => <li key={n} class="message" title={one.example}><b>{format.count(one.count)}</b> {one.program && `${one.program}: `}{one.shape}</li>)}</ul></>}
    <h3>By dataset</h3>
    <ul class="pairs">{data.datasets.map((one) => <li key={one.value}>{one.value} <span class="quiet-text">{format.count(one.count)}</span></li>)}</ul>
  </>;
}
