// Formats values for people.

const number = new Intl.NumberFormat("en");
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const regions = new Intl.DisplayNames("en", { type: "region" });
const UTC = { timeZone: "UTC" };
const clock = new Intl.DateTimeFormat("en-GB", { ...UTC, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { ...UTC, day: "numeric", month: "short" });

export const count = (value) => number.format(value);

export const rate = (value) => (value === null ? "none" : percent.format(value));

export function country(code) {
  try {
    return code ? regions.of(code) : "Unknown";
  } catch {
    return code;
  }
}

/** The time in UTC, with the date unless it is today, for a column whose head names the zone. */
export function time(iso) {
  const moment = new Date(iso);
  const today = day.format(moment) === day.format(new Date());
  return today ? clock.format(moment) : `${day.format(moment)}, ${clock.format(moment)}`;
}

/** The time with its zone. */
export const zoned = (iso) => `${time(iso)} UTC`;

/** The first `most` of some names, and how many more there are. */
export function names(list, total, more, most) {
  const shown = list.slice(0, most);
  const rest = total - shown.length;
  const others = rest > 0 ? ` and ${more ? "at least " : ""}${count(rest)} more` : more ? " and more" : "";
  return shown.join(", ") + others;
}
