# The lessons in JupyterLab, as a user without rights, with the locked environment:
#
#   docker build --tag coursekit . && docker run --rm --publish 8888:8888 coursekit
#
# docs/HUB.md makes an image for a JupyterHub of it.
FROM python:3.13-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*

# The course stands outside of the home, over which a hub mounts a student's own files.
RUN useradd --create-home --uid 1000 student \
    && install --directory --owner student /opt/course
USER student
WORKDIR /opt/course
COPY --chown=student . .
RUN make setup && rm -rf /home/student/.cache

EXPOSE 8888
CMD ["make", "lab", "ARGS=--no-browser --ip 0.0.0.0"]
