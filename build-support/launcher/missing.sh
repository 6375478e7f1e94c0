# The one message that names everything that a first start lacks. Sourced by launcher.sh.

# Print what is missing, and each way to get it.
report_missing() {
  local entry version problem versions=()
  {
    echo "error: $program needs what this machine does not have"
    for entry in "3.9:Pants" "3.12:Slipway and the models' environments"; do
      version=${entry%%:*}
      find_python "$version" && continue
      versions+=("$version")
      problem=problem${version/./}
      echo "  Python $version, for ${entry#*:}: ${!problem}"
    done
    print_problem "uv, which installs Python and packages, could not be installed:" "$problem_uv"
    print_problem "uv could not download Python:" "$problem_download"
    echo "fix: get what is missing, then run the command again; docs/installation.md has more"
    ((${#versions[@]} == 0)) || suggest_python "${versions[@]}"
    [[ -z $problem_uv ]] || suggest_uv
    suggest_network
  } >&2
}

# Print the last lines of a problem, indented, without the credentials of a URL.
print_problem() { # headline, text
  [[ -n $2 ]] || return 0
  echo "  $1"
  sed -E -e 's#://[^/@[:space:]]*@#://****@#g' -e '/^[[:space:]]*$/d' -e 's/^/    /' <<< "$2" |
    tail -n 6
}

suggest_python() { # minor versions
  local packages=() version flags
  [[ " $* " != *" 3.9 "* ]] || packages+=(python3.9)
  [[ " $* " != *" 3.12 "* ]] || packages+=(python3.12 python3.12-venv libpython3.12)
  echo "  Python, in any one of these ways:"
  suggest_packages "${packages[@]}"
  for version in "$@"; do
    flags=
    # the Python backend of Triton is linked to a shared libpython
    [[ $version != 3.12 ]] || flags="PYTHON_CONFIGURE_OPTS=--enable-shared "
    echo "    pyenv           ${flags}pyenv install $version"
  done
  echo "    uv              ${uv:-uv} python install $*"
  echo "                    UV_PYTHON_INSTALL_MIRROR=URL names a mirror of its downloads"
}

suggest_uv() {
  echo "  uv from the package index:"
  find_any_python && "$any_python" -I -c 'import pip' 2> /dev/null || suggest_packages python3 python3-pip
  echo "    package index   PIP_INDEX_URL=URL, or index-url in pip.conf"
}

suggest_network() {
  echo "  the network:"
  [[ -n ${SSL_CERT_FILE:-}${SSL_CERT_DIR:-} ]] || suggest_packages ca-certificates
  echo "    certificates    SSL_CERT_FILE=FILE, or cert in pip.conf; now ${SSL_CERT_FILE:-none}"
  echo "    proxy           HTTPS_PROXY=URL, or proxy in pip.conf"
}

suggest_packages() { # packages of Debian
  local package available=() unknown=()
  for package in "$@"; do
    if ! command -v apt-cache > /dev/null || apt-cache show "$package" > /dev/null 2>&1; then
      available+=("$package")
    else
      unknown+=("$package")
    fi
  done
  ((${#available[@]} == 0)) || echo "    Debian, Ubuntu  apt-get install ${available[*]}"
  ((${#unknown[@]} == 0)) ||
    echo "    Debian, Ubuntu  not in this machine's package lists: ${unknown[*]}"
}
