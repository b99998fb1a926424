// One address: what it did, in a sentence and by the minute, what it tried, its events, and what came after it got in.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { chosen, query, useResource } from "./api";
import { TimeChart } from "./chart";
import { EventList } from "./eventlist";
import * as format from "./format";
import { term } from "./menu";
import { coarser, stacked } from "./series";
import { type State, eventLink, go, link, searchLink, viewLink } from "./state";
import type { After, Counts, Detail, Minute } from "./types";
import { AsTable, Country, GotIn, Legend, Missing, Share, Skeleton, Time, Value, copy } from "./widgets";

const IP = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f]{0,4}:[0-9a-f:]{1,38}(\d{1,3}(\.\d{1,3}){3})?)$/i;
/** The search for an address, or for the host name that a log had in its place. */
const addressTerm = (address: string) => term(IP.test(address) ? "ip" : "source.address", address);
const AFTER = 15 * 60_000; // milliseconds after a success that are looked into

/** The panel beside a view. It takes the focus when it opens, and gives it back. */
export function AddressPanel({ route }: { route: State }): preact.JSX.Element {
  const title = useRef<HTMLHeadingElement>(null);
  const { address } = route;
  useEffect(() => {
    const opener = document.activeElement instanceof HTMLElement && document.activeElement !== document.body ? document.activeElement : null;
    title.current?.focus();
    return () => requestAnimationFrame(() => giveBack(opener, address));
  }, [address]);
  return (
    <aside class="address-panel" aria-labelledby="detail-title">
      <div class="panel-head">
        <h2 id="detail-title" ref={title} tabIndex={-1}>{address}</h2>
        <a class="button small" href={viewLink(route, "address", { id: address })}>Whole page</a>
        <button type="button" class="small" id="close" onClick={() => go({ address: "" })}>Close</button>
      </div>
      <About route={route} address={address} />
    </aside>
  );
}

function giveBack(opener: HTMLElement | null, address: string): void {
  if (document.activeElement && document.activeElement !== document.body) return;
  const wanted = `address=${encodeURIComponent(address)}`;
  const again = opener?.isConnected ? opener : [...document.querySelectorAll<HTMLElement>("main a")].find((one) => one.getAttribute("href")?.includes(wanted));
  (again ?? document.getElementById("main"))?.focus({ preventScroll: true });
}

export function AddressPage({ route }: { route: State }): preact.JSX.Element {
  return (
    <section class="panel address-page" aria-labelledby="page-title">
      <div class="panel-head"><h2 class="view-title" id="page-title">{route.id}</h2></div>
      <About route={route} address={route.id} />
    </section>
  );
}

function About({ route, address }: { route: State; address: string }): preact.JSX.Element {
  const held = useResource<Detail>(query(`attackers/${encodeURIComponent(address)}`, { ...chosen({ ...route, filters: {} }) }), route.from ? 0 : 5000);
  const { data, error } = held;
  const nothing = error?.status === 404 && !error.absent;
  return <>
    {error && (nothing ? <p class="empty" id="detail-note">Nothing is known of it in this time.</p>
      : <p class="problem">{error.message} <button type="button" class="small" onClick={held.retry}>Try again</button></p>)}
    {data && <Missing {...data} />}
    {!data && !error && <Skeleton lines={8} />}
    {data && <Facts route={route} data={data} />}
    <Actions address={address} route={route} />
    {data && <>
      {data.store_error && <p class="problem">{data.store_error} Its events are not shown.</p>}
      {(data.after_success ?? []).map((one) => <Afterwards key={one.id} route={route} one={one} />)}
      <div class="tried"><TriedBy title="By user" by="user" rows={data.by_user ?? []} /><TriedBy title="By host" by="host" rows={data.by_host ?? []} /></div>
      {!data.store_error && <ItsEvents route={route} events={data.events ?? []} />}
      {data.network && <Neighbours route={route} network={data.network} />}
    </>}
  </>;
}

