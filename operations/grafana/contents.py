"""Lists Grafana's dashboards with every query. `scripts/write-dashboards` writes them to `stack/grafana/`."""

from operations.grafana.panels import Dashboard, Panel, Query

_ROLE = "{{role}}"


def _rate(metric: str, *labels: str) -> str:
    return f"sum by ({', '.join(labels)}) (rate({metric}[1m]))"


def _quantile(metric: str, share: float, *labels: str) -> str:
    return f"histogram_quantile({share}, {_rate(f'{metric}_bucket', 'le', *labels)})"


def _mean(metric: str, *labels: str) -> str:
    return f"{_rate(f'{metric}_sum', *labels)} / {_rate(f'{metric}_count', *labels)}"


_BEHIND = Query("max by (role) (ogrewatch_seconds_behind)", _ROLE)
_LAG = Query("sum by (role) (ogrewatch_lag_records)", _ROLE)
_DEAD = Query(_rate("ogrewatch_records_dead_lettered_total", "role", "topic"), "{{role}} {{topic}}")
_STORED = Query(_rate("ogrewatch_records_stored_total", "role"), "stored")
_HOPS = Query(_mean("ogrewatch_hop_seconds", "role", "stage"), "{{role}} {{stage}}")

_OVERVIEW = Dashboard(
    "Overview",
    "Does it keep up, and is anything wrong?",
    (
        Panel("Roles that work", (Query("max by (role) (ogrewatch_ready)", _ROLE),), "bool", width=12, kind="stat"),
        Panel("Seconds behind", (_BEHIND,), "s", "How old the oldest log is that a role has not finished.", 12, "stat"),
        Panel("Alerts", (Query('count by (alertname) (ALERTS{alertname=~"Ogrewatch.*", alertstate="firing"})',
                               "{{alertname}}", only_when_wrong=True),), width=12),
        Panel("Records taken a second", (Query(_rate("ogrewatch_records_consumed_total", "role"), _ROLE),), "ops"),
        Panel("Events stored a second", (_STORED,), "ops"),
        Panel("Login attempts counted a second", (Query(_rate("ogrewatch_records_counted_total", "role"), "counted"),),
              "ops"),
        Panel("Dead letters a second", (_DEAD,), "ops", "ogrewatch deadletter list says why."),
        Panel("Where a second goes", (_HOPS,), "s",
              "Age of a batch's oldest record since it came to the role's topic: when taken, and when done."),
        Panel("Processor time", (Query('sum by (instance) (rate(process_cpu_seconds_total{job=~".*ogrewatch.*"}[1m]))',
                                       "{{instance}}"),), "percentunit", "1 is a core."),
        Panel("Memory", (Query('process_resident_memory_bytes{job=~".*ogrewatch.*"}', "{{instance}}"),), "bytes"),
    ),
)  # fmt: skip
_PIPELINE = Dashboard(
    "Pipeline",
    "What each role does with its records, and what it waits for.",
    (
        Panel("Records taken, by topic", (Query(_rate("ogrewatch_records_consumed_total", "role", "topic"),
                                                "{{role}} {{topic}}"),), "ops"),
        Panel("Events made, by topic", (Query(_rate("ogrewatch_records_produced_total", "topic"), "{{topic}}"),),
              "ops"),
        Panel("Hops: mean", (_HOPS,), "s"),
        Panel("Hops: 99 % are done within", (Query(
            'histogram_quantile(0.99, sum by (le, role) (rate(ogrewatch_hop_seconds_bucket{stage="done"}[1m])))',
            _ROLE),), "s"),
        Panel("Batches in flight", (Query("sum by (role) (ogrewatch_batches_in_flight)", _ROLE),)),
        Panel("Bytes in flight", (Query("sum by (role) (ogrewatch_bytes_in_flight)", _ROLE),), "bytes"),
        Panel("Dead letters", (_DEAD,), "ops"),
        Panel("Partitions that are paused", (Query("max by (role, topic, partition) (ogrewatch_partition_paused)",
              "{{role}} {{topic}}-{{partition}}", only_when_wrong=True),)),
        Panel("Attempts that came too late", (Query(_rate("ogrewatch_records_late_total", "role"), "late"),), "ops"),
        Panel("Names without room", (Query(_rate("ogrewatch_names_without_room_total", "role"), "others"),), "ops"),
        Panel("Versions", (Query("count by (version) (ogrewatch_build_info)", "{{version}}"),), kind="stat"),
        Panel("Page: 99 % are answered within", (Query(_quantile("ogrewatch_web_request_seconds", 0.99, "route"),
                                                       "{{route}}"),), "s"),
    ),
)  # fmt: skip
_LAG_PAGE = Dashboard(
    "Kafka lag",
    "How far each role is behind, and how its partitions move.",
    (
        Panel("Seconds behind", (_BEHIND,), "s"),
        Panel("Records that wait", (_LAG,)),
        Panel("Seconds behind, by partition", (Query("max by (role, topic, partition) (ogrewatch_seconds_behind) > 1",
              "{{role}} {{topic}}-{{partition}}", only_when_wrong=True),), "s",
              "Only those more than a second behind."),
        Panel("Records that wait, by partition", (Query("max by (role, topic, partition) (ogrewatch_lag_records) > 0",
              "{{role}} {{topic}}-{{partition}}", only_when_wrong=True),)),
        Panel("Time since the last commit", (Query(
            "time() - max by (role) (ogrewatch_last_commit_timestamp_seconds)", _ROLE),), "s",
            "Grows while there is nothing to commit, too."),
        Panel("Assignments of partitions", (Query("sum by (role) (ogrewatch_rebalances_total)", _ROLE),)),
        Panel("Recovery", (Query("max by (role) (ogrewatch_recovery_seconds)", _ROLE),), "s",
              "From the last assignment until records flowed."),
        Panel("Partitions owned", (Query("count by (role, instance) (ogrewatch_lag_records)",
                                         "{{role}} {{instance}}"),)),
    ),
)  # fmt: skip
_ELASTICSEARCH = Dashboard(
    "Elasticsearch",
    "Whether Elasticsearch takes what it is given.",
    (
        Panel("Documents a second", (_STORED, Query(_rate("ogrewatch_records_present_total", "role"), "present"),
              Query(_rate("ogrewatch_records_rejected_total", "role"), "rejected")), "ops",
              "Present: they were read again after a restart. Rejected ones are dead letters."),
        Panel("A write takes", (Query(_mean("ogrewatch_elasticsearch_write_seconds", "role"), "mean"),
              Query(_quantile("ogrewatch_elasticsearch_write_seconds", 0.99, "role"), "99 %")), "s"),
        Panel("Requests sent again, by status", (Query(_rate("ogrewatch_elasticsearch_retries_total", "status"),
              "{{status}}", only_when_wrong=True),), "ops"),
        Panel("Documents that wait, by error", (Query(_rate("ogrewatch_documents_put_off_total", "type"),
              "{{type}}", only_when_wrong=True),), "ops"),
        Panel("Seconds behind", (Query('max by (topic) (ogrewatch_seconds_behind{role="index"})', "{{topic}}"),), "s"),
        Panel("Records that wait", (Query('sum by (topic) (ogrewatch_lag_records{role="index"})', "{{topic}}"),)),
    ),
)  # fmt: skip
_INGEST = Dashboard(
    "Ingest",
    "What comes in by HTTP and AMQP, and what is refused.",
    (
        Panel("Kafka is reached", (Query("max by (way) (ogrewatch_ingest_kafka_up)", "{{way}}"),), "bool", kind="stat"),
        Panel("Connections", (Query("sum by (way) (ogrewatch_ingest_connections)", "{{way}}"),), kind="stat"),
        Panel("Requests a second", (Query(_rate("ogrewatch_ingest_requests_total", "endpoint", "status"),
                                          "{{endpoint}} {{status}}"),), "reqps"),
        Panel("Records a second", (Query(_rate("ogrewatch_ingest_records_total", "topic", "result"),
                                         "{{topic}} {{result}}"),), "ops"),
        Panel("Bytes a second", (Query(_rate("ogrewatch_ingest_received_bytes_total", "way"), "{{way}}"),), "bytes"),
        Panel("An answer takes", (Query(_mean("ogrewatch_ingest_seconds", "way"), "{{way}} mean"),
              Query(_quantile("ogrewatch_ingest_seconds", 0.99, "way"), "{{way}} 99 %")), "s"),
        Panel("Refused, by reason", (Query(_rate("ogrewatch_ingest_refused_total", "way", "reason"),
              "{{way}} {{reason}}", only_when_wrong=True),), "reqps"),
        Panel("On their way to Kafka", (Query("sum by (way) (ogrewatch_ingest_pending_records)", "{{way}}"),)),
        Panel("Memory of requests", (Query("sum by (way) (ogrewatch_ingest_held_bytes)", "{{way}}"),), "bytes"),
    ),
)  # fmt: skip

