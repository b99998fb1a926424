# Ogrewatch itself: the commands and workers, without Kafka and Elasticsearch.
#   docker build -t ogrewatch . && docker run --rm ogrewatch --help

FROM python:3.11-slim-bookworm AS build
RUN python -m venv /opt/ogrewatch
ENV PATH=/opt/ogrewatch/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements.lock ./
RUN pip install --require-hashes --requirement requirements.lock
COPY . ./
RUN pip install --no-deps --no-build-isolation . && python -m compileall -q /opt/ogrewatch

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/ogrewatch --create-home ogrewatch
COPY --from=build /opt/ogrewatch /opt/ogrewatch
ENV PATH=/opt/ogrewatch/bin:$PATH PYTHONUNBUFFERED=1 OGREWATCH_DATA_DIR=/var/lib/ogrewatch
USER ogrewatch
WORKDIR /var/lib/ogrewatch
VOLUME /var/lib/ogrewatch
ENTRYPOINT ["ogrewatch"]
CMD ["worker"]
