// Containers in containers, three deep. The outer ones are privileged: they set up others.
import { describe, expect, it } from 'vitest';

import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();

// Runs itself in a container, and that in one, as deep as it is asked to; the innermost is one as anyone has it.
const program = new NodeProgram(`
  import { privileged, run } from '@ctr/runtime';
  import { dirname } from 'node:path';
  const [depth = '', json = '{}'] = process.argv.slice(2);
  const self = process.argv[1] ?? '';
  const options = JSON.parse(json);
  const bind = { bind: dirname(self), to: dirname(self), readonly: true };
  try {
    const result = depth === '1'
      ? await run(['sh', '-c', 'echo $$ $(hostname) $(id -u); grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\\\t"; touch /usr/new /tmp/new /sys/new /proc/sys/new 2>&1 | wc -l; ls /proc | grep -c "^[0-9]"'], { hostname: 'deepest', ...options })
      : await run([process.execPath, self, String(Number(depth) - 1), json], { ...privileged, ...options, mounts: [bind], reject: false });
    process.stdout.write(result.stdout);
    process.stderr.write(result.stderr);
  } catch (error) {
    console.log(depth + ': ' + String(error));
    process.exitCode = 1;
  }
`);

const UID = 54_321;
const asUser = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups'];

describe.each([
  ['root', []],
  ['an ordinary user', asUser],
] as const)('as %s', (_, by) => {
  it.each([1, 2, 3])('%d deep: the innermost is as any other', async (depth) => {
    const { stdout, stderr } = await program.run([String(depth)], { by });
    expect(stderr).toBe('');
    // Overlays can be stacked twice: with a third one, /usr is read-only.
    expect(stdout).toMatch(/^1 deepest 0\nCapEff:00000000800405fb\nNoNewPrivs:1\nSeccomp:2\n[23]\n\d\n$/);
  });

  it('three deep, each with a user namespace of its own', async () => {
    const { stdout, stderr } = await program.run(['3', JSON.stringify({ namespaces: { user: 'new' } })], { by });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^1 deepest 0\nCapEff:00000000800405fb\nNoNewPrivs:1\nSeccomp:2\n[23]\n\d\n$/);
  });
});

it('a default container holds no other, and says why', async () => {
  const { stdout } = await program.run(['2', JSON.stringify({ capabilities: {}, noNewPrivileges: true, seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } })]);
  expect(stdout).toMatch(/= EPERM .*\nhint: this root does not have CAP_SYS_ADMIN, as in most containers/);
});
