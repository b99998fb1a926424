// Map: attempts by country or city, as circles on a map without tiles, and as the table that it pictures.

import { geoGraticule10, geoNaturalEarth1, geoPath } from "d3-geo";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { feature } from "topojson-client";
import countriesUrl from "world-atlas/countries-110m.json";
import { chosen, query, useResource } from "./api";
import * as format from "./format";
import { Nothing } from "./live";
import { type State, go } from "./state";
import type { Partitions } from "./types";
import { GotIn, Panel, Value } from "./widgets";

interface Numbers {
  addresses: number;
  failures: number;
  successes: number;
  broke_in: number;
}

interface Place extends Numbers {
  country: string;
  city: string | null;
  lon: number | null;
  lat: number | null;
}

interface Places {
  by: string;
  places: Place[];
  unknown: Numbers;
  truncated?: boolean;
  partitions?: Partitions;
}

const [WIDTH, HEIGHT] = [960, 470];
const LARGEST = 34; // radius of a circle
const ZOOMS = [1, 1.6, 2.5, 4, 6.5, 10];
const projection = geoNaturalEarth1().fitExtent([[4, 4], [WIDTH - 4, HEIGHT - 4]], { type: "Sphere" });

export function WorldMap({ route }: { route: State }): preact.JSX.Element {
  const held = useResource<Places>(query("auth/places", { ...chosen({ ...route, filters: {} }), by: "country", limit: 300 }), route.from ? 0 : 5000);
  return (
    <div class="map">
      <Panel title="Where they come from" held={held} class="world" lines={12} empty={(data) => !data.places.length && !data.unknown.failures && <Nothing route={route} what="No login" />}
        extra={<span class="note">By country: a circle stands at the middle of its country.</span>}>
        {(data) => <World data={data} route={route} />}
      </Panel>
      <Panel title="Countries" held={held} class="places" lines={8} empty={(data) => !data.places.length && "None is known."}>
        {(data) => <PlaceTable data={data} />}
      </Panel>
    </div>
  );
}

function useLand(): { paths: string[]; failed: boolean } {
  const [paths, set] = useState<string[]>([]);
  const [failed, fail] = useState(false);
  useEffect(() => {
    const draw = geoPath(projection);
    fetch(countriesUrl).then((answer) => answer.json()).then((topology) => {
      const land = feature(topology, topology.objects.countries) as unknown as GeoJSON.FeatureCollection;
      set(land.features.map((one) => draw(one) ?? ""));
    }).catch(() => fail(true));
  }, []);
  return { paths, failed };
}

const SPHERE = geoPath(projection)({ type: "Sphere" }) ?? "";
const GRID = geoPath(projection)(geoGraticule10()) ?? "";

function World({ data, route }: { data: Places; route: State }): preact.JSX.Element {
  const { paths, failed } = useLand();
  const [zoom, set] = useState(0);
  const [centre, move] = useState<[number, number]>([WIDTH / 2, HEIGHT / 2]);
  const picture = useRef<SVGSVGElement>(null);
  const most = Math.max(1, ...data.places.map((one) => one.failures));
  const scale = ZOOMS[zoom] ?? 1;
  const marks = useMemo(() => [...data.places].filter((one) => one.lon !== null && one.lat !== null)
    .sort((a, b) => b.failures - a.failures || b.broke_in - a.broke_in), [data]);
  const land = useMemo(() => paths.map((path, n) => <path key={n} d={path} />), [paths]);
  const [width, height] = [WIDTH / scale, HEIGHT / scale];
  const left = Math.max(0, Math.min(WIDTH - width, centre[0] - width / 2));
  const top = Math.max(0, Math.min(HEIGHT - height, centre[1] - height / 2));
  const to = (step: number) => set((at) => Math.max(0, Math.min(ZOOMS.length - 1, at + step)));
  const shift = (x: number, y: number) => move([left + width / 2 + (x * width) / 6, top + height / 2 + (y * height) / 6]);
  useEffect(() => {
    const place = picture.current;
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      to(event.deltaY < 0 ? 1 : -1);
    };
    place?.addEventListener("wheel", wheel, { passive: false });
    return () => place?.removeEventListener("wheel", wheel);
  }, []);
  const keys = (event: KeyboardEvent) => {
    const moves: Record<string, () => void> = { "+": () => to(1), "=": () => to(1), "-": () => to(-1), ArrowLeft: () => shift(-1, 0), ArrowRight: () => shift(1, 0), ArrowUp: () => shift(0, -1), ArrowDown: () => shift(0, 1) };
    const act = moves[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };
  return <>
    <div class="map-tools">
      <button type="button" class="small" onClick={() => to(1)} disabled={zoom === ZOOMS.length - 1} aria-label="Closer">+</button>
      <button type="button" class="small" onClick={() => to(-1)} disabled={zoom === 0} aria-label="Farther">−</button>
      <span class="note">Area: failures. Ring: somebody got in. Closer with Ctrl and the wheel, or + and −.</span>
    </div>
    {failed && <p class="problem">The outlines of countries could not be loaded.</p>}
    <div class="map-body">
      {data.unknown.addresses > 0 && <Nowhere numbers={data.unknown} />}
      <div class="map-frame" tabIndex={0} role="group" aria-label="Map. Arrow keys move it, plus and minus zoom; the table below has the same numbers" onKeyDown={keys}>
        <svg ref={picture} class="land" viewBox={`${left} ${top} ${width} ${height}`} aria-hidden="true">
          <path class="sea" d={SPHERE} /><path class="grid" d={GRID} /><g class="countries">{land}</g>
          {marks.map((one, n) => <Circle key={`${one.country}${one.city}`} one={one} rank={n} scale={scale} most={most} route={route} />)}
        </svg>
      </div>
    </div>
  </>;
}

