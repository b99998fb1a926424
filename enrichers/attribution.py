"""Knows the words and the link that the makers of a database ask to be shown with its data."""

DB_IP = ("IP Geolocation by DB-IP", "https://db-ip.com")
MAXMIND = ("This product includes GeoLite2 data created by MaxMind", "https://www.maxmind.com")

_MAKERS = (
    ("dbip", DB_IP),
    ("geolite", MAXMIND),
    ("geoip2", ("GeoIP2 data created by MaxMind", "https://www.maxmind.com")),
)


def attribution(database: str, file: str) -> tuple[str, str]:
    """Return the words and the link. An unknown maker's database is named, without a link.

    The name of the file is used, too, because the @ip-location-db files have types such as "city ipv4".
    """
    text = f"{database} {file}".lower().replace("-", "")
    return next((words for mark, words in _MAKERS if mark in text), (database, ""))
