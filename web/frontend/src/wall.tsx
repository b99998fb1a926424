// The Wall: attackers as ogres before it, and those that got in in front of it, in red. The table beside it says the same.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { paused } from "./api";
import * as format from "./format";
import { FRAMES, Sprites } from "./ogre";
import { type Figure, type Scene, arrange, at } from "./scene";
import { useSignal } from "./signal";
import { type State, go, spanOf } from "./state";
import { colour, theme } from "./theme";
import type { Attacker, Attackers } from "./types";
import { Columns } from "./widgets";

const RATE = 125; // milliseconds a frame while somebody moves
const PLATES = 14;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

export function Wall({ route, data }: { route: State; data: Attackers }): preact.JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, sized] = useState(0);
  const [active, activate] = useState<string | null>(null);
  const [hovered, hover] = useState<string | null>(null);
  const by = route.rest["lanes"] === "network" ? "network" : "country";
  const zone = useSignal(format.zone);
  const look = useSignal(theme);
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const watch = new ResizeObserver(() => sized(Math.floor(place.clientWidth)));
    watch.observe(place);
    return () => watch.disconnect();
  }, []);
  const scene = useMemo(() => {
    if (!width) return null;
    const { since, until } = spanOf(route);
    return arrange(data.attackers, by, until, until - since, width);
  }, [data, by, width, route.window, route.from, route.to]);
  const marked = hovered ?? active;
  useDrawing(canvas, scene, marked, route, `${look} ${zone}`);
  const options = useMemo(() => [...(scene?.figures ?? [])].reverse().sort((a, b) => Number(b.one.broke_in) - Number(a.one.broke_in) || b.one.failures - a.one.failures), [scene]);
  const figure = scene?.figures.find((one) => one.one.address === marked);
  const find = (event: MouseEvent) => scene && at(scene, event.offsetX, event.offsetY);
  const inside = data.attackers.filter((one) => one.broke_in).length;
  return <>
    <p class="wall-line">
      <span class="note">{summary(data, scene)}</span>
      <span class="grow" />
      <label class="choose">Lanes <select value={by} onChange={(event) => go({ rest: { ...route.rest, lanes: event.currentTarget.value === "network" ? "network" : "" } })}><option value="country">by country</option><option value="network">by network</option></select></label>
    </p>
    <div ref={box} class="scene" style={{ height: scene ? `${scene.height}px` : "400px" }}>
      <Options figures={options} active={active} activate={activate} inside={inside} />
      <canvas ref={canvas} aria-hidden="true" class={figure ? "on" : ""}
        onMouseMove={(event) => hover(find(event)?.one.address ?? null)} onMouseLeave={() => hover(null)}
        onClick={(event) => { const hit = find(event); if (hit) go({ address: hit.one.address }); }} />
      {figure && scene && <Plate figure={figure} scene={scene} />}
    </div>
    <Legend />
  </>;
}

function summary(data: Attackers, scene: Scene | null): string {
  if (!scene) return "";
  const drawn = scene.figures.length;
  const rest = [scene.dots.length && `${format.plural(scene.dots.length, "smaller one")} as dots`, data.total > data.attackers.length && `${format.count(data.total - data.attackers.length)} not drawn, the quietest`].filter(Boolean);
  return `${format.count(drawn)} of ${format.plural(data.total, "address", "addresses")} as ogres${rest.length ? `, ${rest.join(", ")}` : ""}.`;
}

/** The same scene for the keyboard and for those who hear it. */
function Options({ figures, active, activate, inside }: { figures: Figure[]; active: string | null; activate: (address: string | null) => void; inside: number }): preact.JSX.Element {
  const index = figures.findIndex((figure) => figure.one.address === active);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -1e6, End: 1e6 }[event.key];
    if (event.key === "Enter" && active) return go({ address: active });
    if (!step) return;
    event.preventDefault();
    activate(figures[Math.max(0, Math.min(figures.length - 1, index + step))]?.one.address ?? null);
  };
  return (
    <ul class="options" role="listbox" tabIndex={0} aria-label={`Ogres before the wall, ${format.count(inside)} inside`} onKeyDown={move}
      aria-activedescendant={index >= 0 ? `ogre-${index}` : undefined} onFocus={() => active ?? activate(figures[0]?.one.address ?? null)} onBlur={() => activate(null)}>
      {figures.map((figure, n) => (
        <li key={figure.one.address} id={`ogre-${n}`} role="option" aria-selected={n === index}>{sentence(figure.one)}</li>
      ))}
    </ul>
  );
}

const sentence = (one: Attacker) => `${one.address}, ${format.country(one.country)}, ${format.plural(one.failures, "failure")}${one.broke_in ? ", got in" : one.successes ? `, ${format.plural(one.successes, "success", "successes")}` : ""}`;

