"""Makes up the ordinary hour of the directory (slapd) and of the web hosts (nginx).

Numbers of `moments` are for fifty hosts and an hour; larger fleets do more in proportion.
"""

from collections.abc import Iterator

from stack.demo.nginx import Request, Visit
from stack.demo.scene import Activity, Host, Person, Scene
from stack.demo.slapd import INVALID_CREDENTIALS, PEER, Bind, Connection
from stack.demo.world import scanner, visitor

MONITOR = "kube-probe/1.31"
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
)
BOTS = (
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example.com/about)",
    "Mozilla/5.0 (compatible; SampleCrawler/1.0; +https://crawler.example.org/)",
    "curl/8.5.0",
)
PAGES = (
    "/",
    "/products",
    "/products/42",
    "/search?q=blue%20lamp&page=2",
    "/cart",
    "/help/contact",
    "/news/2024/opening",
)
ASSETS = (
    "/static/app.7f3a.js",
    "/static/site.css",
    "/img/logo.svg",
    "/api/v1/session",
    "/img/hero.webp",
    "/favicon.ico",
)
SCANNED = ("/.env", "/wp-login.php", "/.git/config", "/phpmyadmin/", "/cgi-bin/luci", "/vendor/phpunit/eval-stdin.php")
GUARDED = ("/admin/", "/manager/html", "/api/v1/users", "/metrics")


def directory(scene: Scene) -> Iterator[Activity]:
    """Services look people up, and people bind with their own names; one such bind in twenty-five fails."""
    random = scene.random
    for at in scene.moments(1500):
        host, client = scene.host("ldap"), scene.host("app", "web", "mail", "ci")
        yield _lookup(scene, at, host, client) if random.random() < 0.5 else _personal(scene, at, host, client)
    for at in scene.moments(70):
        everyone = (Bind(""),)
        yield Connection(at, scene.host("ldap"), scene.host().address, everyone, (scene.person().name,))
    for at in scene.moments(30):
        yield Connection(at, scene.host("ldap"), None, (Bind(PEER, mechanism="EXTERNAL"),), ("monitor",))


def _lookup(scene: Scene, at: float, host: Host, client: Host) -> Activity:
    """A service account binds and searches for several people on one connection."""
    names = tuple(scene.person().name for _ in range(scene.random.randint(1, 5)))
    bind = Bind(f"cn={client.role},ou=Services,dc=example,dc=net")
    return Connection(at, host, client.address, (bind,), names, tls=True)


def _personal(scene: Scene, at: float, host: Host, client: Host) -> Activity:
    """An application checks a password by a bind. After a wrong one it often tries again on the same connection."""
    random, person = scene.random, scene.person()
    if random.random() < 0.1:
        return Connection(at, host, person.address, (Bind(person.dn, mechanism="GSSAPI"),), (person.name,))
    tls, lost = random.random() < 0.4, random.random() < 0.03
    return Connection(at, host, client.address, _binds(scene, person), (), tls, lost)


def _binds(scene: Scene, person: Person) -> tuple[Bind, ...]:
    wrong = Bind(person.dn, INVALID_CREDENTIALS)
    if scene.random.random() >= 0.08:
        return (Bind(person.dn),)
    return (wrong, Bind(person.dn)) if scene.random.random() < 0.7 else (wrong,)


def web(scene: Scene) -> Iterator[Activity]:
    """People browse, colleagues use pages with a login, monitors and bots poll, and scanners try known weaknesses."""
    random = scene.random
    for at in scene.moments(2000):
        yield _browse(scene, at)
    for at in scene.moments(260):
        yield _colleague(scene, at)
    for at in scene.moments(900):
        pages = tuple(Request(random.choice(PAGES), after=random.uniform(0.5, 3)) for _ in range(random.randint(1, 4)))
        yield Visit(at, scene.host("web"), visitor(random), random.choice(BOTS), pages)
    for at in scene.moments(1800):
        yield Visit(at, scene.host("web"), "10.20.0.2", MONITOR, (Request("/healthz", 200, 2),))
    for at in scene.moments(90):
        yield _scan(scene, at)


def _browse(scene: Scene, at: float) -> Activity:
    random, site = scene.random, "https://www.example.com"
    requests = []
    for _ in range(random.randint(1, 3)):
        page = random.choice(PAGES)
        fresh = random.random() < 0.7
        requests.append(Request(page, 200 if fresh else 304, random.randint(900, 48_000) if fresh else 0, after=4))
        for asset in random.sample(ASSETS, random.randint(1, 5)):
            status = 404 if random.random() < 0.01 else 200
            requests.append(Request(asset, status, random.randint(120, 90_000), referer=site + page, after=0.05))
    return Visit(at, scene.host("web"), visitor(random), random.choice(BROWSERS), tuple(requests))


def _colleague(scene: Scene, at: float) -> Activity:
    """HTTP authentication: the first request of a browser has no name and gets a 401, all others have the name."""
    random, person = scene.random, scene.person()
    page = random.choice(GUARDED)
    first = (Request(page, 401, 179),) if random.random() < 0.3 else ()
    rest = tuple(Request(page, 200, 2_310, user=person.name, after=3) for _ in range(random.randint(2, 6)))
    return Visit(at, scene.host("web"), person.address, random.choice(BROWSERS), first + rest)


def _scan(scene: Scene, at: float) -> Activity:
    random = scene.random
    requests = [Request(path, random.choice((404, 403)), 153, after=0.2) for path in SCANNED]
    requests += [Request(path, 401, 179, after=0.2) for path in random.sample(GUARDED, 2)]
    # A TLS handshake sent to the plain port; nginx escapes bytes that are not printable.
    requests.append(Request("\\x16\\x03\\x01\\x01\\x17\\x01", 400, 157, method="", after=0.4))
    random.shuffle(requests)
    agent = random.choice(("-", "Mozilla/5.0 zgrab/0.x", "Mozilla/5.0 \\x22quoted\\x22", "sqlmap/1.8"))
    return Visit(at, scene.host("web"), scanner(random), agent, tuple(requests))
