# syntax=docker/dockerfile:1
# A project of pixi: the environment of its lock file is pruned where pixi installs it.
ARG BUILDER=ghcr.io/prefix-dev/pixi:0.41.4
ARG BASE=gcr.io/distroless/base-debian12

FROM ${BUILDER} AS installed
WORKDIR /app
ENV PIXI_CACHE_DIR=/cache
COPY pixi.toml pixi.lock ./
RUN --mount=type=cache,target=/cache \
    pixi install --locked
RUN --mount=type=cache,target=/cache \
    pixi init /opt/tool \
 && pixi add --manifest-path /opt/tool/pixi.toml python=3.12

FROM installed AS build
COPY condaprune.pyz /tmp/
RUN ["/opt/tool/.pixi/envs/default/bin/python", "/tmp/condaprune.pyz", "/app/.pixi/envs/default"]

FROM ${BASE}
COPY --link --from=build /app/.pixi/envs/default /app/.pixi/envs/default
COPY --link app.py /app/app.py
ENV PATH=/app/.pixi/envs/default/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
HEALTHCHECK CMD ["/app/.pixi/envs/default/bin/python", "/app/app.py"]
ENTRYPOINT ["/app/.pixi/envs/default/bin/python", "/app/app.py"]
