# The deletions of U. Korn's recipe of 2021, as they are pasted everywhere:
# https://github.com/xhochy/nyc-taxi-fare-prediction-deployment-example, file
# docker/Dockerfile.distroless-buildkit-expert. Changed: the version of Python is a variable,
# `rm -f` where libpython may be absent, and `find` starts at /env, as /proc is the machine's own
# here. The stages around it are those of inplace.Dockerfile.
ARG BASE
FROM installed AS build
WORKDIR /env
ARG PYTHON=python3.9
RUN find -name '*.a' -delete && \
  rm -rf /env/conda-meta && \
  rm -rf /env/include && \
  rm -f /env/lib/lib${PYTHON}.so.1.0 && \
  find -name '__pycache__' -type d -exec rm -rf '{}' '+' && \
  rm -rf /env/lib/${PYTHON}/site-packages/pip /env/lib/${PYTHON}/idlelib /env/lib/${PYTHON}/ensurepip \
    /env/lib/libasan.so.5.0.0 \
    /env/lib/libtsan.so.0.0.0 \
    /env/lib/liblsan.so.0.0.0 \
    /env/lib/libubsan.so.1.0.0 \
    /env/bin/x86_64-conda-linux-gnu-ld \
    /env/bin/sqlite3 \
    /env/bin/openssl \
    /env/share/terminfo && \
  find /env/lib/${PYTHON}/site-packages/scipy -name 'tests' -type d -exec rm -rf '{}' '+' && \
  find /env/lib/${PYTHON}/site-packages/numpy -name 'tests' -type d -exec rm -rf '{}' '+' && \
  find /env/lib/${PYTHON}/site-packages/pandas -name 'tests' -type d -exec rm -rf '{}' '+' && \
  find /env/lib/${PYTHON}/site-packages -name '*.pyx' -delete && \
  rm -rf /env/lib/${PYTHON}/site-packages/uvloop/loop.c

FROM ${BASE}
COPY --from=build /env /env
COPY app.py /app/app.py
ENV PATH=/env/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
HEALTHCHECK CMD ["/env/bin/python", "/app/app.py"]
ENTRYPOINT ["/env/bin/python", "/app/app.py"]
