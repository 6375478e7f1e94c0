# Sourced by the other scripts of ci/: the repository, the home folder, and AWS's credentials.
# On a laptop it changes nothing; `root` is the repository.

root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)

# GitLab caches only what lies in the checkout, and Pants' processes know only HOME
if [[ -n ${SLIPWAY_HOME:-} ]]; then
  mkdir -p "$SLIPWAY_HOME"
  HOME=$(cd "$SLIPWAY_HOME" && pwd)
  export HOME
  # what the job image has ready for these lockfiles (ci/Dockerfile)
  for ready in "${SLIPWAY_READY:-/nowhere}"/{library,pants,uv}/*; do
    kept=$HOME/.cache/slipway/${ready#"${SLIPWAY_READY:-}"/}
    # -T: when another job has made the link since, it is replaced, and nothing is put into it
    [[ ! -d $ready || -e $kept ]] || { mkdir -p "${kept%/*}" && ln -sfT "$ready" "$kept"; }
  done
fi

# Whether slipway.toml or the environment names a remote cache
has_remote_cache() {
  [[ ${SLIPWAY_REMOTE_CACHE:-} != off ]] || return 1
  [[ -n ${SLIPWAY_REMOTE_CACHE:-} ]] || grep -qs '^ *remote-cache *=' "$root/slipway.toml"
}

# What ends with the script; a later trap of the same script would replace an earlier one.
at_exit=()
run_at_exit() {
  local command
  for command in "${at_exit[@]}"; do $command; done
}
trap run_at_exit EXIT

# GitLab's token becomes AWS's credentials: boto3 exchanges it for some of an hour (STS,
# AssumeRoleWithWebIdentity). The token's file can be read by this user alone and lies outside of
# the checkout, so that no artifact and no cache ever holds it.
if [[ -n ${AWS_ID_TOKEN:-} && -n ${AWS_ROLE_ARN:-} ]]; then
  token_folder=$(umask 077 && mktemp -d "${TMPDIR:-/tmp}/slipway-token-XXXXXX")
  at_exit+=("rm -rf $token_folder")
  (umask 077 && printf '%s' "$AWS_ID_TOKEN" > "$token_folder/token")
  export AWS_WEB_IDENTITY_TOKEN_FILE=$token_folder/token
  export AWS_ROLE_SESSION_NAME=slipway-${CI_PROJECT_ID:-0}-${CI_JOB_ID:-0}
  unset AWS_ID_TOKEN
  # the weights' step of Pants gets HOME alone: it finds the same by a file that holds no secret
  if [[ -n ${SLIPWAY_HOME:-} ]]; then
    mkdir -p "$HOME/.aws"
    printf '[default]\nrole_arn = %s\nweb_identity_token_file = %s\nrole_session_name = %s\n' \
      "$AWS_ROLE_ARN" "$AWS_WEB_IDENTITY_TOKEN_FILE" "$AWS_ROLE_SESSION_NAME" > "$HOME/.aws/config"
    [[ -z ${AWS_REGION:-} ]] || printf 'region = %s\n' "$AWS_REGION" >> "$HOME/.aws/config"
  fi
fi
# boto3 reads the one name, most of AWS's other tools the other
[[ -z ${AWS_REGION:-} ]] || export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-$AWS_REGION}
