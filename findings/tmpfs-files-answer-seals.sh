#!/usr/bin/env bash
# A good guess: F_GET_SEALS tells a memfd from a file with a name, since fcntl(2) says that it fails with EINVAL for a file that does not support sealing.
# What happens: every regular file of a tmpfs (/dev/shm, /tmp or /run on many systems) supports sealing and answers F_SEAL_SEAL (1); files of overlayfs and ext4 give EINVAL.
# A check "is this executable a sealed copy?" that takes any answer for yes therefore takes a plain file of a tmpfs for one. Only the seals themselves tell:
# a copy that is finished has F_SEAL_WRITE (8) and the others, 15 together.
# Seen with Linux 6.18 and, for the calls, koffi 3.3.4.
set -euo pipefail
work=$(mktemp -d)
shm=$(mktemp /dev/shm/finding.XXXXXX)
trap 'rm -rf "$work" "$shm"' EXIT
[ "$(stat -f -c %T /dev/shm)" = tmpfs ] || { echo 'skipped: /dev/shm is no tmpfs here'; exit 0; }
cd "$work"
npm init -y >npm.log 2>&1
npm install --no-audit --no-fund koffi@3.3.4 >>npm.log 2>&1
cat > seals.cjs <<'JS'
const fs = require('node:fs');
const koffi = require('koffi');
const c = koffi.load(null);
const fcntl = c.func('int fcntl(int fd, int cmd, ...)');
const memfdCreate = c.func('int memfd_create(const char *name, unsigned int flags)');
const [F_ADD_SEALS, F_GET_SEALS, MFD_ALLOW_SEALING] = [1033, 1034, 2];
const answer = (fd) => {
  const seals = fcntl(fd, F_GET_SEALS, 'int', 0);
  return seals >= 0 ? String(seals) : Object.entries(koffi.os.errno).find(([, number]) => number === koffi.errno())[0];
};
const memfd = memfdCreate('copy', MFD_ALLOW_SEALING);
fcntl(memfd, F_ADD_SEALS, 'int', 15);
for (const [name, path] of [['file of a tmpfs', process.argv[2]], ['file elsewhere', process.argv[3]]]) console.log(`${name}: ${answer(fs.openSync(path, 'r'))}`);
console.log(`memfd that cannot be sealed: ${answer(memfdCreate('plain', 0))}`);
console.log(`sealed memfd: ${answer(memfd)}`);
JS
: > elsewhere
[ "$(stat -f -c %T .)" != tmpfs ] || { echo 'skipped: the temporary folder is a tmpfs'; exit 0; }
seen=$(node seals.cjs "$shm" elsewhere)
echo "$seen"
expected='file of a tmpfs: 1
file elsewhere: EINVAL
memfd that cannot be sealed: 1
sealed memfd: 15'
[ "$seen" = "$expected" ] || { echo 'this has changed'; exit 1; }
