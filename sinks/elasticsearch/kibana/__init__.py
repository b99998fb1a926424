"""Makes Kibana's data views, dashboards and saved searches from the list in `contents`, and imports them."""
