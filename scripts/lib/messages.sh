# shellcheck shell=bash
# What the scripts say: one line a step, and a reason when they stop.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' red='' plain=''
fi

say() { printf '%s\n' "${bold}==>${plain} $*"; }

note() { printf '    %s\n' "$*"; }

complain() { printf '%s\n' "${red}${0##*/}:${plain} $1" >&2; shift; [ $# -eq 0 ] || printf '    %s\n' "$@" >&2; }

# fail TITLE [LINE...]: the reason, what to do about it, and the end.
fail() {
  complain "$@"
  exit 1
}
