# The ssh agent of the machine that Pallet runs on, where a script may use that: `agent` is its socket here.

# lend_agent UID: what runs from here on finds the agent, and if that is as another user than we are, that user may use it until this shell ends. The socket
# is in a directory that only who logged in can pass, which stays so: it gets a second name, in a directory of ours that others can pass and not list.
lend_agent() {
  if [ -z "${agent-}" ] || [ ! -S "$agent" ]; then
    fail 'the ssh agent is forwarded, and there is no SSH_AUTH_SOCK: see whether a start-up file of the login user (.bashrc, .profile, .cshrc) or sudo takes it away'
  fi
  SSH_AUTH_SOCK=$agent
  export SSH_AUTH_SOCK
  agent_owner=$(stat -c %u -- "$agent")
  case $1 in '' | 0 | "$agent_owner" | "$uid") return 0 ;; esac
  # the nearest directory above that everybody can pass, and in which nobody else can turn our names
  agent_file=$(cd -P -- "${agent%/*}" && env pwd -P)/${agent##*/}
  agent_place='' agent_rest=${agent_file#/}
  while :; do
    case $agent_rest in */*) ;; *) break ;; esac
    agent_next=$agent_place/${agent_rest%%/*} agent_rest=${agent_rest#*/}
    case $(stat -c '%u %a' -- "$agent_next") in
      '0 '*[0145][15] | '0 1'??[1357]) agent_place=$agent_next ;;
      *) break ;;
    esac
  done
  agent_lent=$(mktemp -u -- "$agent_place/.pallet.XXXXXXXXXX")
  on_exit take_agent_back
  will_make "$agent_lent"
  mkdir -m 700 -- "$agent_lent"
  if ! ln -- "$agent_file" "$agent_lent/agent" || [ -L "$agent_lent/agent" ] || [ ! -S "$agent_lent/agent" ]; then
    fail "the ssh agent cannot be shown to another user: $agent_file gets no second name in ${agent_place:-/}; log in as that user, or as root"
  fi
  # who can write to it can use it
  chmod go-w -- "$agent_lent/agent"
  chown -- "$1" "$agent_lent/agent"
  chmod 711 -- "$agent_lent"
  SSH_AUTH_SOCK=$agent_lent/agent
}

# take_agent_back: the socket is its owner's again
take_agent_back() {
  trap - EXIT
  chmod 700 -- "$agent_lent" 2>/dev/null || :
  chown -- "$agent_owner" "$agent_lent/agent" 2>/dev/null || :
  rm -rf -- "$agent_lent"
}
