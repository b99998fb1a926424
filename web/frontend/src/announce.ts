// Says sentences to screen readers: at most one in ten seconds, unless somebody has just asked for it by a key or click.

const PAUSE = 10_000; // milliseconds
let last = 0;
let next = "";
let timer = 0;

export function say(text: string, now = false): void {
  next = text;
  clearTimeout(timer);
  timer = window.setTimeout(speak, now ? 0 : Math.max(0, last + PAUSE - Date.now()));
}

function speak(): void {
  const place = document.getElementById("announcements");
  if (!place || place.textContent === next) return;
  place.textContent = next;
  last = Date.now();
}
