# Completion for bash of kith(1) and kithd(8).

# What has been typed, as words: bash parts them at = and :, which are ordinary here. The last one,
# which may be empty, ends at the cursor.
_kith_split()
{
    local line=${COMP_LINE:0:COMP_POINT} i word rest
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        rest=${line#"${line%%[![:blank:]]*}"}
        ((i == COMP_CWORD)) && word=$rest
        if [[ $rest == "$line" && ${#words[@]} -gt 0 ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        line=${rest#"$word"}
    done
}

# Bash replaces only what follows the last = or : of the word.
_kith_trim()
{
    local cut=${cur%"${cur##*[=:]}"} i
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
    done
}

# _kith_offer PREFIX WORDS: those of the words that begin with what has been typed, each behind the
# prefix, which has been typed already.
_kith_offer()
{
    local IFS=$' \t\n'
    mapfile -t COMPREPLY < <(compgen -P "$1" -W "$2" -- "${cur#"$1"}")
}

# _kith_files PREFIX ACTION: files (-f) or folders (-d).
_kith_files()
{
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$2" -- "${cur#"$1"}")
}

# _kith_keys PROGRAM PREFIX: the hub's keys, where it answers soon. Nothing that was typed is run: a
# word with quotes or with what the shell would expand is left alone, but for backslashes.
_kith_keys()
{
    local plain key hub=() typed=${cur#"$2"}
    [[ $typed == *[\'\"\$\`]* ]] && return
    [[ $where == kith://* ]] && return # whom to believe is not decided by a key
    # shellcheck disable=SC2162 # takes the backslashes away
    IFS= read plain <<<"$typed"
    [ -n "$where" ] && hub=(--hub "$where")
    while IFS= read -r key; do
        [[ $key == "$plain"* ]] && printf -v key %q "$key" && COMPREPLY+=("$2$key")
    done < <(timeout 1 "$1" "${hub[@]}" ls -- "$plain" 2>/dev/null </dev/null | head -n 500)
}

# _kith_transfers PROGRAM: those that are not over, as this profile remembers them.
_kith_transfers()
{
    local ids as=()
    [ -n "$profile" ] && as=(--as "$profile")
    ids=$(timeout 1 "$1" "${as[@]}" transfers 2>/dev/null </dev/null | cut -d ' ' -f 1 | head -n 500)
    _kith_offer '' "$ids"
}

# _kith_hubs PREFIX: where a hub may be: at the default address, at that of KITH_HUB, at the ports
# for which there is a folder of data, or at a socket, which is a path.
_kith_hubs()
{
    local typed=${cur#"$1"} where folder seen=' '
    if [[ $typed == */* || $typed == .* ]]; then
        _kith_files "$1" -f
        return
    fi
    for folder in "${XDG_DATA_HOME:-$HOME/.local/share}"/kith/hub-[0-9]*; do
        [ -d "$folder" ] && set -- "$@" "127.0.0.1:${folder##*/hub-}"
    done
    for where in 127.0.0.1:12345 "${KITH_HUB-}" "${@:2}"; do
        [[ $where == "$typed"* && -n $where && $seen != *" $where "* ]] || continue
        seen+="$where "
        printf -v where %q "$where"
        COMPREPLY+=("$1$where")
    done
    ((${#COMPREPLY[@]} > 0)) || _kith_files "$1" -f
}

# _kith_value PROGRAM OPTION PREFIX: what may stand as the value of an option of kith.
_kith_value()
{
    case $2 in
        --hub) _kith_hubs "$3" ;;
        --log | --story | --password-file | --token-file) _kith_files "$3" -f ;;
        --logs | --into) _kith_files "$3" -d ;;
        --key) _kith_keys "$1" "$3" ;;
        --as | --password-fd | --revoke | --sign | --discard | --reset | --remove | --admin | --accept | --from | --peer-port) ;;
        --value | --expire | --if-equal | --match) ;;
        *) return 1 ;;
    esac
}

_kith_words()
{
    local commands='store get del ls watch export import backup echo name info quit join id verify forget register
        login devices password invite token account who say listen send receive transfers letters doctor demo help'
    local options='--hub --as --json --quiet --log --key --value --raw --help --version'
    local sections='server clients memory persistence stats replication cpu cluster keyspace all default everything'
    case $command in
        store) options+=' --expire --if-absent --if-equal' ;;
        ls) options+=' --match' ;;
        register) options+=' --password-file --password-fd --invite --setup --token-file' ;;
        login | password) options+=' --password-file --password-fd' ;;
        devices) options+=' --revoke --sign' ;;
        invite) options+=' --new --expire' ;;
        token) options+=' --new --expire --revoke' ;;
        account) options+=' --reset --remove --admin --password-file --password-fd' ;;
        say) options+=' --now --history --peer-port' ;;
        verify | doctor) options+=' --peer-port' ;;
        listen) options+=' --accept --history --peer-port' ;;
        send) options+=' --now --sha256 --peer-port' ;;
        receive) options+=' --from --into --accept --rename --replace --sha256 --peer-port' ;;
        transfers) options+=' --peer-port' ;;
        letters) options+=' --discard --history' ;;
        demo) options+=' --logs --story --print-story' ;;
    esac
    if [[ $cur == -* && -z $literal ]]; then
        _kith_offer '' "$options"
        return
    fi
    case $command/$count in
        /*) _kith_offer '' "$commands" ;;
        store/0 | get/0 | ls/0 | watch/0 | export/0 | del/*) _kith_keys "$1" '' ;;
        import/0) _kith_files '' -f ;;
        send/0) ;;
        send/*) _kith_files '' -f ;;
        transfers/0) _kith_offer '' 'resume cancel' ;;
        transfers/1) _kith_transfers "$1" ;;
        backup/0) _kith_files '' -d ;;
        join/0) _kith_hubs '' ;;
        help/0) _kith_offer '' "$commands" ;;
        info/0) _kith_offer '' "$sections" ;;
    esac
}

_kith()
{
    local words=() cur previous='' word where='' profile='' command='' literal='' count=0 i
    _kith_split
    cur=${words[${#words[@]} - 1]}
    COMPREPLY=()
    # Where the cursor is: which command, how many words after it, behind which option.
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [ -n "$previous" ]; then
            [ "$previous" = --hub ] && where=$word
            [ "$previous" = --as ] && profile=$word
            previous=''
        elif [[ -n $literal || $word != --* ]]; then
            if [ -z "$command" ]; then command=$word; else count=$((count + 1)); fi
        else
            case $word in
                --) literal=1 ;;
                --hub=*) where=${word#*=} ;;
                --as=*) profile=${word#*=} ;;
                --as | --password-file | --password-fd | --token-file | --revoke | --sign | --discard | --reset | --remove | --admin | --accept | --from | --into | --peer-port | --hub | --log | --key | --value | --expire | --if-equal | --match | --logs | --story)
                    previous=$word
                    ;;
            esac
        fi
    done
    if [ -n "$previous" ]; then
        _kith_value "$1" "$previous" ''
    elif [[ $cur == --*=* && -z $literal ]]; then
        _kith_value "$1" "${cur%%=*}" "${cur%%=*}="
    else
        _kith_words "$1"
    fi
    _kith_trim
}

# _kithd_value OPTION PREFIX
_kithd_value()
{
    case $1 in
        --registration) _kith_offer "$2" 'open invite closed' ;;
        --durability) _kith_offer "$2" 'commit second' ;;
        --replies) _kith_offer "$2" 'terse full' ;;
        --relay) _kith_offer "$2" 'off chat all' ;;
        --data | --check) _kith_files "$2" -d ;;
        --log | --listen) _kith_files "$2" -f ;;
        --workers | --backlog | --maxmemory | --delay | --unframed-ms) ;;
        *) return 1 ;;
    esac
}

_kithd()
{
    local words=() cur previous='' options='--listen --data --durability --replies --workers --backlog
        --maxmemory --one-at-a-time --delay --unframed-ms --open --open-admin --registration --relay --log
        --log-requests --check
        --help --version'
    _kith_split
    cur=${words[${#words[@]} - 1]}
    ((${#words[@]} > 1)) && previous=${words[${#words[@]} - 2]}
    COMPREPLY=()
    if [[ $previous == --* ]] && _kithd_value "$previous" ''; then
        :
    elif [[ $cur == --*=* ]]; then
        _kithd_value "${cur%%=*}" "${cur%%=*}="
    elif [[ $cur == -* ]]; then
        _kith_offer '' "$options"
    fi
    _kith_trim
}

complete -F _kith kith
complete -F _kithd kithd