function sentence({ attacker }: Detail): string {
  const { failures, successes, users, user_count: tried, hosts, host_count: hit } = attacker;
  if (!failures) return `It has not failed in this time, and got in ${format.count(successes)} ${successes === 1 ? "time" : "times"}.`;
  const whom = tried === 1 && users[0] ? `as ${format.brief(users[0])}` : `as ${format.count(tried)}${attacker.users_more ? " or more" : ""} users`;
  const where = hit === 1 && hosts[0] ? `on ${format.brief(hosts[0])}` : `on ${format.count(hit)}${attacker.hosts_more ? " or more" : ""} hosts`;
  const took = Date.parse(attacker.last_seen) - Date.parse(attacker.first_seen);
  const first = `${format.plural(failures, "failure")} ${whom} ${where}${took >= 1000 ? ` in ${format.duration(took)}` : ""}`;
  if (!successes) return `${first}. It has not got in.`;
  return `${first}, and ${format.plural(successes, "success", "successes")}${attacker.last_success ? `, the last at ${format.zoned(attacker.last_success)}` : lastMinute(attacker.minutes)}.`;
}

function lastMinute(minutes: Minute[]): string {
  const last = minutes.findLast((one) => one.successes);
  return last ? `, the last between ${format.minute(last.minute)} and ${format.minute(Date.parse(last.minute) + 60_000)} ${format.zoneName()}` : "";
}

function Facts({ route, data }: { route: State; data: Detail }): preact.JSX.Element {
  const one = data.attacker;
  return <>
    <p class={`verdict ${one.broke_in ? "bad" : ""}`} id="detail-note">{one.broke_in && <GotIn text="Guessed and got in" />} {sentence(data)}</p>
    <Timeline data={data} />
    <dl class="facts" id="facts">
      <div><dt>Country</dt><dd><Country code={one.country} /></dd></div>
      {one.as && <div><dt>Network</dt><dd>AS{one.as.number} {one.as.name}</dd></div>}
      <div><dt>Users tried</dt><dd><Names field="user" list={one.users} total={one.user_count} more={one.users_more} /></dd></div>
      <div><dt>Hosts hit</dt><dd><Names field="host" list={one.hosts} total={one.host_count} more={one.hosts_more} /></dd></div>
      {one.services && Object.keys(one.services).length > 0 && <div><dt>Services</dt><dd>{Object.entries(one.services).map(([name, n], at) => <span key={name}>{at > 0 && ", "}<Value field="service" value={name} /> {format.count(n)}</span>)}</dd></div>}
      <div><dt>First seen</dt><dd><Time at={one.first_seen} zoned /></dd></div>
      <div><dt>Last seen</dt><dd><Time at={one.last_seen} zoned />{!route.from && `, ${format.ago(one.last_seen)}`}</dd></div>
    </dl>
  </>;
}

function Names({ field, list, total, more }: { field: string; list: string[]; total: number; more: boolean }): preact.JSX.Element {
  const rest = total - list.length;
  return <>{list.length ? list.map((name, n) => <span key={name} class="name">{n > 0 && ", "}<Value field={field} value={name} /></span>) : "none"}{rest > 0 && ` and ${more ? "at least " : ""}${format.count(rest)} more`}{rest <= 0 && more && " and more"}</>;
}

/** Its attempts by the minute, from the first to the last: an attack of five minutes fills the chart. */
function Timeline({ data }: { data: Detail }): preact.JSX.Element | null {
  const { minutes } = data.attacker;
  const sums = useMemo(() => {
    const known = minutes.map((one) => ({ at: Date.parse(one.minute) / 1000, ...one }));
    if (!known.length) return null;
    const first = Math.min(...known.map((one) => one.at)) - 60;
    const last = Math.max(...known.map((one) => one.at)) + 60;
    const times = Array.from({ length: Math.min(3000, Math.round((last - first) / 60) + 1) }, (_, n) => first + n * 60);
    const by = new Map(known.map((one) => [one.at, one]));
    return coarser({ times, step: 60, success: times.map((at) => by.get(at)?.successes ?? 0), failure: times.map((at) => by.get(at)?.failures ?? 0) }, 90);
  }, [minutes]);
  const curves = useMemo(() => sums && stacked(sums), [sums]);
  if (!sums || !curves) return null;
  const { failures, successes, address } = data.attacker;
  return <>
    <p class="chart-title">Attempts by {sums.step === 60 ? "the minute" : format.duration(sums.step * 1000)} <Legend /></p>
    <TimeChart times={sums.times} step={sums.step} curves={curves} height={130} label={`Attempts of ${address}: ${failures} failures, ${successes} successes`} />
    <AsTable caption="Its attempts over time" head={[`Time (${format.zoneName()})`, "Failed", "Successful"]}
      rows={() => sums.times.flatMap((at, n) => sums.success[n] || sums.failure[n] ? [[<Time at={at * 1000} />, format.count(sums.failure[n] ?? 0), format.count(sums.success[n] ?? 0)]] : [])} />
  </>;
}

