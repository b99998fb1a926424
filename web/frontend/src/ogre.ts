// Draws ogres. Each size and pose is drawn one time into a picture of its own, which is then copied.

import type { Pose } from "./scene";

export interface Palette {
  skin: string;
  shade: string;
  asleep: string;
  asleepShade: string;
  inside: string;
  insideShade: string;
  club: string;
  tusk: string;
  eye: string;
}

export const FRAMES = 8;

/** An ogre a hundred units high, its feet at 0,0. `swing` from -1 to 1 is where its club is. */
function ogre(g: OffscreenCanvasRenderingContext2D, colours: Palette, pose: Pose, swing: number): void {
  const [skin, shade] = pose === "in" ? [colours.inside, colours.insideShade] : pose === "asleep" ? [colours.asleep, colours.asleepShade] : [colours.skin, colours.shade];
  const blob = (colour: string, x: number, y: number, rx: number, ry: number) => {
    g.fillStyle = colour;
    g.beginPath();
    g.ellipse(x, y, rx, ry, 0, 0, Math.PI * 2);
    g.fill();
  };
  const shape = (colour: string, path: string) => {
    g.fillStyle = colour;
    g.fill(new Path2D(path));
  };
  blob("rgba(0, 0, 0, .28)", 0, -1, 33, 6);
  shape(shade, "M-21-20h17v18q0 3-4 3h-15q-3 0-2-4zM4-20h17l4 17q0 4-2 4H8q-4 0-4-3z");
  if (pose !== "asleep") {
    g.save();
    g.translate(29, -40);
    g.rotate(pose === "in" ? 0.5 : 0.35 + swing * 0.4);
    shape(colours.club, "M-3 8-8-34q-1-12 8-12t8 12L3 8z");
    g.restore();
  }
  shape(skin, "M-29-12Q-42-66 0-66T29-12Q16-6 0-6T-29-12z");
  shape(skin, pose === "asleep" ? "M-30-50q-10 16-6 34l9 2zM30-50q10 16 6 34l-9 2z" : "M-30-52q-11 12-9 30l9 3zM28-54q11 5 9 15l-9 3z");
  blob(shade, 0, -25, 19, 13);
  shape(skin, "M-18-84-37-93l14 20zM18-84l19-9-14 20z");
  blob(skin, 0, pose === "asleep" ? -72 : -76, 23, 20);
  const drop = pose === "asleep" ? 4 : 0;
  shape(colours.tusk, `M-11 ${-63 + drop}l3-9 4 9zM11 ${-63 + drop}l-3-9-4 9z`);
  g.fillStyle = colours.eye;
  if (pose === "asleep") {
    g.fillRect(-13, -77, 9, 2.5);
    g.fillRect(4, -77, 9, 2.5);
  } else {
    blob(colours.eye, -8, -81, 3.6, 3.6);
    blob(colours.eye, 8, -81, 3.6, 3.6);
    shape(colours.eye, "M-16-90l13 5v3l-13-5zM16-90l-13 5v3l13-5z");
  }
}

/** Pictures of ogres by size, pose and frame, for one palette and density of pixels. */
export class Sprites {
  private readonly made = new Map<string, OffscreenCanvas>();

  constructor(
    private readonly colours: Palette,
    private readonly density: number,
  ) {}

  draw(to: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, x: number, y: number, size: number, pose: Pose, frame: number): void {
    const rounded = Math.max(6, Math.round(size / 2) * 2);
    const turn = pose === "moving" ? frame % FRAMES : 0;
    const key = `${rounded} ${pose} ${turn}`;
    let picture = this.made.get(key);
    if (!picture) this.made.set(key, (picture = this.make(rounded, pose, turn)));
    const [width, height] = [picture.width / this.density, picture.height / this.density];
    to.drawImage(picture, x - width / 2, y - height + rounded * 0.08, width, height);
  }

  private make(size: number, pose: Pose, frame: number): OffscreenCanvas {
    const scale = (size / 100) * this.density;
    const picture = new OffscreenCanvas(Math.ceil(120 * scale), Math.ceil(116 * scale));
    const g = picture.getContext("2d");
    if (!g) return picture;
    g.translate(picture.width / 2, picture.height - 8 * scale);
    g.scale(scale, scale);
    ogre(g, this.colours, pose, Math.sin((frame / FRAMES) * Math.PI * 2));
    return picture;
  }
}
