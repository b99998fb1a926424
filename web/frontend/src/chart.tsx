// Charts over time by uPlot (https://github.com/leeoniya/uPlot). Each is a picture of numbers that stand beside it as a table.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import * as format from "./format";
import { go } from "./state";
import { useSignal } from "./signal";
import { colour, theme } from "./theme";

export interface Curve {
  label: string;
  values: (number | null)[];
  kind: "success" | "failure" | "rate" | "quiet";
  bars?: boolean;
  /** What is said of it under the pointer where that is not what is drawn, as the sum of a stack. */
  told?: number[];
}

interface Props {
  /** Epoch seconds, ascending. */
  times: number[];
  curves: Curve[];
  /** Seconds from one time to the next. */
  step: number;
  height?: number;
  /** The highest value of the axis; by the data when it is left out. */
  most?: number;
  label: string;
  show?: (value: number) => string;
  /** The chosen times are put into the address bar, unless this takes them. */
  picked?: (from: string, to: string) => void;
}

const iso = (time: number) => new Date(Math.round(time) * 1000).toISOString().replace(".000Z", "Z");

export function TimeChart(props: Props): preact.JSX.Element {
  const { times, curves, height = 180, label } = props;
  const box = useRef<HTMLDivElement>(null);
  const note = useRef<HTMLParagraphElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const look = useSignal(theme);
  const zone = useSignal(format.zone);
  const shape = curves.map((curve) => curve.kind + curve.label).join();
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const build = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(latest, place.clientWidth, height, note), data(latest.current), place);
    };
    build();
    const resized = new ResizeObserver(() => place.clientWidth && plot.current?.setSize({ width: place.clientWidth, height }));
    resized.observe(place);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", build);
    return () => {
      resized.disconnect();
      scheme.removeEventListener("change", build);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, look, zone, height, props.step]);
  useEffect(() => {
    if (document.hidden) return;
    const frame = requestAnimationFrame(() => plot.current?.setData(data(latest.current)));
    return () => cancelAnimationFrame(frame);
  }, [times, curves]);
  return (
    <div class="chart">
      <div ref={box} role="img" aria-label={label} style={{ height: `${height}px` }} />
      <p ref={note} class="chart-note" aria-hidden="true">Drag over the chart to choose a time. All times {format.zoneName()}.</p>
    </div>
  );
}

const data = ({ times, curves }: Props): uPlot.AlignedData => [times, ...curves.map((curve) => curve.values)] as uPlot.AlignedData;

function options(latest: { current: Props }, width: number, height: number, note: { current: HTMLElement | null }): uPlot.Options {
  const { curves, step, most } = latest.current;
  const text = colour("quiet-text");
  const grid = { stroke: colour("line"), width: 1 };
  const font = "11px system-ui, sans-serif";
  const first = note.current?.textContent ?? "";
  return {
    width: Math.max(width, 50),
    height,
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { drag: { x: true, y: false, setScale: false }, y: false, points: { show: false } },
    scales: {
      x: { time: true, range: (_, low, high) => [low - step / 2, Math.max(high, low + step) + step / 2] },
      y: { range: (_, __, high) => [0, most ?? Math.max(1, high * 1.05)] },
    },
    series: [{}, ...curves.map(series)],
    axes: [
      { stroke: text, grid: { show: false }, ticks: grid, font, size: 28, space: 60, values: (_, at) => at.map(clock(latest)) },
      { stroke: text, grid, ticks: { show: false }, font, size: 46, space: 32, values: (_, at) => at.map((v) => latest.current.show ? latest.current.show(v) : Number.isInteger(v) ? format.short(v) : "") },
    ],
    hooks: {
      setSelect: [(u) => choose(u, latest.current)],
      setCursor: [(u) => note.current && tell(u, note.current, latest.current, first)],
    },
  };
}

const clock = (latest: { current: Props }) => (at: number) => {
  const { times } = latest.current;
  const long = (times.at(-1) ?? 0) - (times[0] ?? 0) > 2 * 86_400;
  return long ? format.day(at * 1000) : format.minute(at * 1000);
};

function series(curve: Curve): uPlot.Series {
  const stroke = colour(curve.kind === "rate" ? "link" : curve.kind);
  if (!curve.bars) return { label: curve.label, stroke, width: 2, points: { show: (u) => (u.data[0]?.length ?? 0) < 3, size: 5 }, spanGaps: false };
  const bars = uPlot.paths.bars?.({ size: [0.86, 60], align: 0 });
  const fill = curve.kind === "failure" ? (u: uPlot) => hatched(u.ctx, stroke, colour("hatch")) : stroke;
  return { label: curve.label, width: 0, fill, points: { show: false }, ...(bars && { paths: bars }) };
}

/** Failures are hatched, so that colour is not all that tells them from successes. */
function hatched(context: CanvasRenderingContext2D, back: string, line: string): CanvasPattern | string {
  const tile = new OffscreenCanvas(6, 6);
  const draw = tile.getContext("2d");
  if (!draw) return back;
  draw.fillStyle = back;
  draw.fillRect(0, 0, 6, 6);
  draw.strokeStyle = line;
  draw.lineWidth = 1.5;
  for (const at of [-6, 0, 6]) {
    draw.beginPath();
    draw.moveTo(at, 6);
    draw.lineTo(at + 6, 0);
    draw.stroke();
  }
  return context.createPattern(tile, "repeat") ?? back;
}

function choose(u: uPlot, props: Props): void {
  if (u.select.width < 4) return;
  const [from, to] = [iso(u.posToVal(u.select.left, "x")), iso(u.posToVal(u.select.left + u.select.width, "x"))];
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (from < to) (props.picked ?? ((since, until) => go({ from: since, to: until })))(from, to);
}

function tell(u: uPlot, note: HTMLElement, props: Props, otherwise: string): void {
  const at = u.cursor.idx;
  const time = at === null || at === undefined ? undefined : props.times[at];
  if (at === null || at === undefined || time === undefined) return void (note.textContent = otherwise);
  const parts = props.curves.map((curve) => {
    const value = (curve.told ?? curve.values)[at];
    return `${value === null || value === undefined ? "none" : (props.show ?? format.count)(value)} ${curve.label}`;
  });
  note.textContent = `${format.zoned(time * 1000)}: ${parts.join(", ")}`;
}
