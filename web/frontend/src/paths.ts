// The paths that more than one view asks, so that all share one answer, and the stream knows what it renews.

import { chosen, query } from "./api";
import { type State, spanOf } from "./state";

export const ratioPath = (state: State, by: string, limit = by === "service" ? 100 : 8) => query("auth/ratio", { by, limit, ...chosen(state) });
export function seriesPath(state: State): string {
  const { since, until } = spanOf(state);
  const minutes = Math.ceil((until - since) / 60_000);
  const step = [1, 5, 15, 60, 360, 1440].find((one) => minutes / one <= 360) ?? 1440;
  return query("auth/series", { by: "service", step: step % 60 ? `${step}m` : `${step / 60}h`, ...chosen(state) });
}
/** The addresses of the chosen time, those that got in first: for the breach bar, whatever the filters are. */
export const breachPath = (state: State) => query("attackers", { ...chosen({ ...state, filters: {} }), limit: 50 });
export const topPath = (state: State) => query("attackers", { ...chosen(state), limit: 50 });

/** Whether the event stream brings the answer of `breachPath`: it is asked with the filters that are chosen. */
export const breachStreamed = (state: State) => !Object.keys(state.filters).length;
