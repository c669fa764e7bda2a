# syntax=docker/dockerfile:1
# An environment is installed and pruned in builder stages, and copied to the same path.
ARG BUILDER=mambaorg/micromamba:2.0.5
ARG BASE=gcr.io/distroless/base-debian12

FROM ${BUILDER} AS installed
USER root
COPY environment.lock /tmp/
RUN --mount=type=cache,target=/opt/conda/pkgs \
    micromamba create --yes --always-copy --prefix /env --file /tmp/environment.lock
RUN --mount=type=cache,target=/opt/conda/pkgs \
    micromamba create --yes --prefix /opt/tool --channel conda-forge python=3.12

FROM installed AS build
COPY condaprune.pyz /tmp/
RUN ["/opt/tool/bin/python", "/tmp/condaprune.pyz", "/env"]

FROM ${BASE}
COPY --link --from=build /env /env
COPY --link app.py /app/app.py
ENV PATH=/env/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
HEALTHCHECK CMD ["/env/bin/python", "/app/app.py"]
ENTRYPOINT ["/env/bin/python", "/app/app.py"]