function Plate({ figure, scene }: { figure: Figure; scene: Scene }): preact.JSX.Element {
  const { one } = figure;
  const left = Math.max(4, Math.min(scene.width - 264, figure.x - 130));
  const above = figure.y - figure.size - 150 > 0;
  return (
    <div class="plate" style={{ left: `${left}px`, top: `${above ? figure.y - figure.size - 148 : Math.min(figure.y + 12, scene.height - 130)}px` }}>
      <b>{one.address}</b> {one.broke_in && <b class="breach-word">got in</b>}
      <p>{format.country(one.country)}{one.as?.name && `, ${one.as.name}`}</p>
      <p>{format.plural(one.failures, "failure")}, {format.plural(one.successes, "success", "successes")}; last {format.zoned(one.last_seen)}</p>
      <p class="clip">{format.names(one.users, one.user_count, one.users_more, 3)}</p>
      {one.rate && <Columns values={one.rate} />}
    </div>
  );
}

const Legend = () => (
  <ul class="wall-legend" aria-label="How to read it">
    <li><b>Area</b> failures</li>
    <li><b>Height</b> last seen: the nearer to the wall, the fresher</li>
    <li><b>Club swinging</b> tried within 90 s</li>
    <li><b>Grey, eyes shut</b> nothing for 15 min</li>
    <li><b class="breach-word">Red, in front of the wall</b> guessed and got in</li>
    <li><b>Dot</b> a small one of the crowd</li>
  </ul>
);

/** Keeps the canvas as the scene is: what stands still is one picture, and frames copy only who moves. */
function useDrawing(canvas: { current: HTMLCanvasElement | null }, scene: Scene | null, marked: string | null, route: State, look: string): void {
  const still = useSignal(paused);
  const kept = useRef<{ scene: Scene; look: string; back: OffscreenCanvas; sprites: Sprites } | null>(null);
  const sprites = useRef<{ look: string; made: Sprites } | null>(null);
  useEffect(() => {
    const place = canvas.current;
    const context = place?.getContext("2d");
    if (!place || !context || !scene) return;
    const density = Math.min(2, devicePixelRatio || 1);
    place.width = scene.width * density;
    place.height = scene.height * density;
    place.style.width = `${scene.width}px`;
    place.style.height = `${scene.height}px`;
    const key = `${look} ${density} ${matchMedia("(prefers-color-scheme: dark)").matches}`;
    if (sprites.current?.look !== key) sprites.current = { look: key, made: new Sprites(palette(), density) };
    if (kept.current?.scene !== scene || kept.current.look !== key) kept.current = { scene, look: key, sprites: sprites.current.made, back: background(scene, sprites.current.made, density) };
    const { back, sprites: pictures } = kept.current;
    let frame = 0;
    const draw = () => {
      const begin = performance.now();
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, place.width, place.height);
      context.drawImage(back, 0, 0);
      context.setTransform(density, 0, 0, density, 0, 0);
      drawMoving(context, scene, pictures, frame++);
      drawPlates(context, scene, marked);
      performance.clearMeasures("wall");
      performance.measure("wall", { start: begin, end: performance.now() });
    };
    draw();
    if (still || route.from || STILL.matches || !scene.figures.some((figure) => figure.pose === "moving")) return;
    let seen = true;
    const sight = new IntersectionObserver(([entry]) => (seen = entry?.isIntersecting ?? true));
    sight.observe(place);
    const timer = setInterval(() => seen && !document.hidden && requestAnimationFrame(draw), RATE);
    return () => {
      clearInterval(timer);
      sight.disconnect();
    };
  }, [scene, marked, still, look]);
}

const palette = () => ({
  skin: colour("ogre"), shade: colour("ogre-shade"), asleep: colour("ogre-asleep"), asleepShade: colour("ogre-asleep-shade"),
  inside: colour("ogre-in"), insideShade: colour("ogre-in-shade"), club: colour("ogre-club"), tusk: colour("ogre-tusk"), eye: colour("ogre-eye"),
});

function background(scene: Scene, sprites: Sprites, density: number): OffscreenCanvas {
  const picture = new OffscreenCanvas(Math.max(1, scene.width * density), Math.max(1, scene.height * density));
  const g = picture.getContext("2d");
  if (!g) return picture;
  g.scale(density, density);
  const [text, quiet, line] = [colour("text"), colour("quiet-text"), colour("line")];
  g.fillStyle = colour("field");
  g.fillRect(0, scene.top, scene.width, scene.wall - scene.top);
  g.strokeStyle = line;
  g.font = "12px system-ui, sans-serif";
  for (const { name, count, left, width } of scene.lanes) {
    g.beginPath();
    g.moveTo(left, scene.top);
    g.lineTo(left, scene.wall);
    g.stroke();
    g.fillStyle = text;
    g.fillText(clipped(g, `${name} ${format.count(count)}`, width - 8), left + 5, scene.top - 9);
  }
  for (const { y, age } of scene.marks) {
    g.beginPath();
    g.moveTo(0, y);
    g.lineTo(scene.width, y);
    g.stroke();
    g.fillStyle = quiet;
    g.fillText(age ? `${age % 3_600_000 ? `${Math.round(age / 60_000)} min` : format.duration(age)} ago` : "now", 4, y - 4);
  }
  g.fillStyle = quiet;
  for (const { x, y } of scene.dots) {
    g.beginPath();
    g.arc(x, y, 1.8, 0, 7);
    g.fill();
  }
  for (const { pose, x, y, size } of scene.figures) if (pose !== "moving" && pose !== "in") sprites.draw(g, x, y, size, pose, 0);
  drawWall(g, scene);
  return picture;
}

