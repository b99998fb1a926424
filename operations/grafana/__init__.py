"""Makes Grafana's dashboards from the list in `contents`; `stack/grafana/` holds them as JSON to import.

They use a dozen members of Grafana's JSON, which have been the same since Grafana 8. A library for it would be another
dependency, whose versions follow Grafana's.
"""
