# syntax=docker/dockerfile:1
# Made before: condaprune env.tar.gz -o slim.tar.gz --dest-prefix /env --owner 0:0
ARG BASE=gcr.io/distroless/base-debian12

FROM ${BASE}
ADD slim.tar.gz /env/
COPY --link app.py /app/app.py
ENV PATH=/env/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
HEALTHCHECK CMD ["/env/bin/python", "/app/app.py"]
ENTRYPOINT ["/env/bin/python", "/app/app.py"]
