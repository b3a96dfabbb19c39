# syntax=docker/dockerfile:1
# The routing transformer, and the model loader beside each Triton: no TensorFlow, no torch.
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
    /opt/venv/bin/pip install --cache-dir /var/cache/pip --constraint requirements.lock '.[serve,s3]' \
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
LABEL org.opencontainers.image.title="stylerec/routing-transformer" \
      org.opencontainers.image.description="KServe routing transformer and Triton model loader" \
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
EXPOSE 8080 8081
# For container engines; Kubernetes has probes of its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/v2/health/live', timeout=4)"]
ENTRYPOINT ["python", "-m", "inference.transformer"]
