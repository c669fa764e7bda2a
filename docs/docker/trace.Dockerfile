# syntax=docker/dockerfile:1
# A test stage records what the application uses; that stays, whatever the rules say.
ARG BUILDER=mambaorg/micromamba:2.0.5
ARG BASE=gcr.io/distroless/base-debian12

FROM ${BUILDER} AS installed
USER root
COPY environment.lock /tmp/
RUN --mount=type=cache,target=/opt/conda/pkgs \
    micromamba create --yes --always-copy --prefix /env --file /tmp/environment.lock
RUN --mount=type=cache,target=/opt/conda/pkgs \
    micromamba create --yes --prefix /opt/tool --channel conda-forge python=3.12

FROM installed AS traced
COPY condaprune.pyz /tmp/
COPY app.py /app/app.py
RUN ["/opt/tool/bin/python", "/tmp/condaprune.pyz", "trace", "-o", "/app.trace", "--prefix", "/env", "--", "/env/bin/python", "/app/app.py"]

FROM installed AS build
COPY condaprune.pyz /tmp/
COPY --from=traced /app.trace /app.trace
RUN ["/opt/tool/bin/python", "/tmp/condaprune.pyz", "/env", "--trace", "/app.trace"]

FROM ${BASE}
COPY --link --from=build /env /env
COPY --link app.py /app/app.py
ENV PATH=/env/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
HEALTHCHECK CMD ["/env/bin/python", "/app/app.py"]
ENTRYPOINT ["/env/bin/python", "/app/app.py"]
