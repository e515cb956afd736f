# A load balancer for docker/haproxy.cfg where no registry has one.
ARG BASE=debian:12-slim
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends haproxy
CMD ["haproxy", "-f", "/haproxy.cfg"]
