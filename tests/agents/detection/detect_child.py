"""A detect worker in a process of its own, with the shortest session that brokers allow. For the tests."""

from agents import detect
from agents.settings import Settings
from agents.transport import run
from topics.logs import print_logs

settings = Settings()
app = detect.make_app(settings)
app.conf.broker_session_timeout = 6.0
app.conf.broker_heartbeat_interval = 1.0
print_logs("detect", settings.log_level, settings.log_format)
run(app)
