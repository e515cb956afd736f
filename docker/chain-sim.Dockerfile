# The chain simulator of tests/chain-sim: a Stellar RPC server to try Fluxora with (profile full of docker/compose.yaml).
#
#   docker build -f docker/chain-sim.Dockerfile -t fluxora-chain-sim .
ARG BASE=debian:12-slim

FROM ${BASE} AS built
WORKDIR /src
COPY scripts/packages.txt scripts/
COPY scripts/lib/messages.sh scripts/lib/install.sh scripts/lib/node.sh scripts/lib/
# Its own npm brings Debian a Node.js that is new enough.
RUN bash -euc 'for file in messages install node; do . "scripts/lib/$file.sh"; done; \
  install_packages base node; use_node; install -D "$(command -v node)" /chain-sim/node'
COPY package.json package-lock.json .npmrc ./
COPY tests/chain-sim tests/chain-sim
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund --workspace @fluxora/chain-sim \
  && cp -r package.json node_modules /chain-sim/ && cp -r --parents tests/chain-sim/package.json tests/chain-sim/src /chain-sim/

FROM ${BASE}
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin chain-sim
COPY --from=built /chain-sim /chain-sim
USER 10001:10001
EXPOSE 8100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/chain-sim/node", "-e", \
  "fetch('http://127.0.0.1:8100').then(() => process.exit(0), () => process.exit(1))"]
ENTRYPOINT ["/chain-sim/node", "/chain-sim/tests/chain-sim/src/main.js", "--host", "0.0.0.0"]
CMD ["--seed", "7", "--close-every", "5000"]
