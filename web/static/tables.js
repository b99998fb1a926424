// Fills the two tables of the page from answers of the API.

import { byId, cells, element, rows, say, shape } from "./dom.js";
import * as format from "./format.js";

const LONGEST_ADDRESS = 45; // characters of an IPv6 address; longer ones are host names, which may wrap

export function showLogins({ rows: services, total }) {
  const items = services.length > 1 ? [...services, { ...total, name: "All" }] : services;
  rows(byId("logins").tBodies[0], items, (row) => row.name, fillLogin);
  showEmpty("logins", items);
}

export function showAttackers({ attackers, total, broke_in_total: breaches }, link) {
  rows(byId("attackers").tBodies[0], attackers, (row) => row.address, (row, item) => fillAttacker(row, item, link));
  showEmpty("attackers", attackers);
  const extent = `${format.count(attackers.length)} of ${format.count(total)} addresses; ${format.count(breaches)} got in by guessing`;
  say(byId("extent"), total ? `${extent}${breaches ? ", listed first" : ""}.` : "");
}

function showEmpty(id, items) {
  byId(id).hidden = !items.length;
  byId(id).nextElementSibling.hidden = items.length > 0;
}

function fillLogin(row, item) {
  const texts = [item.name, format.count(item.success), format.count(item.failure), format.count(item.unknown)];
  cells(row, loginCells, [...texts, format.rate(item.ratio)]);
  const [good, bad] = row.querySelectorAll("rect");
  const share = 100 * (item.ratio ?? 0);
  good.setAttribute("width", share);
  bad.setAttribute("x", share);
  bad.setAttribute("width", item.ratio === null ? 0 : 100 - share);
}

function loginCells() {
  const bar = shape("svg", { class: "share", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  bar.append(shape("rect", { class: "success", height: 10 }), shape("rect", { class: "failure", height: 10 }));
  return [heading(), number(), number(), number("wide"), number(), element("td", { className: "wide bar" }, bar)];
}

function fillAttacker(row, item, link) {
  cells(row, attackerCells, [
    item.address,
    format.country(item.country),
    format.count(item.failures),
    format.count(item.successes),
    format.names(item.users, item.user_count, item.users_more, 4),
    format.names(item.hosts, item.host_count, item.hosts_more, 3),
    format.time(item.first_seen),
    format.time(item.last_seen),
  ]);
  const [anchor, badge] = row.cells[0].children;
  anchor.href = link(item.address);
  badge.hidden = !item.successes;
  row.cells[0].classList.toggle("whole", item.address.length <= LONGEST_ADDRESS);
  row.classList.toggle("breached", item.broke_in);
  row.cells[6].firstElementChild.dateTime = item.first_seen;
  row.cells[7].firstElementChild.dateTime = item.last_seen;
}

function attackerCells() {
  const moment = () => element("td", { className: "wide" }, element("time"));
  const wide = () => element("td", { className: "wide" });
  const badge = element("span", { className: "badge", textContent: "got in" });
  const address = element("th", { scope: "row" }, element("a"), badge);
  return [address, element("td", { className: "words" }), number(), number(), wide(), wide(), moment(), moment()];
}

const heading = () => element("th", { scope: "row" });
const number = (more = "") => element("td", { className: `number ${more}` });
