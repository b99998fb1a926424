"""From a raw line to an event: syslog headers, and one folder per log stream."""
