// Light, dark, or as the system: kept in this browser.

import { say } from "./announce";
import { signal } from "./signal";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const kept = localStorage.getItem("theme");
export const theme = signal<Theme>(THEMES.find((name) => name === kept) ?? "system");

function apply(): void {
  if (theme.value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
}

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
  localStorage.setItem("theme", theme.value);
  apply();
  say(`Colours: ${theme.value}`, true);
}

apply();

const probe = document.createElement("span");
probe.hidden = true;

/** A colour of the style sheet in the form that a canvas takes. */
export function colour(name: string): string {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
