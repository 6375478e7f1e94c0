#!/usr/bin/env bash
# Writes every lockfile in build-support/lockfiles/ anew, from the lists beside it and from
# build-support/slipway/requirements*.txt and tests/requirements.txt. With arguments, passes them to
# uv: `build-support/lock.sh --upgrade` takes newer versions, `--upgrade-package numpy` only numpy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v uv > /dev/null; then
  echo "lock.sh: uv is not on PATH" >&2
  echo "fix: python3 -m pip install --user uv" >&2
  exit 1
fi

lock() { # output, Python version, further arguments and inputs
  local output=build-support/lockfiles/$1 python=$2
  shift 2
  echo "$output"
  uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate \
    --custom-compile-command build-support/lock.sh \
    --python-version "$python" --output-file "$output" "$@"
}

linux=(--python-platform x86_64-manylinux_2_35)
# of CUDA, what PyTorch needs on GPUs alone: 1.1 GB; it does not start without the rest
no_gpu=()
for package in cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cusolver nvidia-nvtx triton; do
  no_gpu+=(--no-emit-package "$package")
done
folder=build-support/lockfiles
lock pants.txt 3.9 --universal "$@" $folder/pants.in
lock pex.txt 3.9 --universal "$@" $folder/pex.in
library=(build-support/slipway/requirements.txt build-support/slipway/requirements-endpoint.txt
  build-support/slipway/requirements-loadtest.txt build-support/slipway/requirements-monitoring.txt)
lock slipway.txt 3.12 "${linux[@]}" "$@" "${library[@]}" tests/requirements.txt
# the uv that installs every environment is the library's own
sed -n -e '1,2p' -e '/^uv==/,/[^\\]$/p' $folder/slipway.txt > $folder/uv.txt
# a part of the library, which works without this folder
lock ../slipway/environment/backends.txt 3.12 "$@" $folder/backends.in
# what stands in for native backends on this machine, one list for each version
for list in build-support/slipway/triton/locks/*.in; do
  lock "../slipway/triton/locks/$(basename "$list" .in).txt" 3.12 "${linux[@]}" \
    "${no_gpu[@]}" "$@" "$list"
done
lock pip.txt 3.8 --universal "$@" $folder/pip.in
lock benchmarks.txt 3.12 "${linux[@]}" --constraint $folder/slipway.txt "$@" \
  "${library[@]}" benchmarks/requirements.txt
# the tests' Python 3.12 sees both the library's resolve and this one: the same versions in both
same=$(mktemp)
trap 'rm -f "$same"' EXIT
sed -n 's/^\([A-Za-z0-9._-]*==[^ ;]*\).*/\1 ; python_version >= "3.12"/p' $folder/slipway.txt > "$same"
lock pytest.txt 3.9 --universal "$@" --constraint "$same" $folder/pytest.in
# what is in the image of a training: a part of the library's list
lock training.txt 3.12 "${linux[@]}" "$@" --constraint "$same" $folder/training.in
lock coverage.txt 3.12 --universal "$@" $folder/coverage.in
lock plugin.txt 3.9 "${linux[@]}" "$@" $folder/plugin.in
lock black.txt 3.12 --universal "$@" $folder/black.in
lock ruff.txt 3.12 --universal "$@" $folder/ruff.in
lock mypy.txt 3.12 --universal "$@" $folder/mypy.in
lock infra.txt 3.12 --universal "$@" $folder/infra.in
lock terraform.txt 3.12 "${linux[@]}" "$@" $folder/terraform.in
lock sagemaker.txt 3.12 "${linux[@]}" "$@" $folder/sagemaker.in
lock buildgrid.txt 3.12 "${linux[@]}" "$@" $folder/buildgrid.in
lock airflow.txt 3.12 "${linux[@]}" "$@" $folder/airflow.in
# what explanations are compared with: shap for numpy 1, and an XGBoost whose files it reads
lock explained.txt 3.12 "${linux[@]}" --only-binary :all: "$@" benchmarks/explained/requirements.txt
# the environments of conversions, one for each framework, and of the ONNX Runtimes that serve
for input in build-support/slipway/formats/locks/*.in; do
  lock "../slipway/formats/locks/$(basename "$input" .in).txt" 3.12 "${linux[@]}" \
    --only-binary :all: "${no_gpu[@]}" "$@" "$input"
done
