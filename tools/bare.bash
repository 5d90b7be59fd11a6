# A fresh Debian 12 in a folder of its own; read by prove-bare and prove-package. Needs root,
# debootstrap and git.
repository=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")

# make_base FOLDER: FOLDER/base.tar, the smallest Debian 12, where it is not there yet.
make_base()
{
    mkdir -p "$1"
    [ ! -e "$1/base.tar" ] || return 0
    debootstrap --variant=minbase bookworm "$1/base"
    tar -C "$1/base" -cf "$1/base.tar.part" .
    mv "$1/base.tar.part" "$1/base.tar"
    rm -rf --one-file-system "$1/base"
}

# Where packages come from, and how they are trusted, is this machine's business.
copy_apt()
{
    local file
    rm -rf "$1/etc/apt"
    for file in /etc/apt /usr/share/keyrings /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt; do
        if [ -e "$file" ]; then
            mkdir -p "$1$(dirname "$file")"
            cp -RL "$file" "$1$(dirname "$file")/"
        fi
    done
}

# unpack FOLDER ROOT: the base anew in ROOT.
unpack()
{
    rm -rf --one-file-system "$2"
    mkdir "$2"
    tar -C "$2" -xf "$1/base.tar"
    copy_apt "$2"
}

# What of the environment goes with it, as NAME=VALUE in `environment`.
set_environment()
{
    local name
    environment=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive)
    for name in http_proxy https_proxy no_proxy TERM CI; do
        if [ -n "${!name:-}" ]; then environment+=("$name=${!name}"); fi
    done
}

# enter ROOT COMMAND: in namespaces of its own; what is mounted and started goes when it ends.
enter()
{
    local environment
    set_environment
    unshare --mount --pid --fork --kill-child bash -euc '
        mount --bind "$0" "$0" # a root of its own, as tests that mount want it
        mount --rbind /dev "$0/dev"
        mount -t proc proc "$0/proc"
        mount -t tmpfs tmpfs "$0/tmp"
        mount -t sysfs sysfs "$0/sys"
        exec chroot "$0" env -i "$@"' \
        "$1" "${environment[@]}" bash -c "cd /root && $2" </dev/null
}
