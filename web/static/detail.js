// Shows one address: its facts, and a chart of the minutes in which it tried.

import { byId, element, say, shape } from "./dom.js";
import * as format from "./format.js";

const MINUTE = 60_000;
const MOST_BARS = 72;

export function showDetail(address, answer) {
  say(byId("detail-title"), address);
  say(byId("detail-note"), note(answer?.attacker));
  byId("detail-body").hidden = !answer;
  if (answer) {
    showFacts(answer.attacker);
    showChart(answer);
  }
}

function note(attacker) {
  if (!attacker) return "Nothing is known of it in this window.";
  if (!attacker.failures) return "It has not failed in this window.";
  if (!attacker.successes) return "It has not got in.";
  const last = attacker.minutes.findLast((at) => at.successes);
  return last ? `It got in: ${format.count(attacker.successes)} successful, the last in the minute from ${format.zoned(last.minute)}.` : "It got in.";
}

function showFacts(attacker) {
  const facts = [
    ["Country", format.country(attacker.country)],
    ["Failures", format.count(attacker.failures)],
    ["Successes", format.count(attacker.successes)],
    ["Users tried", format.names(attacker.users, attacker.user_count, attacker.users_more, 20)],
    ["Hosts hit", format.names(attacker.hosts, attacker.host_count, attacker.hosts_more, 20)],
    ["First seen", format.zoned(attacker.first_seen)],
    ["Last seen", format.zoned(attacker.last_seen)],
  ];
  const made = facts.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]);
  byId("facts").replaceChildren(...made);
}

function showChart({ window, attacker }) {
  const since = Date.parse(window.since);
  const minutes = (Date.parse(window.until) - since) / MINUTE;
  const width = Math.ceil(minutes / MOST_BARS); // minutes a bar
  const bars = collect(attacker.minutes, since, width);
  const highest = Math.max(1, ...[...bars.values()].map((bar) => bar.successes + bar.failures));
  byId("chart").replaceChildren(drawing(bars, Math.ceil(minutes / width), highest, attacker));
  byId("chart-caption").replaceChildren(...caption(window, width, highest));
}

function collect(minutes, since, width) {
  const bars = new Map();
  for (const { minute, successes, failures } of minutes) {
    const at = Math.floor((Date.parse(minute) - since) / MINUTE / width);
    const bar = bars.get(at) ?? { successes: 0, failures: 0 };
    bars.set(at, { successes: bar.successes + successes, failures: bar.failures + failures });
  }
  return bars;
}

function drawing(bars, total, highest, attacker) {
  const label = `Minutes of ${attacker.address}: ${attacker.failures} failures, ${attacker.successes} successes`;
  const svg = shape("svg", {
    class: "minutes",
    viewBox: `0 0 ${total} ${highest}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": label,
  });
  for (const [at, { successes, failures }] of bars) {
    svg.append(shape("rect", { class: "failure", x: at + 0.1, y: highest - failures, width: 0.8, height: failures }));
    if (!successes) continue;
    const height = Math.max(successes, highest / 20); // one success among hundreds of failures must be seen
    const top = Math.max(0, highest - failures - height);
    svg.append(shape("rect", { class: "success", x: at + 0.1, y: top, width: 0.8, height }));
  }
  return svg;
}

function caption(window, width, highest) {
  const each = width === 1 ? "a minute" : `${width} minutes`;
  return [
    `From ${format.time(window.since)} to ${format.zoned(window.until)}; a bar is ${each}, the highest ${format.count(highest)} attempts. `,
    key("failure"), " failed ", key("success"), " successful, on top",
  ];
}

function key(name) {
  const svg = shape("svg", { class: `key`, viewBox: "0 0 1 1", "aria-hidden": "true" });
  svg.append(shape("rect", { class: name, width: 1, height: 1 }));
  return svg;
}
