// Values in, words for people out.

const number = new Intl.NumberFormat("en");
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const regions = new Intl.DisplayNames("en", { type: "region" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

export const count = (value) => number.format(value);

export const rate = (value) => (value === null ? "none" : percent.format(value));

export function country(code) {
  try {
    return code ? regions.of(code) : "Unknown";
  } catch {
    return code;
  }
}

/** The time of day where the reader is, with the date unless it is today. */
export function time(iso) {
  const moment = new Date(iso);
  const today = moment.toDateString() === new Date().toDateString();
  return today ? clock.format(moment) : `${day.format(moment)}, ${clock.format(moment)}`;
}

/** Names as far as they are known, and how many there are. */
export function names(list, total, more, most) {
  const shown = list.slice(0, most);
  const rest = total - shown.length;
  const others = rest > 0 ? ` and ${more ? "at least " : ""}${count(rest)} more` : more ? " and more" : "";
  return shown.join(", ") + others;
}
