# Find the Python interpreters that Pants (3.9) and Slipway (3.12) run on. Sourced by launcher.sh.

unset python39 python312

# Prints the version and the path of the interpreter itself, never of a shim or of a virtual
# environment; then, on a second line, what it lacks.
describe_python='
import os, sys, sysconfig
minor = "%d.%d" % sys.version_info[:2]
modules = ["ctypes", "ssl", "venv"]
if minor == "3.12":
    modules.append("ensurepip")  # pex starts from the pip in it
lacking = []
for module in modules:
    try:
        __import__(module)
    except ImportError:
        lacking.append("module " + module)
if minor == "3.12" and sys.platform == "linux":
    # the Python backend of Triton is linked to it
    library = "libpython" + minor + ".so.1.0"
    folder = sysconfig.get_config_var("LIBDIR") or ""
    folders = [os.path.join(sys.base_prefix, "lib"), folder]
    folders.append(os.path.join(folder, sysconfig.get_config_var("MULTIARCH") or ""))
    if not any(os.path.isfile(os.path.join(f, library)) for f in folders):
        lacking.append("shared library " + library)
print(minor, os.path.realpath(sys.executable))
print(" and ".join(lacking))
'

# Set python39 or python312 to a complete interpreter of this minor version, else problem39 or
# problem312 to the reason why there is none.
find_python() { # minor version
  local minor=$1 digits=${1/./} candidates=() entry candidate answer lacking problem='' IFS=:
  for entry in $PATH; do
    candidates+=("$entry/python$minor")
    # an empty HOME hides pyenv's versions, its shims on PATH do not
    [[ $entry == */shims ]] && candidates+=("${entry%/shims}/versions/$minor".*/bin/"python$minor")
  done
  unset IFS
  candidates+=(
    "${PYENV_ROOT:-$HOME/.pyenv}/versions/$minor".*/bin/"python$minor"
    "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/uv/python}/cpython-$minor"*/bin/"python$minor"
  )
  for candidate in "${candidates[@]}"; do
    [[ -x $candidate ]] || continue
    if answer=$("$candidate" -I -S -c "$describe_python" 2> /dev/null) && [[ $answer == "$minor "* ]]; then
      lacking=${answer#*$'\n'}
      [[ $lacking != "$answer" ]] || lacking=
      if [[ -z $lacking ]]; then
        answer=${answer%%$'\n'*}
        printf -v "python$digits" '%s' "${answer#* }"
        printf -v "problem$digits" '%s' ''
        return
      fi
      problem=${problem:-$candidate lacks the $lacking}
    elif [[ $candidate != */shims/* ]]; then # a version manager's shim exists and fails
      problem=${problem:-$candidate does not run}
    fi
  done
  printf -v "problem$digits" '%s' \
    "${problem:-not on PATH, not among the versions of pyenv, not among those of uv}"
  return 1
}

# Set `any_python` to a Python of 3.8 or later that can install uv.
find_any_python() {
  local candidate names=(python3 python3.{14,13,12,11,10,9,8})
  for candidate in "${python312:-}" "${python39:-}" $(type -aP "${names[@]}"); do
    [[ -x $candidate ]] || continue
    "$candidate" -I -c 'import ssl, sys, zlib; sys.exit(sys.version_info < (3, 8))' 2> /dev/null ||
      continue
    any_python=$candidate
    return
  done
  return 1
}

# Set python39 and python312, as asked for, and `uv`; install what this machine lacks and uv can
# install. Otherwise print one message that names everything that is missing.
require_tools() { # minor versions
  local minor missing=() complete=yes variable
  problem_uv='' problem_download=''
  for minor in "$@"; do
    find_python "$minor" || missing+=("$minor")
  done
  find_uv || complete=
  if [[ -n $complete ]] && ((${#missing[@]})); then
    echo "$program: installing Python ${missing[*]} with uv (once)" >&2
    # not into ~/.local/bin, which is the user's
    problem_download=$(UV_PYTHON_INSTALL_BIN=0 NO_COLOR=1 "$uv" python install "${missing[@]}" 2>&1) &&
      problem_download=
    for minor in "${missing[@]}"; do
      find_python "$minor" || complete=
    done
  fi
  interpreters=()
  for minor in "$@"; do
    variable=python${minor/./}
    if [[ -n ${!variable:-} ]]; then interpreters+=("${!variable}"); else complete=; fi
  done
  [[ -n $complete ]] || { report_missing; return 1; }
}
