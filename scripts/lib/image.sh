# shellcheck shell=bash
# The container image, built and run with podman. Its store, its configuration and the compiler's cache are in
# .local/image: nothing of the machine's own podman is touched, and a second build is quick. The base is a Debian 12 of
# debootstrap's, so no registry is asked for one.

IMAGE_MIB=12000

test_image() {
  [ "$(id -u)" -eq 0 ] || fail "image builds and runs containers, which needs root here" "sudo scripts/test image"
  require_free_space . "$IMAGE_MIB" "the images and what they are built from"
  set_up_podman
  make_image_base
  image_runs_containers || { skip image "containers can't run here: $(tail -n 1 "$scratch/image.log")"; return 0; }
  local version revision sources=$PWD/.local/image/sources
  take_sources "$sources"
  version=$(sed -n 's/^project(fluxora VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  revision=$(git -c safe.directory="$PWD" rev-parse HEAD 2>/dev/null || printf unknown)
  build_image fluxora docker/Dockerfile --build-arg "VERSION=$version" --build-arg "REVISION=$revision"
  build_image fluxora-again docker/Dockerfile --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg CCACHE_DISABLE=1
  build_image fluxora-chain-sim docker/chain-sim.Dockerfile
  build_image fluxora-balancer tests/image/balancer.Dockerfile
  export IMAGE_REPORT=$PWD/$scratch/image.report
  rm -f "$IMAGE_REPORT"
  PODMAN=$PODMAN run_node_tests image 1 tests/image
  if [ -e "$IMAGE_REPORT" ]; then while IFS= read -r line; do note "$line"; done <"$IMAGE_REPORT"; fi
  "$PODMAN" image prune --force >/dev/null 2>&1 || true
}

# set_up_podman: sets PODMAN to a program that is podman with a home of its own.
set_up_podman() {
  local folder=$PWD/.local/image
  mkdir -p "$folder/tmp"
  cat >"$folder/containers.conf" <<CONF
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
network_backend = "netavark"
[network]
network_config_dir = "$folder/networks"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]
CONF
  cat >"$folder/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$folder/store"
runroot = "$folder/run"
CONF
  cat >"$folder/podman" <<PROGRAM
#!/bin/sh
CONTAINERS_CONF='$folder/containers.conf' CONTAINERS_STORAGE_CONF='$folder/storage.conf' TMPDIR='$folder/tmp' \\
  exec podman --tmpdir '$folder/libpod' "\$@"
PROGRAM
  chmod +x "$folder/podman"
  PODMAN=$folder/podman
}

make_image_base() {
  local root
  if "$PODMAN" image exists localhost/fluxora-base; then return 0; fi
  note "debootstrap: the smallest Debian 12, as the image's base"
  root=$(mktemp -d -p /var/tmp --suffix=.fluxora-image)
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf --one-file-system '$root'" EXIT
  make_bare_debian "$root"
  tar -C "$root" -c . | "$PODMAN" import --quiet - localhost/fluxora-base >/dev/null
  rm -rf --one-file-system "$root"
  trap - EXIT
}

image_runs_containers() {
  "$PODMAN" run --rm --network host localhost/fluxora-base true >"$scratch/image.log" 2>&1
}

# take_sources FOLDER: what .dockerignore lets the builder have, as it is now: two builds of one image have the same
# sources, whatever is edited between them.
take_sources() {
  rm -rf "$1"
  mkdir -p "$1"
  { printf '%s\n' .dockerignore docker/*Dockerfile tests/image/*.Dockerfile; sed -n 's/^!//p' .dockerignore; } \
    | tar -c --exclude=node_modules --exclude=wasm/package/dist --exclude=web-demo/compiled -T - | tar -C "$1" -x
}

# build_image NAME DOCKERFILE ARGUMENT...: of the folder $sources.
build_image() {
  local name=$1 file=$2 log=.local/log/image-$1.log started=$SECONDS
  shift 2
  say "image $name"
  # --network host: this machine's way to the package sources.
  "$PODMAN" build --network host --format docker --build-arg BASE=localhost/fluxora-base --build-arg JOBS="$(compilers_at_once)" \
    "$@" --tag "localhost/$name" --file "$sources/$file" "$sources" >"$log" 2>&1 </dev/null \
    || { tail -n 40 "$log" >&2; fail "the image $name could not be built" "The whole of it: $log"; }
  note "built in $((SECONDS - started)) s"
}
