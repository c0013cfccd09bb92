# hybridmem as a service: the HTTP server, MCP and the schedule, on the CPU.
#
#   docker build --tag hybridmem .
#   docker run --volume hybridmem:/memory hybridmem add "Ana Brito lives in Porto."
#   docker run --volume hybridmem:/memory --volume "$PWD/tokens.json:/tokens.json:ro" --publish 127.0.0.1:8377:8377 \
#       hybridmem serve --host 0.0.0.0 --token-file /tokens.json
#
# PIP_INDEX and PIP_EXTRA_INDEX name other package indexes, such as one with PyTorch for the CPU alone, which is 2 GB
# smaller.
FROM python:3.12-slim-bookworm AS build
ARG PIP_INDEX=""
ARG PIP_EXTRA_INDEX=""
WORKDIR /source
COPY pyproject.toml setup.py README.md LICENSE ./
COPY hybridmem ./hybridmem
COPY adapters ./adapters
RUN python -m venv /opt/hybridmem \
    && PIP_INDEX_URL="$PIP_INDEX" PIP_EXTRA_INDEX_URL="$PIP_EXTRA_INDEX" \
       /opt/hybridmem/bin/pip install --no-cache-dir ".[server,mcp,reader,schedule,otel]"

FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 10001 hybridmem \
    && install --directory --owner hybridmem --group hybridmem /memory
COPY --from=build /opt/hybridmem /opt/hybridmem
ENV PATH="/opt/hybridmem/bin:$PATH" \
    HYBRIDMEM_DIR=/memory \
    PYTHONUNBUFFERED=1
USER hybridmem
VOLUME /memory
EXPOSE 8377
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8377/healthz', timeout=4)"]
ENTRYPOINT ["hybridmem"]
CMD ["--help"]
