# syntax=docker/dockerfile:1
# A size gate: the final stage takes the environment from the stage that has checked its size.
ARG BUILDER=mambaorg/micromamba
ARG BASE=gcr.io/distroless/base-debian12

FROM ${BUILDER} AS installed
USER root
COPY environment.lock /tmp/
RUN --mount=type=cache,target=/opt/conda/pkgs \
    micromamba create --yes --always-copy --prefix /env --file /tmp/environment.lock
RUN --mount=type=cache,target=/opt/conda/pkgs \
    micromamba create --yes --prefix /opt/tool --channel conda-forge python=3.12 pip \
 && /opt/tool/bin/python -m pip install condaprune

FROM installed AS build
RUN ["/opt/tool/bin/condaprune", "/env"]

FROM build AS checked
COPY condaprune.toml /budget/condaprune.toml
RUN ["/opt/tool/bin/condaprune", "check", "/env", "--budget", "/budget/condaprune.toml"]

FROM ${BASE}
COPY --link --from=checked /env /env
COPY --link app.py /app/app.py
ENV PATH=/env/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
HEALTHCHECK CMD ["/env/bin/python", "/app/app.py"]
ENTRYPOINT ["/env/bin/python", "/app/app.py"]
