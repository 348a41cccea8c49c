#!/usr/bin/env bash
# The tables and the migrations say the same: migrate a new SQLite log, then compare.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
export PLANNER_DB="sqlite:///$folder/planner.db"
alembic --quiet upgrade head
alembic check
