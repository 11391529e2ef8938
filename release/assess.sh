#!/usr/bin/env bash
# The middle of action.yml: assesses TARGET and says where dossier and SARIF lie. A goal that does not pass
# ends it with 0 and status=3, so that what was found is uploaded before the job fails; what could not be assessed fails at once.
set -euo pipefail
arguments=(--depth "$DEPTH")
[ -z "${ALLOW:-}" ] || arguments+=(--allow "$ALLOW")
status=0
"$RUNNER_TEMP/assize" assess "$TARGET" "${arguments[@]}" | tee "$RUNNER_TEMP/verdicts.txt" || status=$?
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || exit "$status"
sarif=$RUNNER_TEMP/assize.sarif
"$RUNNER_TEMP/assize" report "$TARGET/dossier" --format sarif >"$sarif"
{
	printf '```\n'
	cat "$RUNNER_TEMP/verdicts.txt"
	printf '```\n'
} >>"$GITHUB_STEP_SUMMARY"
{
	echo "status=$status"
	echo "dossier=$TARGET/dossier"
	echo "sarif=$sarif"
} >>"$GITHUB_OUTPUT"
