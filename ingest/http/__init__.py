"""Receives logs by HTTP, writes them to raw topics, and answers when Kafka has stored them.

This is the path of a request with JSON events (`POST /events`), in the order in which it can be read. It returns only
to files 5 and 1; other endpoints differ in file 5 alone.

 1. `server.py`: `HttpReceiver._handle` receives the request, `_respond` and `_answer` call what follows.
 2. `router.py`: `find` returns the endpoint for its method and path.
 3. `auth.py`: `Authenticator.reject_foreign` and `sender` find out who sent it, or refuse it.
 4. `idempotency.py`: `answer_idempotently` may have its answer already, if it has an Idempotency-Key.
 5. `endpoints/events.py`: `events` decides by content type how the body is to be read.
 6. `context.py`: `Context.require` says whether the sender may write the topic, called by `Request.items`.
 7. `request.py`: `Request.read` receives the body, counts its memory, and has it read in this process or a worker.
 8. `decode/worker_pool.py`, `decode/worker_process.py`: pass a large body to a worker process and its records back.
 9. `decode/decompress.py`: `decompress` unpacks the body.
10. `decode/items.py`: `add_json`, `add_ndjson` or `add_lines` keep key and value of each item, with
    `decode/limits.py`, `../json_lenient.py` and `../hosts.py`.
 5. `endpoints/events.py`: `_store` passes the items on, `_answer` afterwards makes an answer of their outcomes.
11. `store.py`: `store_items` makes the records, `store` takes them from the sender's rate (`../limits.py`), and counts
    their outcomes (`../metrics.py`).
12. `../kafka_producer.py`: `DeadlineProducer.deliver` returns when Kafka has decided about every record.
13. `responses.py`: `ok`, or `plain_error` for an `HttpError` raised anywhere above, gives the answer its format.
 1. `server.py`: `_finished` makes aiohttp's response of it, and `_send` sends a large one.

`proxy.py` builds all of this from the settings, and `tls.py` the TLS context.
"""
