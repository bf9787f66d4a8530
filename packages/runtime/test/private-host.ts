// A host of the test's own: a mount namespace whose /etc and /usr can be changed without a trace in those of the machine.
const script = [
  'mount -t tmpfs tmpfs /mnt',
  ...['etc', 'usr'].map(
    (name) => `mkdir /mnt/${name} /mnt/${name}.work && mount -t overlay -o lowerdir=/${name},upperdir=/mnt/${name},workdir=/mnt/${name}.work overlay /${name}`,
  ),
  'exec "$@"',
].join(' && ');

/** The command by which a program is in it. */
export const byPrivateHost: readonly string[] = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];

/** Mounts of all kinds in it: what programs see says `seen`, and what they do not says `covered`. */
export const mounts = `
  mkdir -p /usr/src/deep /usr/lib/ctr/x /usr/share/ctr
  echo covered > /usr/src/covered; echo covered > /usr/src/file; echo covered > /usr/lib/ctr/covered; echo covered > /usr/share/ctr/file
  mount -t tmpfs -o mode=755 tmpfs /usr/src; echo seen > /usr/src/file; mkdir /usr/src/deep
  mount -t tmpfs -o mode=755,noexec tmpfs /usr/src/deep; echo seen > /usr/src/deep/file
  mount -t tmpfs -o mode=755 tmpfs /usr/lib/ctr/x; echo covered > /usr/lib/ctr/x/file
  mount -t tmpfs -o mode=755 tmpfs /usr/lib/ctr; mkdir /usr/lib/ctr/x; echo seen > /usr/lib/ctr/x/other
  echo seen > /mnt/file; mount --bind /mnt/file /usr/share/ctr/file
  mkdir -p /etc/terminfo/deep; echo covered > /etc/terminfo/deep/covered; echo covered > /etc/alternatives/covered
  mount -t tmpfs -o mode=755 tmpfs /etc/alternatives; echo seen > /etc/alternatives/file
  mount -t tmpfs -o mode=755 tmpfs /etc/terminfo/deep; echo seen > /etc/terminfo/deep/file
  mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir /etc/ssl/certs; echo seen > /etc/ssl/certs/file
`;
