// Live: logins by the minute, success rates, and who is at it, all of the chosen time.

import { useMemo } from "preact/hooks";
import { patch, query, chosen, useResource } from "./api";
import { TimeChart } from "./chart";
import * as format from "./format";
import { ratioPath, seriesPath, topPath } from "./paths";
import { type SeriesEvent, minutesOf, ratios, stacked, withMinute } from "./series";
import { type State, WINDOWS, go, link, seconds, viewLink } from "./state";
import { useStream } from "./stream";
import { Tail } from "./tail";
import type { Attackers, Health, Ratio, Series } from "./types";
import { AsTable, CopyLine, Country, GotIn, Legend, Panel, Share, Spark, Time, Value } from "./widgets";

const FAST = 2000; // milliseconds between questions where there is no stream
const SLOW = 5000;

export function Live({ route }: { route: State }): preact.JSX.Element {
  const sliding = !route.from;
  const ratio = useResource<Ratio>(ratioPath(route, "service"), sliding ? FAST : 0, true);
  const series = useResource<Series>(seriesPath(route), sliding ? FAST : 0, true);
  const top = useResource<Attackers>(topPath(route), sliding ? FAST : 0, true);
  useStream<Ratio>("ratio", (event) => patch<Ratio>(ratioPath(route, "service"), (before) => ({ ...before, ...event })), [route]);
  useStream<SeriesEvent>("series", (event) => {
    const keep = Math.floor(seconds(route.window) / 60) + 1;
    patch<Series>(seriesPath(route), (before) => before && withMinute(before, event, keep));
  }, [route]);
  return (
    <div class="live">
      <Figures ratio={ratio.data} top={top.data} />
      <Logins route={route} series={series} />
      <SuccessRate route={route} series={series} />
      <Services route={route} ratio={ratio} series={series.data} />
      <Panel title="Ogres" held={top} class="first-ogres" empty={(data) => !data.attackers.length && <Nothing route={route} what="Nobody has failed to log in" />}
        extra={<a href={viewLink(route, "ogres", { filters: route.filters })}>All, with The Wall</a>}>
        {(data) => <FirstOgres route={route} data={data} />}
      </Panel>
      <Top route={route} title="Users tried most" by="user" />
      <Top route={route} title="Hosts hit most" by="host" />
      <Top route={route} title="Countries" by="country" />
      <Tail route={route} />
    </div>
  );
}

