# syntax=docker/dockerfile:1
# Two images from one file. `serve` (the default) holds what a server needs, deploy/serve.txt; `full` trains, makes reports and
# runs every command: docker build --target full. CPU build of PyTorch.
FROM node:22-bookworm-slim AS assets
WORKDIR /assets
COPY smart_customer_analysis/app/assets ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.11-slim-bookworm AS build-serve
WORKDIR /src
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY constraints.txt deploy/serve.txt ./
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --no-deps --constraint constraints.txt --index-url "$TORCH_INDEX" torch \
 && pip install --no-deps --constraint constraints.txt --requirement serve.txt
COPY pyproject.toml setup.py README.md LICENSE ./
COPY nbs/reports ./nbs/reports
COPY smart_customer_analysis ./smart_customer_analysis
COPY --from=assets /assets/node_modules ./smart_customer_analysis/app/assets/node_modules
RUN PYTHONPATH=. python smart_customer_analysis/app/vendor.py \
 && rm -rf smart_customer_analysis/app/assets/node_modules \
 && pip install --no-deps .

FROM build-serve AS build-full
RUN pip install --constraint constraints.txt .

FROM python:3.11-slim-bookworm AS base
LABEL org.opencontainers.image.title="smart_customer_analysis" org.opencontainers.image.licenses="Apache-2.0"
# pg_dump and pg_restore for `sca db backup`; Debian replaces versions with security updates, so none is named
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client-15 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 sca && install -d -o sca /srv/sca /backups
ENV PATH=/opt/venv/bin:$PATH \
    HF_HUB_OFFLINE=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    SCA_HOST=0.0.0.0
WORKDIR /srv/sca
USER 10001
EXPOSE 8000
VOLUME /srv/sca
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["sca"]
CMD ["serve"]

FROM base AS full
COPY --from=build-full /opt/venv /opt/venv

FROM base AS serve
COPY --from=build-serve /opt/venv /opt/venv
