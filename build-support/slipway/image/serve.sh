#!/bin/sh
# Serve the models of this image, or run another program of it. docs/image.md describes it.
#
#   serve [OPTION OF TRITONSERVER]...   SageMaker starts a container with this word
#   healthy                             whether the models are ready, for a health check
#
# Nothing is written but to /tmp and /dev/shm.
set -eu

fail() {
  printf 'error: %s\nfix: %s\n' "$1" "$2" >&2
  exit 1
}

http=${SLIPWAY_HTTP_PORT:-8000} grpc=${SLIPWAY_GRPC_PORT:-8001} metrics=${SLIPWAY_METRICS_PORT:-8002}
sagemaker=${SAGEMAKER_BIND_TO_PORT:-8080}

healthy() {
  url="http://127.0.0.1:$sagemaker/ping"
  if command -v curl > /dev/null; then
    exec curl --fail --silent --output /dev/null --max-time 5 "$url"
  elif command -v python3 > /dev/null; then
    exec python3 -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=5)' "$url"
  elif command -v perl > /dev/null; then
    exec perl -MIO::Socket::INET -e '
      my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]", Timeout => 5) or exit 1;
      print $s "GET /ping HTTP/1.0\r\n\r\n";
      exit(<$s> =~ m{^HTTP/\S+ 200} ? 0 : 1)' "$sagemaker"
  fi
  fail "the base image has neither curl, python3 nor perl" "ask /ping from outside the container"
}

[ $# -gt 0 ] || set -- serve
case $1 in
  serve) shift ;;
  healthy) healthy ;;
  *) exec "$@" ;;
esac

if [ "${SAGEMAKER_MULTI_MODEL:-false}" = true ]; then
  fail "the models of this image are in it: it is no container of a multi-model endpoint" \
    "serve it as a single model, or give the endpoint SageMaker's image and the artifacts"
fi
command -v tritonserver > /dev/null ||
  fail "no tritonserver on PATH ($PATH)" "build the image on a base that has it"
[ -w /tmp ] || fail "/tmp cannot be written to" "docker run --read-only --tmpfs /tmp"
[ -w /dev/shm ] || fail "/dev/shm cannot be written to" "docker run --shm-size 1g"

if [ -n "$(ls -A /opt/ml/model 2> /dev/null)" ]; then
  echo "note: /opt/ml/model is not served: the models of this image are in it" >&2
fi

# the model of /invocations: an image of one model has one, of several the first
chosen=${SAGEMAKER_TRITON_DEFAULT_MODEL_NAME:-${SLIPWAY_SERVES%% *}}
case " $SLIPWAY_SERVES " in
  *" $chosen "*) export SAGEMAKER_TRITON_DEFAULT_MODEL_NAME="$chosen" ;;
  *) fail "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME is $chosen" "one of: $SLIPWAY_SERVES" ;;
esac

flag() { # OPTION VALUE, unless VALUE is empty
  [ -z "$2" ] || options="$options $1=$2"
}

options=
for folder in /opt/slipway/models/*; do
  flag --model-repository "$folder"
done
set -f
for model in $SLIPWAY_SERVES; do
  flag --load-model "$model"
done
[ "${SLIPWAY_EXPLICIT_TENSORS:-true}" = false ] || options="$options --disable-auto-complete-config"
flag --sagemaker-port "$sagemaker"
flag --sagemaker-safe-port-range "${SAGEMAKER_SAFE_PORT_RANGE:-}"
flag --sagemaker-thread-count "${SAGEMAKER_TRITON_THREAD_COUNT:-}"
flag --buffer-manager-thread-count "${SAGEMAKER_TRITON_BUFFER_MANAGER_THREAD_COUNT:-}"
flag --log-verbose "${SAGEMAKER_TRITON_LOG_VERBOSE:-}"
flag --log-info "${SAGEMAKER_TRITON_LOG_INFO:-}"
flag --log-warning "${SAGEMAKER_TRITON_LOG_WARNING:-}"
flag --log-error "${SAGEMAKER_TRITON_LOG_ERROR:-}"
for backend in python ${SLIPWAY_PYTHON_BACKENDS:-}; do
  flag --backend-config "$backend,shm-default-byte-size=${SAGEMAKER_TRITON_SHM_DEFAULT_BYTE_SIZE:-16777216}"
  flag --backend-config "$backend,shm-growth-byte-size=${SAGEMAKER_TRITON_SHM_GROWTH_BYTE_SIZE:-1048576}"
done
if [ -n "${SAGEMAKER_TRITON_MODEL_LOAD_GPU_LIMIT:-}" ]; then
  for gpu in $(nvidia-smi --query-gpu=index --format=csv,noheader); do
    flag --model-load-gpu-limit "$gpu:$SAGEMAKER_TRITON_MODEL_LOAD_GPU_LIMIT"
  done
fi

# containers of one endpoint share their ports: there, only the one that SageMaker chose is opened
if [ -n "${SAGEMAKER_BIND_TO_PORT:-}${SAGEMAKER_SAFE_PORT_RANGE:-}" ]; then
  http=${SLIPWAY_HTTP_PORT:-off} grpc=${SLIPWAY_GRPC_PORT:-off} metrics=${SLIPWAY_METRICS_PORT:-off}
fi
for each in http:$http grpc:$grpc metrics:$metrics; do
  kind=${each%%:*} port=${each#*:}
  if [ "$port" = off ]; then
    flag "--allow-$kind" false
  else
    flag "--allow-$kind" true
    flag "--$kind-port" "$port"
  fi
done

# no value has a space: SageMaker's variables are numbers and words, ours are checked names
# shellcheck disable=SC2086
exec tritonserver --allow-sagemaker=true --model-control-mode=explicit $options "$@"
