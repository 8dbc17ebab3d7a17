# One slim image for every process; the command says which one it is.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY worker worker
COPY templates templates
RUN python -m venv /app && /app/bin/pip install --no-cache-dir -c constraints.txt '.[postgresql]'

FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /var/lib/reverberate reverberate
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 REVERBERATE_CONFIG=/etc/reverberate/reverberate.toml
USER reverberate
WORKDIR /var/lib/reverberate
ENTRYPOINT ["reverberate"]
CMD ["up"]