function Actions({ route, address }: { route: State; address: string }): preact.JSX.Element {
  const known = IP.test(address); // only an address goes into a line for a shell: a host name in a log can be anything
  const family = address.includes(":") ? "blocklist6" : "blocklist4";
  return (
    <div class="actions" role="group" aria-label="Do something about it">
      <button type="button" class="small" onClick={() => void copy(address, "Address copied")}>Copy address</button>
      {known && <>
        <button type="button" class="small" onClick={() => void copy(`nft add element inet filter ${family} { ${address} }`, "Line for nft copied")} title={`nft add element inet filter ${family} { ${address} }`}>Copy for nft</button>
        <button type="button" class="small" onClick={() => void copy(`fail2ban-client set sshd banip ${address}`, "Line for fail2ban copied")} title={`fail2ban-client set sshd banip ${address}`}>Copy for fail2ban</button>
      </>}
      <a class="button small" href={searchLink(route, addressTerm(address))}>All its events</a>
    </div>
  );
}

/** What the user did on the host after the address had got in: the question of whoever looks into it. */
function Afterwards({ route, one }: { route: State; one: After }): preact.JSX.Element {
  const whole = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
  const [from, to] = [whole(Date.parse(one.at)), whole(Date.parse(one.at) + AFTER)];
  const q = [one.host && term("host", one.host), one.user && term("user", one.user)].filter(Boolean).join(" ");
  const who = [one.user, one.host].filter(Boolean).map((name) => format.brief(name)).join(" on ") || "a user without a name";
  return (
    <section class="after" aria-label={`After it got in as ${who}`}>
      <h3>It got in as {who}, <a href={eventLink(route, one.id)}><Time at={one.at} zoned /></a>{one.service && ` by ${format.brief(one.service)}`}</h3>
      {one.events.length ? <><p>In the 15 minutes after:</p><EventList route={route} events={one.events} label={`What ${who} did then`} /></> : <p class="note">Nothing that {one.user || "it"} did is stored of the 15 minutes after.</p>}
      {one.total > one.events.length && <p class="note">{format.count(one.events.length)} of {format.count(one.total)}.</p>}
      {q && <p><a href={searchLink(route, q, { from, to })}>Search these 15 minutes</a></p>}
    </section>
  );
}

function ItsEvents({ route, events }: { route: State; events: Record<string, unknown>[] }): preact.JSX.Element {
  return (
    <section aria-label="Its events">
      <h3>Its latest events</h3>
      {events.length ? <EventList route={route} events={events} label="Its latest events" /> : <p class="note">No event of it is stored in this time.</p>}
    </section>
  );
}

/** What it tried, by outcome. */
function TriedBy({ title, by, rows }: { title: string; by: string; rows: (Counts & { name: string })[] }): preact.JSX.Element | null {
  if (!rows.length) return null;
  const most = Math.max(...rows.map((row) => row.success + row.failure));
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <ol class="bars">
        {rows.slice(0, 10).map((row) => (
          <li key={row.name}>
            {row.name ? <Value field={by} value={row.name} /> : <span class="quiet-text">none</span>}
            <span class="number">{format.count(row.failure)} failed{row.success > 0 && <b>, {format.count(row.success)} in</b>}</span>
            <Share success={row.success} failure={row.failure} most={most} />
          </li>
        ))}
      </ol>
      {rows.length > 10 && <p class="note">There are more.</p>}
    </section>
  );
}

function Neighbours({ route, network }: { route: State; network: NonNullable<Detail["network"]> }): preact.JSX.Element | null {
  if (!network.attackers.length) return null;
  return (
    <section aria-label="The same network">
      <h3>Others of its network {network.prefix}*: {format.count(network.total)}</h3>
      <ul class="neighbours">{network.attackers.map((row) => <li key={row.address}><a href={link(route, route.view === "address" ? { id: row.address } : { address: row.address })}>{row.address}</a> {format.plural(row.failures, "failure")}{row.broke_in && <GotIn />}</li>)}</ul>
    </section>
  );
}