function Circle({ one, rank, scale, most, route }: { one: Place; rank: number; scale: number; most: number; route: State }): preact.JSX.Element | null {
  const at = projection([one.lon ?? 0, one.lat ?? 0]);
  if (!at) return null;
  const radius = Math.max(3, LARGEST * Math.sqrt(one.failures / most)) / Math.sqrt(scale);
  const name = one.city ?? format.country(one.country);
  return (
    <g transform={`translate(${at[0].toFixed(1)} ${at[1].toFixed(1)})`} class={`mark-place ${one.broke_in ? "in" : ""}`} onClick={() => go({ filters: { ...route.filters, country: one.country }, view: "ogres" })}>
      <title>{`${name}: ${format.plural(one.failures, "failure")} from ${format.plural(one.addresses, "address", "addresses")}${one.broke_in ? `, ${one.broke_in} got in` : ""}`}</title>
      <circle r={radius} />
      {one.broke_in > 0 && <circle class="ring" r={radius + 4 / scale} stroke-width={3 / scale} />}
      {(rank < 8 || one.broke_in > 0) && <text y={radius + 12 / scale} font-size={11 / Math.sqrt(scale)}>{name}</text>}
    </g>
  );
}

/** Private addresses and those that the database does not know: beside the map, and never at 0° 0°. */
function Nowhere({ numbers }: { numbers: Numbers }): preact.JSX.Element {
  return (
    <div class={`nowhere ${numbers.broke_in ? "in" : ""}`}>
      <b>{format.plural(numbers.addresses, "address", "addresses")} without a place</b>
      <p>{format.count(numbers.failures)} failed, {format.count(numbers.successes)} in{numbers.broke_in > 0 && <GotIn text={`${numbers.broke_in} got in by guessing`} />}</p>
      <p class="note">Private, or not in the database.</p>
    </div>
  );
}

function PlaceTable({ data }: { data: Places }): preact.JSX.Element {
  const rows = [...data.places].sort((a, b) => Number(b.broke_in > 0) - Number(a.broke_in > 0) || b.failures - a.failures);
  return (
    <div class="scroll tall">
      <table id="places">
        <thead><tr><th scope="col">Country</th><th scope="col" class="number">Addresses</th><th scope="col" class="number">Failed</th><th scope="col" class="number">Successful</th><th scope="col" class="number">Got in</th></tr></thead>
        <tbody>
          {rows.map((one) => (
            <tr key={`${one.country}${one.city}`} data-row class={one.broke_in ? "breached" : ""}>
              <th scope="row"><Value field="country" value={one.country}><span class="code">{one.country}</span> {format.country(one.country)}{one.city && `, ${one.city}`}</Value></th>
              <td class="number">{format.count(one.addresses)}</td><td class="number">{format.count(one.failures)}</td><td class="number">{format.count(one.successes)}</td><td class="number">{one.broke_in ? format.count(one.broke_in) : ""}</td>
            </tr>
          ))}
          <tr><th scope="row">Without a place</th><td class="number">{format.count(data.unknown.addresses)}</td><td class="number">{format.count(data.unknown.failures)}</td><td class="number">{format.count(data.unknown.successes)}</td><td class="number">{data.unknown.broke_in || ""}</td></tr>
        </tbody>
      </table>
      {data.truncated && <p class="note">The first {format.count(rows.length)}; there are more.</p>}
    </div>
  );
}
