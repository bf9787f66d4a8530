#!/usr/bin/env bash
# A good guess: MS_UNBINDABLE concerns bind mounts alone (mount_namespaces(7): the mount can't be used as the source of a bind mount, and a recursive one prunes it),
# so a directory of an unbindable tmpfs serves as a layer of an overlay as any other does.
# What happens: overlayfs clones the mount of each layer as a bind would, and mount(8) fails with EINVAL, whichever layer is on such a mount. An overlay that is mounted before
# the mount becomes unbindable goes on working. So a scratch tmpfs that no recursive bind is to show has to become unbindable after its overlays are mounted.
# Seen with Linux 6.18 and mount of util-linux, Debian's package mount 2.38.1.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo 'skipped: mounting takes root'; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
version=$(apt-cache madison mount 2>/dev/null | awk '$3 ~ /^2\.38\.1-/ { print $3; exit }')
[ -n "$version" ] || { echo "skipped: Debian's package mount 2.38.1 is not offered here"; exit 0; }
apt-get download "mount=$version" >apt.log 2>&1
dpkg-deb -x mount_*.deb .
# In a mount namespace of its own: nothing of it is left.
seen=$(unshare --mount --propagation private bash -s "$work/bin/mount" <<'SH'
mount=$1
mkdir scratch merged
"$mount" -t tmpfs scratch scratch
mkdir scratch/lower scratch/upper scratch/work scratch/other scratch/work2
echo 'of the layer' > scratch/lower/file
"$mount" -t overlay overlay -o lowerdir=scratch/lower,upperdir=scratch/upper,workdir=scratch/work merged && echo 'before: mounted'
"$mount" --make-unbindable scratch
echo "after: the first one says $(cat merged/file)"
mkdir second
if "$mount" -t overlay overlay -o lowerdir=/usr,upperdir=scratch/other,workdir=scratch/work2 second 2>error; then echo 'upper: mounted'; else echo "upper: exit $?"; fi
if "$mount" -t overlay overlay -o lowerdir=scratch/lower:/usr second 2>>error; then echo 'lower: mounted'; else echo "lower: exit $?"; fi
"$mount" --make-private scratch
"$mount" -t overlay overlay -o lowerdir=/usr,upperdir=scratch/other,workdir=scratch/work2 second && echo 'bindable again: mounted'
SH
)
echo "$seen"
expected='before: mounted
after: the first one says of the layer
upper: exit 32
lower: exit 32
bindable again: mounted'
[ "$seen" = "$expected" ] || { echo 'this has changed'; exit 1; }