function drawWall(g: OffscreenCanvasRenderingContext2D, scene: Scene): void {
  const { wall, foot, width, height } = scene;
  g.fillStyle = colour("stone");
  for (let x = 0; x < width; x += 44) g.fillRect(x, wall - 8, 24, 9);
  g.fillRect(0, wall, width, foot - wall);
  g.strokeStyle = colour("stone-joint");
  g.beginPath();
  g.moveTo(0, wall + 13);
  g.lineTo(width, wall + 13);
  for (let x = 0; x < width; x += 44) {
    g.moveTo(x + 0.5, wall);
    g.lineTo(x + 0.5, wall + 13);
    g.moveTo(x + 22.5, wall + 13);
    g.lineTo(x + 22.5, foot);
  }
  g.stroke();
  const inside = scene.figures.filter((figure) => figure.pose === "in").length + scene.hidden;
  g.fillStyle = colour(inside ? "breach-back" : "raised");
  g.fillRect(0, foot, width, height - foot);
  g.font = "650 12px system-ui, sans-serif";
  label(g, "The Wall: nobody above this line has got in", 10, wall + 17, colour("stone"), colour("stone-text"));
  const words = inside ? `Inside: ${format.count(inside)}${scene.hidden ? `, ${format.count(scene.hidden)} of them only in the table` : ""}` : "Inside: nobody who guessed";
  label(g, words, 10, foot + 18, "transparent", colour(inside ? "breach-text" : "quiet-text"));
}

function label(g: OffscreenCanvasRenderingContext2D, words: string, x: number, y: number, back: string, front: string): void {
  g.fillStyle = back;
  g.fillRect(x - 4, y - 12, g.measureText(words).width + 8, 16);
  g.fillStyle = front;
  g.fillText(words, x, y);
}

function drawMoving(g: CanvasRenderingContext2D, scene: Scene, sprites: Sprites, frame: number): void {
  for (const { pose, x, y, size, one } of scene.figures) {
    if (pose === "moving") sprites.draw(g, x, y, size, pose, frame + (one.address.length * 3 + Math.floor(x)) % FRAMES);
    else if (pose === "in") sprites.draw(g, x, y, size, pose, 0);
  }
}

/** Names under all who got in, and under the largest others, where they do not cover one another. */
function drawPlates(g: CanvasRenderingContext2D, scene: Scene, marked: string | null): void {
  const [text, quiet, breach, back] = [colour("text"), colour("quiet-text"), colour("breach-text"), colour("field")];
  const taken: [number, number][] = [];
  const largest = scene.figures.filter((figure) => figure.pose !== "in").sort((a, b) => b.size - a.size);
  g.textAlign = "center";
  for (const { x, y, size, one, pose } of scene.figures) {
    if (pose === "in") {
      g.fillStyle = colour("breach");
      g.font = "800 20px system-ui, sans-serif";
      g.fillText("!", x + size * 0.42, y - size * 0.86);
      g.fillStyle = breach;
      g.font = "700 12px system-ui, sans-serif";
      g.fillText(clipped(g, one.address, 150), x, y + 15);
      g.font = "12px system-ui, sans-serif";
      g.fillText(`${format.short(one.failures)} failed, ${format.short(one.successes)} in`, x, y + 29);
    }
    if (one.address === marked) {
      g.strokeStyle = text;
      g.lineWidth = 2;
      g.strokeRect(x - size * 0.45, y - size * 1.02, size * 0.9, size * 1.06);
    }
  }
  g.font = "600 11px system-ui, sans-serif";
  for (const { x, y, one } of largest) {
    if (taken.length >= Math.min(PLATES, scene.width / 90)) break;
    const name = clipped(g, one.address, 140);
    const half = g.measureText(name).width / 2 + 4;
    const at = Math.max(half, Math.min(scene.width - half, x));
    const line = Math.min(y + 12, scene.wall - 10);
    if (taken.some(([left, top]) => Math.abs(left - at) < half * 2 && Math.abs(top - line) < 16)) continue;
    taken.push([at, line]);
    g.fillStyle = back;
    g.globalAlpha = 0.8;
    g.fillRect(at - half, line - 10, half * 2, 14);
    g.globalAlpha = 1;
    g.fillStyle = text;
    g.fillText(name, at, line);
  }
  g.textAlign = "left";
  g.fillStyle = quiet;
}

function clipped(g: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, text: string, width: number): string {
  const words = format.visible(text);
  if (g.measureText(words).width <= width) return words;
  let end = Math.min(words.length, 60);
  while (end > 1 && g.measureText(`${words.slice(0, end)}…`).width > width) end--;
  return `${words.slice(0, end)}…`;
}
