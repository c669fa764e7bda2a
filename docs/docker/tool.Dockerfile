# An image that holds nothing but the single file, for `COPY --from=condaprune` in other Dockerfiles.
# Built with the folder in which `make pyz` leaves it: docker build -t condaprune -f tool.Dockerfile dist
FROM scratch
COPY condaprune.pyz /condaprune.pyz
