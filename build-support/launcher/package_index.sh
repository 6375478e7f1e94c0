# Hand pip's settings of the package index to uv and Pants, which read neither pip.conf nor PIP_*
# variables. Sourced by launcher.sh; runs at each start, so it starts no process.

pip_settings=(
  index_url:PIP_INDEX_URL find_links:PIP_FIND_LINKS no_index:PIP_NO_INDEX
  cert:PIP_CERT proxy:PIP_PROXY trusted_host:PIP_TRUSTED_HOST
)

# Read what `pip install` reads of a pip.conf, into variables such as pip_global_cert.
read_pip_file() { # file
  local line section= name= key
  [[ -f $1 && -r $1 ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    case $line in
      '#'* | ';'*) continue ;;
      '['*']'*)
        section=${line#[} name=
        section=${section%%]*}
        ;;
      [[:space:]]*) # continues the value of the line above
        read -r line <<< "$line"
        [[ -z $name ]] || printf -v "$name" '%s' "${!name} $line"
        ;;
      *)
        read -r key <<< "${line%%[=:]*}"
        key=${key//-/_} name=
        [[ $section == global || $section == install ]] || continue
        [[ $line == *[=:]* && " ${pip_settings[*]} " == *" $key:"* ]] || continue
        name=pip_${section}_$key
        read -r line <<< "${line#*[=:]}"
        printf -v "$name" '%s' "$line"
        ;;
    esac
  done < "$1"
}

# Set pip_index_url, pip_cert and so on to what `pip install` uses: a variable, else the last file
# that has the key.
read_pip_settings() {
  local folders folder setting name variable install global
  if [[ ${PIP_CONFIG_FILE:-} != /dev/null ]]; then
    IFS=: read -ra folders <<< "${XDG_CONFIG_DIRS:-/etc/xdg}"
    for folder in "${folders[@]}"; do read_pip_file "$folder/pip/pip.conf"; done
    read_pip_file /etc/pip.conf
    if [[ -n ${PIP_CONFIG_FILE:-} && -e $PIP_CONFIG_FILE ]]; then
      read_pip_file "$PIP_CONFIG_FILE"
    else
      read_pip_file "$HOME/.pip/pip.conf"
      read_pip_file "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf"
    fi
  fi
  for setting in "${pip_settings[@]}"; do
    name=${setting%:*} variable=${setting#*:}
    install=pip_install_$name global=pip_global_$name
    read -r "pip_$name" <<< "${!variable:-${!install:-${!global:-}}}"
  done
}

# Export a variable, unless it is set or the value is empty.
export_default() { # name, value
  [[ -n ${!1:-} || -z $2 ]] || export "$1=$2"
}

# Export what replaces the default index. Extra indexes stay pip's: uv would prefer them to the main
# one, and every package of the lockfiles comes from the main one.
export_index_settings() {
  local bundle bundles=(
    /etc/ssl/certs/ca-certificates.crt # Debian, Ubuntu, Arch, Alpine
    /etc/pki/tls/certs/ca-bundle.crt   # Fedora, RHEL
    /etc/ssl/ca-bundle.pem             # SUSE
  )
  read_pip_settings
  export_default UV_DEFAULT_INDEX "${UV_INDEX_URL:-$pip_index_url}"
  export_default UV_INSECURE_HOST "$pip_trusted_host"
  [[ -n ${http_proxy:-}${https_proxy:-}${ALL_PROXY:-} ]] || export_default HTTPS_PROXY "$pip_proxy"
  case $pip_no_index in
    1 | [Tt]rue | [Yy]es | [Oo]n)
      export_default UV_NO_INDEX 1
      export_default UV_FIND_LINKS "${pip_find_links// /,}"
      export_default PANTS_PYTHON_REPOS_INDEXES '[]'
      export_default PANTS_PYTHON_REPOS_FIND_LINKS "['${pip_find_links// /\', \'}']"
      ;;
    *)
      [[ -z $pip_index_url ]] || export_default PANTS_PYTHON_REPOS_INDEXES "['$pip_index_url']"
      ;;
  esac
  # a company's certificate authority is usually in the system's bundle, which uv and pip do not read
  export_default SSL_CERT_FILE "$pip_cert"
  for bundle in "${bundles[@]}"; do
    [[ -r $bundle && -z ${SSL_CERT_DIR:-} ]] && export_default SSL_CERT_FILE "$bundle"
  done
  export_default REQUESTS_CA_BUNDLE "${SSL_CERT_FILE:-}" # pip's
}
