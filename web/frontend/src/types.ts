// The answers of the API that the page reads; docs/queries.md describes them. Times are ISO 8601 in UTC.

export interface Partitions {
  of: number;
  missing: number[];
}

export interface Span {
  seconds: number;
  since: string;
  until: string;
}

export interface Counts {
  attempts: number;
  success: number;
  failure: number;
  unknown: number;
  ratio: number | null;
}

export interface Ratio {
  window: Span;
  by: string;
  rows: (Counts & { name: string })[];
  total: Counts;
  truncated: boolean;
  partitions?: Partitions;
  source?: string;
}

export interface Series {
  window?: Span;
  step: number;
  times: (string | number)[];
  rows: Record<string, { success: number[]; failure: number[] }>;
  partitions?: Partitions;
  source?: string;
}

export interface Attacker {
  address: string;
  country: string;
  failures: number;
  successes: number;
  users: string[];
  user_count: number;
  users_more: boolean;
  hosts: string[];
  host_count: number;
  hosts_more: boolean;
  first_seen: string;
  last_seen: string;
  broke_in: boolean;
  as?: { number: number; name: string } | null;
  services?: Record<string, number>;
  last_success?: string | null;
  rate?: number[];
}

export interface Attackers {
  window: Span;
  attackers: Attacker[];
  total: number;
  broke_in_total: number;
  partitions?: Partitions;
  source?: string;
}

export interface Minute {
  minute: string;
  successes: number;
  failures: number;
}

export interface Detail {
  window: Span;
  attacker: Attacker & { minutes: Minute[] };
  by_user?: (Counts & { name: string })[];
  by_host?: (Counts & { name: string })[];
  events?: Record<string, unknown>[];
  after_success?: After[];
  network?: { prefix: string; total: number; attackers: Attacker[] };
  store_error?: string | null;
  partitions?: Partitions;
  complete?: boolean;
}

/** What the user of a success did on that host in the quarter of an hour after it. */
export interface After {
  id: string;
  at: string;
  user: string;
  host: string;
  service: string;
  total: number;
  events: Record<string, unknown>[];
}

export interface Health {
  status: string;
  workers?: Record<string, number[]>;
  failures?: Record<string, string>;
  partitions?: Partitions;
  counted?: number;
  late?: number;
  newest?: string | null;
  kafka?: { servers: string; reachable: boolean };
  error?: string;
}

export interface About {
  version: string;
  geoip: (Attribution & { asn?: Attribution | null }) | null;
  you: { name: string; role: string } | null;
  kibana?: string | null;
}

export interface Attribution {
  attribution: string;
  link?: string | null;
  built: string;
}

export interface TailRow {
  id: string;
  "@timestamp": string;
  dataset: string;
  host: string | null;
  user: string | null;
  ip: string | null;
  outcome: string | null;
  message: string | null;
}
