# Get uv, which installs interpreters and packages, from the package index. Sourced by launcher.sh.

# Set `uv` to the program of build-support/lockfiles/uv.txt, installed once per user; else to the one
# on PATH; else `problem_uv` to the reason why there is none.
find_uv() {
  local lock=$root/build-support/lockfiles/uv.txt key folder interpreters=()
  lock_key "$lock"
  folder=$slipway_cache/uv/$key
  problem_uv=''
  if ! is_complete "$folder"; then
    if find_any_python; then
      fill_once "$folder" uv install_uv "$lock" || problem_uv=${problem_uv:-could not be installed}
    else
      problem_uv="there is no python3 of version 3.8 or later to install it with"
    fi
  fi
  uv=$folder/bin/uv
  [[ -z $problem_uv ]] || { uv=$(type -P uv) && problem_uv=''; }
}

# Install uv with the first pip that there is: Python's own, the one that ensurepip holds, the one of
# build-support/lockfiles/pip.txt. Debian's package `python3` has neither of the first two.
install_uv() { # lockfile, folder
  local wheel
  if "$any_python" -c 'import pip' 2> /dev/null; then
    wheel=
  elif ! wheel=$("$any_python" -I -c "$print_bundled_pip" 2> /dev/null); then
    wheel=$(download_pip "$2" 2>&1) || { problem_uv=$wheel; return 1; }
  fi
  problem_uv=$(run_pip "$wheel" install -qq --no-deps --only-binary :all: --require-hashes \
    --target "$2" -r "$1" 2>&1 > /dev/null) &&
    problem_uv=$("$2/bin/uv" --version 2>&1 > /dev/null)
}

# The wheel of pip runs without being installed, where its file name is kept.
print_bundled_pip='
import ensurepip, glob, os
print(glob.glob(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl"))[0])
'

# pip without what would make it ask, or refuse to install into a folder.
run_pip() { # wheel of pip, or nothing for the installed one; arguments of pip
  local program=(-m pip)
  [[ -z $1 ]] || program=("$1/pip")
  shift
  env -u PYTHONPATH -u PYTHONHOME -u PIP_TARGET -u PIP_PREFIX PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 \
    PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 "$any_python" "${program[@]}" "$@"
}

# Print the path of pip's wheel, once it has been downloaded into a folder.
download_pip() { # folder
  if [[ -z $pip_index_url$pip_find_links ]]; then
    echo "$any_python has neither pip nor ensurepip, and no package index is configured" >&2
    return 1
  fi
  mkdir -p "$1"
  # by variables: others can read the arguments of a process
  SLIPWAY_INDEX_URL=$pip_index_url SLIPWAY_FIND_LINKS=$pip_find_links "$any_python" -I \
    "$root/build-support/launcher/download_pip.py" "$root/build-support/lockfiles/pip.txt" "$1"
}
