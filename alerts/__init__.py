"""From events to alerts: rules, their evaluation, notification."""
