"""Lists everything that Kibana gets from us: data views, dashboards with their panels, saved searches."""

from sinks.elasticsearch.kibana.panels import Dashboard, Panel, Search, Top, Value, View

VIEWS: dict[View, tuple[str, str]] = {
    "logs": ("logs-ogrewatch.*", "Ogrewatch events"),
    "attempts": ("metrics-ogrewatch.auth-*", "Ogrewatch attempts by minute"),
    "alerts": ("alerts-ogrewatch-*", "Ogrewatch alerts"),
}
"""The pattern of indices of each data view, and its name."""

ATTEMPT = "ogrewatch.attempt:>=1"
"""Attempts to log in. One event may stand for several, so that they are added up, never counted."""

_FAILED = f"{ATTEMPT} AND event.outcome:failure"
_LDAP = f"{ATTEMPT} AND ogrewatch.service:ldap"
_RIGHTS = "event.dataset:(sudo OR su OR doas)"
_DENIED = "event.category:network AND event.action:(block OR deny OR drop OR reject)"
_WEB = "event.category:web"
_REFUSED = f"{_WEB} AND http.response.status_code:>=400"
_UNKNOWN = "event.dataset:syslog.unparsed"
_BROKEN = "event.kind:pipeline_error"

_ATTEMPTS = Value("Attempts", "sum", "ogrewatch.attempt")
_FAILURES = Value("Failures", "sum", "ogrewatch.attempt")
_FAILURE_SHARE = Value("Share of failures", "share", "ogrewatch.attempt", "event.outcome:failure")
_USERS = Value("Users", "unique_count", "user.name")
_SOURCES = Value("Addresses", "unique_count", "source.ip")
_HOSTS = Value("Hosts", "unique_count", "host.hostname")
_LAST = Value("Last", "max", "@timestamp")
_ALERTS = Value("Alerts")

