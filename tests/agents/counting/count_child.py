"""A count worker in a process of its own, with the shortest session that brokers allow, and often a look at the topics.

For the tests.
"""

from agents import count
from agents.settings import Settings
from agents.transport import run
from topics.logs import print_logs

settings = Settings()
count.GLANCE = 2.0
app = count.make_app(settings)
app.conf.broker_session_timeout = 6.0
app.conf.broker_heartbeat_interval = 1.0
print_logs("count", settings.log_level, settings.log_format)
run(app)
