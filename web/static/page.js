// Shows what the part of the address after # asks for, and refreshes it every two seconds while the page is visible.

import * as api from "./api.js";
import { showDetail } from "./detail.js";
import { byId, element, say } from "./dom.js";
import * as format from "./format.js";
import { showAttackers, showLogins } from "./tables.js";

const PAUSE = 2000; // milliseconds
const WINDOWS = ["5m", "1h", "24h"];

let timer;
let round = 0; // answers to requests of an earlier round are dropped

function chosen() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const window = parameters.get("window");
  return { window: WINDOWS.includes(window) ? window : "1h", address: parameters.get("address") };
}

function link(address, window = chosen().window) {
  const parameters = new URLSearchParams({ window });
  if (address) parameters.set("address", address);
  return `#${parameters}`;
}

async function refresh() {
  clearTimeout(timer);
  const mine = ++round;
  const { window, address } = chosen();
  const shown = (asked, show) => asked.then((answer) => {
    if (mine === round) show(answer);
    return answer;
  });
  const answers = await Promise.allSettled([
    shown(api.ratio(window), showLogins),
    shown(api.attackers(window), (answer) => showAttackers(answer, link)),
    address && shown(api.attacker(address, window), (answer) => showDetail(address, answer)),
    shown(api.health(), showHealth),
  ]);
  if (mine !== round) return;
  const failed = answers.find((answer) => answer.status === "rejected")?.reason;
  showNotice(failed, answers.slice(0, 3).map((answer) => answer.value?.partitions).filter(Boolean));
  if (answers[3].status === "rejected") showHealth(null);
  if (!document.hidden) timer = setTimeout(refresh, PAUSE);
}

function showHealth(health) {
  const ok = health?.status === "ok";
  const pill = byId("health");
  pill.classList.toggle("ok", ok);
  pill.classList.toggle("amiss", !ok);
  say(pill, ok ? "Healthy" : health ? `Degraded: ${ailments(health)}` : "Not connected");
  say(byId("newest"), health?.newest ? `; newest event ${format.zoned(health.newest)}` : "");
}

function ailments({ kafka, partitions }) {
  const found = [];
  if (!kafka.reachable) found.push("Kafka does not answer");
  if (!partitions) found.push("no count worker answers");
  else if (partitions.missing.length) found.push("some counts are missing");
  return found.join(", ");
}

function showNotice(failed, partitions) {
  const missing = [...new Set(partitions.flatMap((part) => part.missing))].sort((a, b) => a - b);
  document.body.classList.toggle("stale", Boolean(failed));
  let text = "";
  if (failed) text = `${failed.message} What is shown may be out of date.`;
  else {
    say(byId("refreshed"), format.zoned(new Date().toISOString()));
    if (missing.length) text = `The numbers are too low: partitions ${missing.join(", ")} of ${partitions[0].of} do not answer.`;
  }
  byId("notice").hidden = !text;
  say(byId("notice"), text);
}

function follow(event) {
  const { window, address } = chosen();
  const detail = byId("detail");
  const before = byId("detail-title").textContent;
  const opens = address && before !== address;
  document.querySelector(`input[value="${window}"]`).checked = true;
  byId("close").href = link(null);
  detail.hidden = !address;
  if (opens) {
    say(byId("detail-title"), address);
    say(byId("detail-note"), "Asking");
    byId("detail-body").hidden = true;
  }
  if (!address) say(byId("detail-title"), "");
  if (!address && before) focusRow(before);
  if (opens && event) byId("detail-title").focus();
  refresh();
}

/** After an address is closed the focus goes back to its row, or to the title of the table when the row is gone. */
function focusRow(address) {
  const row = [...byId("attackers").tBodies[0].rows].find((one) => one.dataset.key === address);
  (row?.querySelector("a") ?? byId("attackers-title")).focus();
}

function close(event) {
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (event.key === "Escape" && !modified && !event.defaultPrevented && chosen().address) location.hash = link(null);
}

async function showAttribution() {
  const { geoip, you } = await api.about();
  byId("logout").hidden = !you;
  if (you) say(byId("you"), you.name);
  if (!geoip) return;
  for (const source of [geoip, geoip.asn].filter(Boolean)) {
    const words = source.link ? element("a", { href: source.link, rel: "noreferrer" }, source.attribution) : source.attribution;
    byId("attribution").append("Countries and networks: ", words, `, as of ${source.built}. `);
  }
}

byId("windows").addEventListener("change", (event) => {
  location.hash = link(chosen().address, event.target.value);
});
addEventListener("hashchange", follow);
addEventListener("keydown", close);
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
follow();
showAttribution().catch((error) => say(byId("attribution"), error.message));
