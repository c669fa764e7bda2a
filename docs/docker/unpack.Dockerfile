# syntax=docker/dockerfile:1
# Made before: condaprune env.tar.gz -o slim.tar.gz
ARG BASE=gcr.io/distroless/base-debian12

FROM ${BASE} AS build
ADD slim.tar.gz /env/
RUN ["/env/bin/python", "/env/bin/conda-unpack"]

FROM ${BASE}
COPY --link --from=build /env /env
COPY --link app.py /app/app.py
ENV PATH=/env/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
HEALTHCHECK CMD ["/env/bin/python", "/app/app.py"]
ENTRYPOINT ["/env/bin/python", "/app/app.py"]
