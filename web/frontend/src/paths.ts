// The paths that more than one view asks, so that all share one answer, and the stream knows what it renews.

import { chosen, query } from "./api";
import type { State } from "./state";

export const ratioPath = (state: State, by: string, limit = by === "service" ? 100 : 8) => query("auth/ratio", { by, limit, ...chosen(state) });
export const seriesPath = (state: State) => query("auth/series", { by: "service", step: "1m", ...chosen(state) });
/** The addresses of the chosen time, those that got in first: for the breach bar, whatever the filters are. */
export const breachPath = (state: State) => query("attackers", { ...chosen({ ...state, filters: {} }), limit: 50 });
export const topPath = (state: State) => query("attackers", { ...chosen(state), limit: 50 });