_DETECT = Dashboard(
    "Detect",
    "What rules judge and find, and whether they have room.",
    (
        Panel("Events judged a second", (Query(_rate("ogrewatch_records_judged_total", "role"), "judged"),), "ops"),
        Panel("Matches of rules a second", (Query(_rate("ogrewatch_rule_matches_total", "role"), "matches"),), "ops"),
        Panel("Revisions of alerts a second", (Query(_rate("ogrewatch_alert_revisions_total", "role"), "revisions"),),
              "ops"),
        Panel("Groups in memory", (Query("sum by (role) (ogrewatch_rule_groups)", "groups"),)),
        Panel("Groups forgotten for want of room", (Query(_rate("ogrewatch_rule_groups_evicted_total", "role"),
              "forgotten"),), "ops", "A rule groups by what somebody invents, or its window is too long."),
        Panel("Matches that came too late", (Query(_rate("ogrewatch_rule_matches_late_total", "role"), "late"),),
              "ops"),
        Panel("Seconds behind", (Query('max by (topic) (ogrewatch_seconds_behind{role="detect"})', "{{topic}}"),), "s"),
        Panel("Rules in force", (Query("count by (version) (ogrewatch_rules_info)", "{{version}}"),), kind="stat",
              about="More than one version: some processes have not heard of the newest rules yet."),
    ),
)  # fmt: skip

DASHBOARDS = (_OVERVIEW, _PIPELINE, _LAG_PAGE, _ELASTICSEARCH, _INGEST, _DETECT)
