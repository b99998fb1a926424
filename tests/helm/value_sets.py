"""Values that people install the chart with, by name. Each is rendered and checked in every way."""

from typing import Any

_EVERYTHING = ("normalize", "count", "detect", "index", "web", "ingest")

SETS: dict[str, dict[str, Any]] = {
    "least": {},
    "strimzi": {
        "kafka": {
            "bootstrap": "logs-kafka-bootstrap.kafka.svc:9093",
            "protocol": "SASL_SSL",
            "user": "ogrewatch",
            "passwordSecret": {"name": "ogrewatch-user"},
            "caSecret": {"name": "logs-cluster-ca-cert"},
        },
    },
    "certificates": {
        "kafka": {
            "protocol": "SSL",
            "caSecret": {"name": "logs-cluster-ca-cert"},
            "clientCertificateSecret": {"name": "ogrewatch-user"},
        },
        "ingest": {"tls": {"secretName": "ingest-tls", "clientCaKey": "ca.crt"}},
    },
    "eck": {
        "elasticsearch": {
            "urls": "https://logs-es-http.elastic.svc:9200",
            "apiKeySecret": {"name": "ogrewatch-key"},
            "caSecret": {"name": "logs-es-http-certs-public"},
        },
    },
    "password": {
        "elasticsearch": {"user": "ogrewatch", "passwordSecret": {"name": "elasticsearch"}, "fingerprint": "ab" * 32},
    },
    "keda": {
        "kafka": {
            "prefix": "prod.",
            "protocol": "SASL_SSL",
            "user": "ogrewatch",
            "passwordSecret": {"name": "ogrewatch-user"},
            "caSecret": {"name": "logs-cluster-ca-cert"},
        },
        "partitions": 12,
        "normalize": {"autoscaling": {"type": "keda", "min": 2, "max": 12}},
        "index": {"autoscaling": {"type": "keda", "max": 8, "lag": 2_000_000}},
    },
    "hpa": {role: {"autoscaling": {"type": "hpa"}} for role in ("normalize", "index", "web", "ingest")},
    "public": {
        "web": {"ingress": {"enabled": True, "className": "nginx", "host": "logs.example.org", "tlsSecret": "web-tls"}},
        "ingest": {
            "service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["192.0.2.0/24"]},
            "ingress": {"enabled": True, "host": "ingest.example.org"},
        },
        "networkPolicy": {"webFrom": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}]},
    },
    "monitored": {
        "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    },
    "amqp": {
        "amqp": {"enabled": True, "url": "amqps://bridge@rabbitmq.example/", "passwordSecret": {"name": "rabbitmq"}},
        "settings": {"OGREWATCH_ZONE": "Europe/Rome", "OGREWATCH_KEEP": 172800, "OGREWATCH_DEAD_LETTER_LIMIT": 1000},
    },
    "small": {
        "kafka": {"replication": 1},
        "partitions": 1,
        **{role: {"replicas": 1} for role in _EVERYTHING},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "setup": {"enabled": False},
    },
    "placed": {
        "image": {"repository": "registry.example/ogrewatch", "digest": "sha256:" + "0" * 64, "pullSecrets": ["pull"]},
        "detect": {"rulesConfigMap": "our-rules"},
        "normalize": {
            "pod": {
                "annotations": {"example.org/team": "security"},
                "nodeSelector": {"disk": "fast"},
                "tolerations": [{"key": "logs", "operator": "Exists"}],
                "priorityClassName": "high",
            }
        },
    },
}
