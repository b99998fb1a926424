# Ogrewatch itself: the commands and roles, without Kafka and Elasticsearch.
#   docker build -t ogrewatch . && docker run --rm ogrewatch --help
# The base is named by version only: no registry of images could be asked where this file was written. Pin it with
#   --build-arg BASE=python:3.11-slim-bookworm@sha256:...   (docker buildx imagetools inspect python:3.11-slim-bookworm)
# The image was not built there either; docs/deploy-kubernetes.md says what was tried instead.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PATH=/opt/ogrewatch/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/ogrewatch
WORKDIR /src
COPY requirements.lock ./
RUN pip install --require-hashes --requirement requirements.lock
COPY . ./
# A wheel, so that the image has what is published and nothing of the source's folder; bytecode, for it cannot be written
# where the file system is read only.
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip install --no-deps --no-index --find-links /wheels ogrewatch \
    && pip uninstall --yes pip && python -m compileall -q -j 0 /opt/ogrewatch

FROM ${BASE}
RUN useradd --system --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin ogrewatch \
    && install -d -o 10001 -g 10001 /var/lib/ogrewatch
COPY --from=build /opt/ogrewatch /opt/ogrewatch
ENV PATH=/opt/ogrewatch/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OGREWATCH_DATA_DIR=/var/lib/ogrewatch
USER 10001:10001
WORKDIR /var/lib/ogrewatch
VOLUME /var/lib/ogrewatch
# No shell takes part: SIGTERM reaches the program itself.
ENTRYPOINT ["ogrewatch"]
CMD ["worker"]
