// One address: what it did, in a sentence and by the minute, what it tried, its events, and what came after it got in.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { chosen, query, useResource } from "./api";
import { TimeChart } from "./chart";
import { EventList } from "./eventlist";
import { type Events, eventsPath, instants } from "./events";
import * as format from "./format";
import { term } from "./menu";
import { coarser, stacked } from "./series";
import { type State, go, link, searchLink, viewLink } from "./state";
import type { Attacker, Attackers, Detail, Minute, Ratio } from "./types";
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
    {data && data.attacker.successes > 0 && data.attacker.last_success && <Afterwards route={route} one={data.attacker} />}
    <Tried route={route} address={address} />
    <ItsEvents route={route} address={address} />
    {data?.attacker.as && <Neighbours route={route} one={data.attacker} />}
  </>;
}

function sentence({ attacker }: Detail): string {
  const { failures, successes, users, user_count: tried, hosts, host_count: hit } = attacker;
  if (!failures) return `It has not failed in this time, and got in ${format.count(successes)} ${successes === 1 ? "time" : "times"}.`;
  const whom = tried === 1 && users[0] ? `as ${users[0]}` : `as ${format.count(tried)}${attacker.users_more ? " or more" : ""} users`;
  const where = hit === 1 && hosts[0] ? `on ${hosts[0]}` : `on ${format.count(hit)}${attacker.hosts_more ? " or more" : ""} hosts`;
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
function Afterwards({ route, one }: { route: State; one: Attacker }): preact.JSX.Element {
  const since = one.last_success ?? one.last_seen;
  const user = one.user_count === 1 ? one.users[0] : undefined;
  const host = one.host_count === 1 ? one.hosts[0] : undefined;
  const q = [host && term("host", host), user && term("user", user), !host && !user && addressTerm(one.address)].filter(Boolean).join(" ");
  const whole = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
  const [from, to] = [whole(Date.parse(since)), whole(Date.parse(since) + AFTER)];
  const held = useResource<Events>(eventsPath({ q, from, to, sort: "oldest", limit: 20 }), 0);
  return (
    <section class="after" aria-label="After it got in">
      <h3>15 minutes after it got in{host || user ? `: ${[user, host].filter(Boolean).join(" on ")}` : ""}</h3>
      <Found held={held} route={route} label="Events after it got in" none="Nothing more was logged." />
      <p><a href={searchLink(route, q, { from, to })}>Search these 15 minutes</a></p>
    </section>
  );
}

function Found({ held, route, label, none }: { held: ReturnType<typeof useResource<Events>>; route: State; label: string; none: string }): preact.JSX.Element {
  if (held.error) return <p class="problem">{held.error.absent ? "This server cannot search yet." : held.error.message} {!held.error.absent && <button type="button" class="small" onClick={held.retry}>Try again</button>}</p>;
  if (!held.data) return <Skeleton lines={3} />;
  if (!held.data.events.length) return <p class="empty">{none}</p>;
  const more = held.data.total - held.data.events.length;
  return <>
    <EventList route={route} events={held.data.events} label={label} />
    {more > 0 && <p class="note">{format.count(held.data.events.length)} of {held.data.total_is === "at least" && "at least "}{format.count(held.data.total)}.</p>}
  </>;
}

function ItsEvents({ route, address }: { route: State; address: string }): preact.JSX.Element {
  const { from, to } = useMemo(() => instants(route), [route.window, route.from, route.to, address]);
  const held = useResource<Events>(eventsPath({ q: addressTerm(address), from, to, limit: 20 }), 0);
  return (
    <section aria-label="Its events">
      <h3>Its latest events</h3>
      <Found held={held} route={route} label="Its latest events" none="No event of it is stored in this time." />
    </section>
  );
}

/** What it tried, by outcome. */
function Tried({ route, address }: { route: State; address: string }): preact.JSX.Element {
  return (
    <div class="tried">
      {(["user", "host"] as const).map((by) => <TriedBy key={by} route={route} address={address} by={by} />)}
    </div>
  );
}

function TriedBy({ route, address, by }: { route: State; address: string; by: "user" | "host" }): preact.JSX.Element | null {
  const held = useResource<Ratio>(query("auth/ratio", { by, limit: 10, ...chosen({ ...route, filters: {} }), address }), 0);
  if (held.error || !held.data?.rows.length) return null;
  const { rows } = held.data;
  const most = Math.max(...rows.map((row) => row.success + row.failure));
  return (
    <section aria-label={`By ${by}`}>
      <h3>By {by}</h3>
      <ol class="bars">
        {rows.map((row) => (
          <li key={row.name}>
            {row.name ? <Value field={by} value={row.name} /> : <span class="quiet-text">none</span>}
            <span class="number">{format.count(row.failure)} failed{row.success > 0 && <b>, {format.count(row.success)} in</b>}</span>
            <Share success={row.success} failure={row.failure} most={most} />
          </li>
        ))}
      </ol>
      {held.data.truncated && <p class="note">There are more.</p>}
    </section>
  );
}

function Neighbours({ route, one }: { route: State; one: Attacker }): preact.JSX.Element | null {
  const held = useResource<Attackers>(one.as ? query("attackers", { ...chosen({ ...route, filters: {} }), as: one.as.number, limit: 6 }) : null, 0);
  const others = held.data?.attackers.filter((row) => row.address !== one.address) ?? [];
  if (!others.length || !one.as) return null;
  return (
    <section aria-label="The same network">
      <h3>Others of {one.as.name || `AS${one.as.number}`}: {format.count((held.data?.total ?? 1) - 1)}</h3>
      <ul class="neighbours">{others.map((row) => <li key={row.address}><a href={link(route, route.view === "address" ? { id: row.address } : { address: row.address })}>{row.address}</a> {format.plural(row.failures, "failure")}{row.broke_in && <GotIn />}</li>)}</ul>
    </section>
  );
}
