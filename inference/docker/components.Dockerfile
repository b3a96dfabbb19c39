# syntax=docker/dockerfile:1
# Pipeline tasks without a framework: ingest, prepare, evaluate, publish, materialise, deploy.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# Without a default: whoever builds says which base it is.
ARG PYTHON_DIGEST

FROM ${PYTHON_IMAGE}@${PYTHON_DIGEST} AS build
# Compilers for the few packages without a wheel; they stay in this stage.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
RUN python -m venv /opt/venv
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY src ./src
# The lock constrains every package; bytecode is compiled here, as the root file system is read-only.
RUN --mount=type=cache,target=/var/cache/pip \
    /opt/venv/bin/pip install --cache-dir /var/cache/pip --constraint requirements.lock '.[components,s3]' \
    && /opt/venv/bin/pip uninstall --yes pip setuptools \
    && python -m compileall -q /opt/venv/lib
WORKDIR /app
COPY inference ./inference
COPY feature_repo ./feature_repo
RUN python -m compileall -q /app

FROM ${PYTHON_IMAGE}@${PYTHON_DIGEST}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="stylerec/components" \
      org.opencontainers.image.description="Kubeflow components without a training framework" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
RUN groupadd --gid 1000 stylerec \
    && useradd --uid 1000 --gid 1000 --no-create-home --shell /usr/sbin/nologin stylerec
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
# KServe refuses PYTHONPATH in an InferenceService, so it is set here.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OMP_WAIT_POLICY=PASSIVE \
    FEAST_USAGE=False \
    HOME=/tmp \
    STYLEREC_FEAST_CONFIG=/app/feature_repo/environments/cluster/feature_store.yaml
USER 1000:1000
# A task ends by itself; what can be asked is whether its library is whole.
HEALTHCHECK --interval=60s --timeout=30s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import stylerec"]
# Kubeflow brings the command of each task.
CMD ["python", "-c", "import stylerec; print('stylerec components')"]
