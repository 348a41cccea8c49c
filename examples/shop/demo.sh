#!/usr/bin/env bash
# The main job, end to end: two recorded clusters, one release, one plan that is read, questioned and checked.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p demo
export PLANNER_DB=sqlite:///demo/shop.db
rm -f demo/shop.db demo/shop.db-wal demo/shop.db-shm
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
say() { printf '\n%s$ planner %s%s\n' "$bold" "$*" "$plain"; planner "$@"; }
made() { local code=0; say "$@" || code=$?; [ "$code" -eq 2 ] || exit 1; }

say import examples/shop/hangzhou --cluster hangzhou
say import examples/shop/shanghai --cluster shanghai
made plan -f examples/shop/request.yaml -o demo/shop.plan
say explain demo/shop.plan trade/cart
say verify demo/shop.plan
say simulate demo/shop.plan
planner show demo/shop.plan -o html > demo/plan.html
printf '\nThe page of the plan: demo/plan.html\n'