_OVERVIEW = Dashboard(
    "Overview",
    "What comes in, from where, and how much of it fails.",
    (
        Panel("metric", "Events", (0, 0, 12, 6)),
        Panel("metric", "Hosts", (12, 0, 12, 6), values=(_HOSTS,)),
        Panel("metric", "Failed logins", (24, 0, 12, 6), _FAILED, values=(_FAILURES,)),
        Panel("metric", "Share of logins that fail", (36, 0, 12, 6), ATTEMPT, values=(_FAILURE_SHARE,)),
        Panel("bar", "Events by dataset", (0, 6, 48, 12), by=(Top("event.dataset", 12),)),
        Panel(
            "table", "Busiest hosts", (0, 18, 24, 14), by=(Top("host.hostname", 20),), values=(Value("Events"), _LAST)
        ),
        Panel("table", "What happens", (24, 18, 24, 14), by=(Top("event.dataset", 15), Top("event.action", 5))),
    ),
)  # fmt: skip
_AUTHENTICATION = Dashboard(
    "Authentication",
    "Who logs in and who fails to, by service: LDAP first.",
    (
        Panel("bar", "LDAP: successes and failures", (0, 0, 24, 12), _LDAP, by=(Top("event.outcome", 3),),
              values=(_ATTEMPTS,)),
        Panel("line", "LDAP: share of failures", (24, 0, 24, 12), _LDAP, values=(_FAILURE_SHARE,)),
        Panel("table", "By service", (0, 12, 24, 14), ATTEMPT, by=(Top("ogrewatch.service", 20),),
              values=(_ATTEMPTS, _FAILURE_SHARE, _USERS, _SOURCES)),
        Panel("table", "Users that fail most", (24, 12, 24, 14), _FAILED, by=(Top("user.name", 25),),
              values=(_FAILURES, _SOURCES, _HOSTS, _LAST)),
        Panel("bar", "Failures by service, from the counted minutes", (0, 26, 24, 12), view="attempts",
              by=(Top("ogrewatch.auth.service", 10),), values=(Value("Failures", "sum", "ogrewatch.auth.failure"),)),
        Panel("bar", "Successes by service, from the counted minutes", (24, 26, 24, 12), view="attempts",
              by=(Top("ogrewatch.auth.service", 10),), values=(Value("Successes", "sum", "ogrewatch.auth.success"),)),
    ),
)  # fmt: skip
_ATTACKERS = Dashboard(
    "Attackers",
    "The addresses that fail most, on the map: the ogres.",
    (
        Panel("map", "Where failed logins come from", (0, 0, 28, 20), _FAILED),
        Panel("table", "Addresses", (28, 0, 20, 20), _FAILED, by=(Top("source.ip", 50),),
              values=(_FAILURES, _USERS, _HOSTS, _LAST)),
        Panel("table", "Addresses that log in, and how often they fail", (0, 20, 48, 10), ATTEMPT,
              by=(Top("source.ip", 50),), values=(_ATTEMPTS, _FAILURE_SHARE, _USERS, _HOSTS)),
        Panel("bar", "Countries", (0, 30, 24, 12), _FAILED, by=(Top("source.geo.country_name", 10),),
              values=(_FAILURES,)),
        Panel("table", "Names tried", (24, 30, 24, 12), _FAILED, by=(Top("user.name", 25),),
              values=(_FAILURES, _SOURCES)),
    ),
)  # fmt: skip
_PRIVILEGE = Dashboard(
    "Privilege",
    "Who becomes somebody else, and what was run.",
    (
        Panel("bar", "sudo, su and doas", (0, 0, 24, 12), f"{_RIGHTS} AND {ATTEMPT}", by=(Top("event.outcome", 3),),
              values=(_ATTEMPTS,)),
        Panel("table", "Who became whom", (24, 0, 24, 12), f"{_RIGHTS} AND {ATTEMPT}",
              by=(Top("user.name", 20), Top("user.effective.name", 3)), values=(_ATTEMPTS, _FAILURE_SHARE, _HOSTS)),
        Panel("table", "Commands", (0, 12, 48, 14), "event.action:sudo_command", by=(Top("process.command_line", 50),),
              values=(Value("Times"), _USERS, _HOSTS, _LAST)),
        Panel("table", "Accounts changed", (0, 26, 48, 10), "event.category:iam",
              by=(Top("event.action", 10), Top("host.hostname", 10)), values=(Value("Changes"), _LAST)),
    ),
)  # fmt: skip
_NETWORK = Dashboard(
    "Network denies",
    "What firewalls turned away.",
    (
        Panel("metric", "Turned away", (0, 0, 12, 12), _DENIED),
        Panel("bar", "By action", (12, 0, 36, 12), _DENIED, by=(Top("event.action", 5),)),
        Panel("table", "Sources", (0, 12, 24, 14), _DENIED, by=(Top("source.ip", 30),),
              values=(Value("Packets"), Value("Ports", "unique_count", "destination.port"), _LAST)),
        Panel("table", "Ports", (24, 12, 24, 14), _DENIED, by=(Top("destination.port", 30),),
              values=(Value("Packets"), _SOURCES)),
        Panel("map", "Where they come from", (0, 26, 28, 18), _DENIED),
        Panel("table", "Firewalls", (28, 26, 20, 18), _DENIED, by=(Top("host.hostname", 20),),
              values=(Value("Packets"), _SOURCES)),
    ),
)  # fmt: skip
_WEB_SERVERS = Dashboard(
    "Web",
    "Requests to web servers, and who is refused.",
    (
        Panel("metric", "Requests", (0, 0, 12, 6), _WEB),
        Panel("metric", "Refused or failed", (0, 6, 12, 6), _REFUSED),
        Panel("bar", "By status", (12, 0, 36, 12), _WEB, by=(Top("http.response.status_code", 8),)),
        Panel("table", "Addresses that are refused most", (0, 12, 24, 14), _REFUSED, by=(Top("source.ip", 30),),
              values=(Value("Requests"), Value("Paths", "unique_count", "url.path"), _LAST)),
        Panel("table", "Paths that are refused", (24, 12, 24, 14), _REFUSED,
              by=(Top("url.path", 25), Top("http.response.status_code", 3)), values=(Value("Requests"), _SOURCES)),
        Panel("table", "Programs that ask", (0, 26, 48, 12), _WEB, by=(Top("user_agent.original", 25),),
              values=(Value("Requests"), _SOURCES)),
    ),
)  # fmt: skip
_ALERT_PAGE = Dashboard(
    "Alerts",
    "What rules found, and what became of it.",
    (
        Panel("metric", "Open", (0, 0, 12, 6), "ogrewatch.alert.status:open", "alerts", values=(_ALERTS,)),
        Panel("metric", "Rules that found something", (0, 6, 12, 6), view="alerts",
              values=(Value("Rules", "unique_count", "rule.id"),)),
        Panel("bar", "By level", (12, 0, 36, 12), view="alerts", by=(Top("ogrewatch.alert.level", 5),),
              values=(_ALERTS,)),
        Panel("table", "Rules", (0, 12, 24, 14), view="alerts", by=(Top("rule.name", 30),),
              values=(_ALERTS, Value("Events", "sum", "ogrewatch.alert.count"), _LAST)),
        Panel("table", "Status", (24, 12, 24, 14), view="alerts",
              by=(Top("ogrewatch.alert.status", 3), Top("rule.name", 10)), values=(_ALERTS, _LAST)),
        Panel("table", "Addresses", (0, 26, 24, 12), view="alerts", by=(Top("related.ip", 25),),
              values=(_ALERTS, Value("Rules", "unique_count", "rule.id"))),
        Panel("table", "Tactics", (24, 26, 24, 12), view="alerts", by=(Top("threat.tactic.name", 15),),
              values=(_ALERTS, Value("Rules", "unique_count", "rule.id"))),
    ),
)  # fmt: skip
_PIPELINE = Dashboard(
    "Pipeline",
    "What was not understood, and which hosts fell silent. Speed and lag are Grafana's.",
    (
        Panel("bar", "Events by kind", (0, 0, 24, 12), by=(Top("event.kind", 5),)),
        Panel("table", "Hosts that have been silent longest", (24, 0, 24, 12),
              by=(Top("host.hostname", 30, ascending=True),), values=(_LAST, Value("Events"))),
        Panel("bar", "Lines of programs that no stream knows", (0, 12, 24, 12), _UNKNOWN,
              by=(Top("process.name", 10),)),
        Panel("table", "Programs that no stream knows", (24, 12, 24, 12), _UNKNOWN, by=(Top("process.name", 30),),
              values=(Value("Lines"), _HOSTS, _LAST)),
        Panel("table", "Why lines could not be parsed", (0, 24, 24, 12), _BROKEN, by=(Top("error.message", 20),),
              values=(Value("Lines"), _HOSTS), only_when_wrong=True),
        Panel("table", "Cut by their source", (24, 24, 24, 12), "tags:truncated", by=(Top("event.dataset", 20),),
              values=(Value("Lines"), _HOSTS), only_when_wrong=True),
    ),
)  # fmt: skip

DASHBOARDS = (
    *(_OVERVIEW, _AUTHENTICATION, _ATTACKERS, _PRIVILEGE),
    *(_NETWORK, _WEB_SERVERS, _ALERT_PAGE, _PIPELINE),
)
SEARCHES = (
    Search("Failed logins", _FAILED,
           ("host.hostname", "ogrewatch.service", "user.name", "source.ip", "source.geo.country_name", "message")),
    Search("Privileged commands", "event.action:sudo_command",
           ("host.hostname", "user.name", "user.effective.name", "process.command_line")),
    Search("Denied packets", _DENIED,
           ("host.hostname", "source.ip", "destination.ip", "destination.port", "message")),
    Search("Refused requests", _REFUSED,
           ("host.hostname", "source.ip", "http.request.method", "url.path", "http.response.status_code")),
    Search("Lines that no stream knows", _UNKNOWN, ("host.hostname", "process.name", "message")),
    Search("Open alerts", "ogrewatch.alert.status:open",
           ("ogrewatch.alert.level", "rule.name", "source.ip", "user.name", "message"), "alerts"),
)  # fmt: skip