function Figures({ ratio, top }: { ratio: Ratio | null; top: Attackers | null }): preact.JSX.Element {
  const shown: [string, string, string][] = [
    ["Got in by guessing", top ? format.count(top.broke_in_total) : "–", top?.broke_in_total ? "breach" : ""],
    ["Addresses that failed", top ? format.count(top.total) : "–", ""],
    ["Failed logins", ratio ? format.count(ratio.total.failure) : "–", "failed"],
    ["Successful logins", ratio ? format.count(ratio.total.success) : "–", "succeeded"],
    ["Success rate", ratio ? format.rate(ratio.total.ratio) : "–", ""],
  ];
  return (
    <dl class="figures" aria-label="The whole at a glance">
      {shown.map(([name, value, kind]) => <div key={name} class={kind}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

type Asked<T> = ReturnType<typeof useResource<T>>;

function Logins({ route, series }: { route: State; series: Asked<Series> }): preact.JSX.Element {
  const sums = useMemo(() => series.data && minutesOf(series.data), [series.data]);
  const each = sums && (sums.step === 60 ? "a minute" : `by ${format.duration(sums.step * 1000)}`);
  return (
    <Panel title={`Logins ${each ?? "a minute"}`} held={series} class="logins" extra={<Legend />} lines={7}
      empty={() => sums && !sums.success.some(Boolean) && !sums.failure.some(Boolean) && <Nothing route={route} what="No login" />}>
      {() => sums && <Stacked sums={sums} />}
    </Panel>
  );
}

function Stacked({ sums }: { sums: ReturnType<typeof minutesOf> }): preact.JSX.Element {
  const curves = useMemo(() => stacked(sums), [sums]);
  const all = (values: number[]) => format.count(values.reduce((a, b) => a + b, 0));
  return <>
    <TimeChart times={sums.times} step={sums.step} curves={curves} label={`Logins over time: ${all(sums.failure)} failed, ${all(sums.success)} successful`} />
    <AsTable caption="Logins over time" head={[`Time (${format.zoneName()})`, "Failed", "Successful"]}
      rows={() => sums.times.map((time, n) => [<Time at={time * 1000} />, format.count(sums.failure[n] ?? 0), format.count(sums.success[n] ?? 0)]).reverse()} />
  </>;
}

function Services({ route, ratio, series }: { route: State; ratio: Asked<Ratio>; series: Series | null }): preact.JSX.Element {
  return (
    <Panel title="Success by service" held={ratio} class="services" extra={<Legend />} empty={(data) => !data.rows.length && <Nothing route={route} what="No login" />}>
      {(data) => <ServiceTable data={data} series={series} />}
    </Panel>
  );
}

function ServiceTable({ data, series }: { data: Ratio; series: Series | null }): preact.JSX.Element {
  const sparks = useMemo(() => new Map(Object.keys(series?.rows ?? {}).map((name) => [name, ratios(minutesOf(series as Series, name))])), [series]);
  const most = Math.max(...data.rows.map((row) => row.success + row.failure));
  return (
    <div class="scroll">
      <table id="logins">
        <thead><tr><th scope="col">Service</th><th scope="col" class="number">Failed</th><th scope="col" class="number">Successful</th><th scope="col" class="number">Rate</th><th scope="col" class="wide">Over time</th><th scope="col" class="wide">Share</th></tr></thead>
        <tbody>
          {data.rows.map((row) => (
            <tr key={row.name} data-row>
              <th scope="row"><Value field="service" value={row.name} /></th>
              <td class="number">{format.count(row.failure)}</td>
              <td class="number">{format.count(row.success)}</td>
              <td class="number strong" title={row.unknown ? `${format.count(row.unknown)} with an unknown outcome are not in the rate` : undefined}>{format.rate(row.ratio)}</td>
              <td class="wide spark-cell"><Spark values={sparks.get(row.name) ?? []} most={1} /></td>
              <td class="wide"><Share success={row.success} failure={row.failure} most={most} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {data.truncated && <p class="note">The services with most logins; there are more.</p>}
    </div>
  );
}

/** The success ratio of LDAP binds over time, or of another service. */
function SuccessRate({ route, series }: { route: State; series: Asked<Series> }): preact.JSX.Element {
  const services = Object.keys(series.data?.rows ?? {}).sort();
  const shown = services.includes(route.show) ? route.show : (services.find((name) => name === "ldap" || name === "slapd") ?? services[0]);
  const sums = useMemo(() => (series.data && shown !== undefined ? minutesOf(series.data, shown) : null), [series.data, shown]);
  const values = useMemo(() => (sums ? ratios(sums) : []), [sums]);
  const curves = useMemo(() => [{ label: "successful", kind: "rate" as const, values }], [values]);
  const choose = services.length > 1 && (
    <label class="choose">Service <select value={shown} onChange={(event) => go({ show: event.currentTarget.value }, true)}>{services.map((name) => <option key={name} value={name}>{name}</option>)}</select></label>
  );
  return (
    <Panel title={`Success rate of ${shown === "ldap" ? "LDAP binds" : (shown ?? "logins")}`} held={series} class="rate" extra={choose} lines={7}
      empty={() => !values.some((value) => value !== null) && <Nothing route={route} what="No login" />}>
      {() => sums && <>
        <TimeChart times={sums.times} step={sums.step} curves={curves} most={1} show={(value) => format.rate(value)} label={`Success rate of ${shown} over time`} />
        <AsTable caption="Success rate over time" head={[`Time (${format.zoneName()})`, "Rate", "Successful", "Failed"]}
          rows={() => sums.times.map((time, n) => [<Time at={time * 1000} />, format.rate(values[n] ?? null), format.count(sums.success[n] ?? 0), format.count(sums.failure[n] ?? 0)]).reverse()} />
      </>}
    </Panel>
  );
}

function FirstOgres({ route, data }: { route: State; data: Attackers }): preact.JSX.Element {
  const shown = data.attackers.slice(0, 10);
  return <>
    <div class="scroll">
      <table id="first">
        <thead><tr><th scope="col">Address</th><th scope="col">Country</th><th scope="col" class="number">Failed</th><th scope="col" class="number">In</th><th scope="col" class="wide">Users tried</th><th scope="col" class="wide">Last ({format.zoneName()})</th></tr></thead>
        <tbody>
          {shown.map((one) => (
            <tr key={one.address} data-row class={one.broke_in ? "breached" : ""}>
              <th scope="row"><a href={link(route, { address: one.address })}>{one.address}</a>{one.broke_in && <GotIn />}</th>
              <td><Country code={one.country} /></td>
              <td class="number">{format.count(one.failures)}</td>
              <td class="number">{format.count(one.successes)}</td>
              <td class="wide few" title={one.users.join(", ")}>{format.names(one.users, one.user_count, one.users_more, 2) || <span class="quiet-text">none</span>}</td>
              <td class="wide"><Time at={one.last_seen} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
    <p class="note" id="extent">{format.count(shown.length)} of {format.plural(data.total, "address", "addresses")}; {format.count(data.broke_in_total)} got in by guessing{data.broke_in_total > 0 && ", listed first"}.</p>
  </>;
}

/** The names of one kind with most failures. */
function Top({ route, title, by }: { route: State; title: string; by: "user" | "host" | "country" }): preact.JSX.Element {
  const held = useResource<Ratio>(query("auth/ratio", { by, limit: 8, ...chosen(route) }), route.from ? 0 : SLOW);
  return (
    <Panel title={title} held={held} class="top" empty={(data) => !data.rows.length && <Nothing route={route} what="No login" />}>
      {(data) => {
        const rows = [...data.rows].sort((a, b) => b.failure - a.failure);
        const most = Math.max(...rows.map((row) => row.success + row.failure));
        return <>
          <ol class="bars">
            {rows.map((row) => (
              <li key={row.name} data-row>
                {by === "country" ? <Country code={row.name} /> : row.name ? <Value field={by} value={row.name} /> : <span class="quiet-text">none</span>}
                <span class="number">{format.count(row.failure)} <span class="quiet-text">failed</span>{row.success > 0 && <>, {format.count(row.success)} <span class="quiet-text">in</span></>}</span>
                <Share success={row.success} failure={row.failure} most={most} />
              </li>
            ))}
          </ol>
          {data.truncated && <p class="note">{format.count(rows.length)} with most logins; there are more.</p>}
        </>;
      }}
    </Panel>
  );
}

/** Why there is nothing, and what to do about it: a longer time, or something to send. */
export function Nothing({ route, what }: { route: State; what: string }): preact.JSX.Element {
  const health = useResource<Health>("health", 5000, true).data;
  const longer = WINDOWS.find((window) => health?.newest && seconds(window) > seconds(route.window) && Date.now() - Date.parse(health.newest) < seconds(window) * 1000);
  const filtered = Object.keys(route.filters).length > 0;
  if (health && !health.newest && health.counted === 0) return <FirstLines />;
  return (
    <p>
      {what} in this time{filtered && " and with these filters"}.{" "}
      {health?.newest && !route.from && <>The newest event is of <Time at={health.newest} zoned />. </>}
      {longer && !route.from && <button type="button" class="small" onClick={() => go({ window: longer })}>Show {longer}</button>}
      {filtered && <button type="button" class="small" onClick={() => go({ filters: {} })}>Drop the filters</button>}
    </p>
  );
}

function FirstLines(): preact.JSX.Element {
  const host = location.hostname.includes(":") ? `[${location.hostname.replace(/[[\]]/g, "")}]` : location.hostname;
  const line = "Failed password for root from 203.0.113.9 port 40022 ssh2";
  return <>
    <p>Nothing has arrived yet. Send something:</p>
    <CopyLine label="line for curl" text={`curl http://${host}:8080/lines -d '<38>1 ${new Date().toISOString()} web1 sshd 77 - - ${line}'`} />
    <CopyLine label="line for logger" text={`logger -p auth.info -t sshd '${line}'`} />
    <p class="note">curl speaks to Ogrewatch's own receiver; logger, to a syslog daemon that is set up to send to Kafka.</p>
  </>;
}
