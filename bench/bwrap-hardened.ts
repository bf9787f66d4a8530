import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, lstatSync, openSync, readlinkSync } from 'node:fs';

const PROGRAMS = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
const ETC = [
  'passwd', 'group', 'nsswitch.conf', 'host.conf', 'protocols', 'services', 'ld.so.cache', 'ld.so.conf', 'localtime', 'timezone', 'os-release', 'profile', 'bash.bashrc', 'inputrc',
  'alternatives', 'ld.so.conf.d', 'terminfo', 'ssl/certs',
]; // prettier-ignore

/** What bwrap is to be told for what a default container has: the host's programs (read-only, since it has no overlays here), what of /etc is needed, a filter, no capabilities. */
function hardenedArgs(): string[] {
  const programs = PROGRAMS.filter((name) => existsSync(`/${name}`)).flatMap((name) =>
    lstatSync(`/${name}`).isSymbolicLink() ? ['--symlink', readlinkSync(`/${name}`), `/${name}`] : ['--ro-bind', `/${name}`, `/${name}`],
  );
  const etc = ETC.filter((name) => existsSync(`/etc/${name}`)).flatMap((name) => ['--ro-bind', `/etc/${name}`, `/etc/${name}`]);
  const namespaces = process.geteuid?.() === 0 ? [] : ['--unshare-user'];
  const isolation = '--unshare-uts --unshare-ipc --unshare-pid --unshare-net --unshare-cgroup --as-pid-1 --new-session --die-with-parent --cap-drop ALL';
  const settings = '--hostname container --clearenv --setenv PATH /usr/bin:/bin';
  const files = '--proc /proc --dev /dev --mqueue /dev/mqueue --ro-bind /sys /sys --dir /tmp --dir /var/tmp --dir /run --dir /home --dir /root';
  return [...namespaces, ...`${isolation} ${settings}`.split(' '), ...programs, ...etc, ...`${files} --seccomp 3 true`.split(' ')];
}

let args: string[] | undefined;

/** A container by bwrap with the same namespaces, mounts and filter as a default one, its output collected; resolves at its end. */
export async function bwrapHardened(filter: string): Promise<void> {
  args ??= hardenedArgs();
  const file = openSync(filter, 'r');
  const child = spawn('bwrap', args, { stdio: ['ignore', 'pipe', 'pipe', file] });
  closeSync(file);
  child.stdout?.resume();
  child.stderr?.setEncoding('utf8');
  let said = '';
  child.stderr?.on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`bwrap ended with ${code}: ${said}`);
}
