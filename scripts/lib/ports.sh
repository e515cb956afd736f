# shellcheck shell=bash
# Ports on this machine, asked of the kernel: a bare system has no ss.

# port_taken PORT: does anything listen on it?
port_taken() {
  [ -n "$(listening_inodes "$1")" ]
}

# listening_inodes PORT: the inodes of the sockets that listen on it (state 0A).
listening_inodes() {
  local hex
  hex=$(printf '%04X' "$1")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$hex\$" '$2 ~ port && $4 == "0A" {print $10}'
}

# port_holder PORT: "name (process N)" of who listens, or nothing where that isn't ours to see.
port_holder() {
  local inode descriptor process
  for inode in $(listening_inodes "$1"); do
    for descriptor in /proc/[0-9]*/fd/*; do
      if [ "$(readlink "$descriptor" 2>/dev/null)" = "socket:[$inode]" ]; then
        process=${descriptor#/proc/}
        process=${process%%/*}
        printf '%s (process %s)\n' "$(tr '\0' ' ' <"/proc/$process/cmdline" | cut -c1-120)" "$process"
        return 0
      fi
    done
  done
}

# require_free_port PORT NAME_OF_SETTING
require_free_port() {
  local holder
  port_taken "$1" || return 0
  holder=$(port_holder "$1")
  fail "port $1 is taken${holder:+ by $holder}" "End that, or choose another port: $2=3100 scripts/run"
}

# free_port: one that nobody listens on now, outside the range from which the kernel hands out ports by itself.
free_port() {
  local port tries
  for tries in {1..200}; do
    port=$((20000 + RANDOM % 12000))
    if ! port_taken "$port"; then
      printf '%s\n' "$port"
      return 0
    fi
  done
  fail "no free port found after $tries tries"
}
